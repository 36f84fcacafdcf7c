/** `@unbroken/client` as its users get it: packed, installed into an empty project, compiled and run there. */
import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { GenerationEvent } from '../../contracts/events.ts';
import { textOf } from '../../contracts/fold-events.ts';
import { faultsOf } from '../harness/check-events.ts';
import { PROJECT_ROOT } from '../harness/child-process.ts';
import { promptOf } from '../harness/prompt.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { waitFor } from '../harness/wait-for.ts';
import { importsOf } from '../house/import-table.ts';
import { readJson, readProjectFile } from '../house/project-files.ts';

const run = promisify(execFile);
const SOURCE = 'clients/typescript';
/** A third are the types of jobs, pipelines and schedules, written out. */
const LARGEST_TARBALL_BYTES = 40 * 1024;
const FILES = [
  'LICENSE',
  'README.md',
  'dist/backoff.d.ts',
  'dist/check-options.d.ts',
  'dist/client.js',
  'dist/complaints.d.ts',
  'dist/contracts.d.ts',
  'dist/erasures.d.ts',
  'dist/errors.d.ts',
  'dist/fold-events.d.ts',
  'dist/follow-generation.d.ts',
  'dist/follow-job.d.ts',
  'dist/generation-store.d.ts',
  'dist/index.d.ts',
  'dist/index.js',
  'dist/jobs.d.ts',
  'dist/partial-json.d.ts',
  'dist/prompts.d.ts',
  'dist/read-events.d.ts',
  'dist/schedules.d.ts',
  'dist/text-of.d.ts',
  'dist/unbroken-client.d.ts',
  'dist/use-generation.d.ts',
  'dist/use-generation.js',
  'package.json',
];

const packedSchema = z.tuple([
  z.object({
    version: z.string(),
    filename: z.string(),
    size: z.int(),
    files: z.array(z.object({ path: z.string() })),
  }),
]);
const manifestSchema = z.object({
  version: z.string(),
  dependencies: z.record(z.string(), z.string()),
});
const entriesSchema = z.object({
  main: z.string(),
  types: z.string(),
  typesVersions: z.object({ '*': z.record(z.string(), z.array(z.string())) }),
  exports: z.record(z.string(), z.union([z.string(), z.record(z.string(), z.string())])),
});

const project = mkdtempSync(join(tmpdir(), 'unbroken-consumer-'));
const installed = join(project, 'node_modules', '@unbroken', 'client');
let packed: z.output<typeof packedSchema>[0];
let stack: Stack;

async function pack(tarballs: string) {
  const flags = ['--json', '--silent', '--pack-destination', tarballs];
  const { stdout } = await run('npm', ['pack', `./${SOURCE}`, ...flags], { cwd: PROJECT_ROOT });
  // The build prints its lines before.
  return packedSchema.parse(JSON.parse(stdout.slice(stdout.indexOf('[\n'))))[0];
}

function write(files: Readonly<Record<string, string>>): void {
  mkdirSync(project, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
}

/** Runs a program of the consumer; resolves when it has ended well. `onLine` is called for each line that it prints. */
async function runThere(args: readonly string[], onLine: (line: string) => void = () => undefined) {
  const child = spawn(process.execPath, args, { cwd: project, stdio: ['ignore', 'pipe', 'pipe'] });
  const complaints: string[] = [];
  createInterface({ input: child.stdout }).on('line', onLine);
  createInterface({ input: child.stderr }).on('line', (line) => complaints.push(line));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${complaints.join('\n')}`);
  return complaints;
}

const CONSUMER = {
  'package.json': JSON.stringify({ name: 'consumer', private: true, type: 'module' }),
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      strict: true,
      exactOptionalPropertyTypes: true,
      // The declarations of the package are checked too.
      skipLibCheck: false,
      target: 'es2022',
      lib: ['es2022', 'dom', 'dom.iterable', 'dom.asynciterable'],
      types: [],
      module: 'nodenext',
      outDir: 'built',
    },
    include: ['*.ts'],
  }),
  'follow.ts': `
    import { createClient, type GenerationEvent, type GenerationRequest } from '@unbroken/client';
    declare const process: { readonly argv: readonly string[] };
    const [, , baseUrl = '', apiKey = '', input = ''] = process.argv;
    const client = createClient({
      baseUrl,
      apiKey,
      onReconnect: ({ after }) => console.error('reconnects after', after),
    });
    const request: GenerationRequest = { input, cache: 'off' };
    const events: AsyncIterable<GenerationEvent> = await client.generate(request);
    for await (const event of events) {
      // @ts-expect-error: the events are typed, and there is no such event.
      if (event.type === 'no-such-event') console.log(event);
      console.log(JSON.stringify(event));
    }`,
  'follow-with-ticket.ts': `
    import { createClient } from '@unbroken/client';
    declare const process: { readonly argv: readonly string[] };
    const [, , baseUrl = '', id = '', ticket = ''] = process.argv;
    const client = createClient({
      baseUrl,
      fetch: (url, init) => fetch(\`\${url}&ticket=\${ticket}\`, init),
    });
    for await (const event of client.follow(id)) console.log(JSON.stringify(event));`,
  'page.ts': `
    import { ClientError, GenerationFailedError, type UnbrokenClient } from '@unbroken/client';
    import { useGeneration } from '@unbroken/client/react';
    export function answerOf(client: UnbrokenClient, id: string | undefined): string {
      const { text, status, error, cancel } = useGeneration(client, id);
      // @ts-expect-error: the status is typed, and there is no such status.
      if (status === 'no-such-status') return '';
      if (error instanceof GenerationFailedError) return error.partialText;
      if (error instanceof ClientError) return error.doc ?? error.code;
      if (text.length > 1_000) void cancel().catch(console.error);
      return text;
    }`,
  'server-side.js': `
    import { createClient } from '@unbroken/client';
    import { useGeneration } from '@unbroken/client/react';
    import { createElement } from 'react';
    import { renderToString } from 'react-dom/server';
    const client = createClient({ baseUrl: 'http://127.0.0.1:9' });
    const Page = () => createElement('p', null, useGeneration(client, 'g1').status);
    console.log(renderToString(createElement(Page)));`,
};

beforeAll(async () => {
  write(CONSUMER);
  const tarballs = mkdtempSync(join(project, 'tarballs-'));
  [stack, packed] = await Promise.all([startStack(), pack(tarballs)]);
  const flags = ['--prefer-offline', '--no-audit', '--no-fund'];
  await run('npm', ['install', join(tarballs, packed.filename), ...flags], { cwd: project });
});
afterAll(async () => {
  await stack?.stop();
  rmSync(project, { recursive: true, force: true });
});

describe('the package', () => {
  const manifestOf = (path: string) => manifestSchema.parse(readJson(path));

  test('has exactly these files, and is small', () => {
    expect(packed.files.map(({ path }) => path).sort()).toEqual(FILES);
    expect(packed.size).toBeLessThan(LARGEST_TARBALL_BYTES);
  });

  test('has the version and the licence of the project, and its parser at the same version', () => {
    const [ours, its] = [manifestOf('package.json'), manifestOf(`${SOURCE}/package.json`)];
    expect(its.version).toBe(ours.version);
    expect(readProjectFile(`${SOURCE}/LICENSE`)).toBe(readProjectFile('LICENSE'));
    expect(its.dependencies).toEqual({ 'eventsource-parser': `^${ours.dependencies['eventsource-parser']}` });
  });

  test('has the same types for compilers that do not read exports', () => {
    const { main, types, typesVersions, exports } = entriesSchema.parse(readJson(`${SOURCE}/package.json`));
    expect(exports['.']).toEqual({ types, default: main });
    const others = Object.entries(exports).flatMap(([name, entry]) =>
      name === '.' || typeof entry === 'string' ? [] : [[name.replace('./', ''), [entry['types']]]],
    );
    expect(typesVersions['*']).toEqual(Object.fromEntries(others));
  });

  test('imports only its parser and, in the hook, React; its types import nothing else', () => {
    const outside = FILES.filter((path) => path.startsWith('dist/')).flatMap((path) =>
      importsOf(path, readFileSync(join(installed, path), 'utf8'))
        .filter(({ isLocal, target }) => !isLocal || !FILES.includes(target.replace(/\.js$/, '.d.ts')))
        .filter(({ target }) => !FILES.includes(target))
        .map(({ target }) => `${path}: ${target}`),
    );
    expect(outside.sort()).toEqual(['dist/client.js: eventsource-parser', 'dist/use-generation.js: react']);
  });

  test('uses nothing of Node, and brings neither React nor zod', () => {
    for (const path of FILES.filter((name) => name.endsWith('.js'))) {
      const source = readFileSync(join(installed, path), 'utf8');
      expect(source).not.toMatch(/\b(?:process|Buffer|require|setImmediate|__dirname)\b\s*[.([]/);
    }
    const packages = readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'));
    expect(packages.sort()).toEqual(['@unbroken', 'eventsource-parser']);
  });
});

describe('a project that has installed it', () => {
  let compiled: Promise<unknown> | undefined;
  const compile = () => {
    compiled ??= runThere([join(PROJECT_ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.']);
    return compiled;
  };

  test('compiles against its types', async () => {
    await compile();
  });

  test('follows a generation through a killed API: every event once and in order', async () => {
    const [api] = stack.apis;
    if (api === undefined) throw new Error('the stack is empty');
    await compile();
    const input = promptOf({ tokens: 300, delayMs: 8 });
    const expected = await stack.sim.text(input);
    const events: GenerationEvent[] = [];
    const following = runThere(['built/follow.js', stack.api.url, stack.api.key, input], (line) => {
      events.push(JSON.parse(line));
    });
    await Promise.race([following, waitFor('the first events', () => events.length > 20)]);
    await api.kill();
    await api.restart();
    expect((await following).join('\n')).toMatch(/reconnects after \d+/);
    expect(faultsOf(events)).toEqual([]);
    expect(textOf(events)).toBe(expected.text);
    expect(events.at(-1)?.type).toBe('generation-end');
  });

  test('follows a generation with a ticket, as a page does', async () => {
    await compile();
    const created = await stack.api.create({ input: promptOf({ tokens: 30 }), cache: 'off' });
    const generationId = created.body.id;
    const body = JSON.stringify({ generationId, reconnects: true });
    const response = await stack.api.send('/v1/tickets', { method: 'POST', body });
    const { ticket } = z.object({ ticket: z.string() }).parse(await response.json());
    const events: GenerationEvent[] = [];
    await runThere(['built/follow-with-ticket.js', stack.api.url, generationId, ticket], (line) => {
      events.push(JSON.parse(line));
    });
    expect(faultsOf(events)).toEqual([]);
    expect(events.at(-1)?.type).toBe('generation-end');
  });

  test('renders the hook on a server, with the React that it has', async () => {
    for (const name of ['react', 'react-dom', 'scheduler']) {
      const [from, to] = [PROJECT_ROOT, project].map((folder) => join(folder, 'node_modules', name));
      if (from !== undefined && to !== undefined) cpSync(from, to, { recursive: true });
    }
    const lines: string[] = [];
    await runThere(['server-side.js'], (line) => lines.push(line));
    expect(lines).toEqual(['<p>connecting</p>']);
  });
});
