/**
 * Every sample of code in the documentation, as a reader would run it: on real processes, in the order of its page.
 * A block in a language that is not handled here fails, and so does one that cannot run and does not say why.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { promptContentSchema } from '../../contracts/prompts.ts';
import { configSchema } from '../../platform/config/schema.ts';
import { findProgramFolders } from '../../tools/services/programs/find-programs.js';
import { PROJECT_ROOT } from '../harness/child-process.ts';
import { promptOf } from '../harness/prompt.ts';
import { installPythonPackage, type PythonPackage } from '../harness/python-package.ts';
import { type Sample, samplesOf } from '../harness/samples/read-samples.ts';
import { createSampleProject, type SampleProject } from '../harness/samples/sample-project.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { projectFiles, readProjectFile } from '../house/project-files.ts';

const ALL = projectFiles('.md').flatMap((path) => samplesOf(path, readProjectFile(path)));
/** Not code: a diagram, which the site draws, and what a server sends. */
const NOT_CODE = new Set(['mermaid', 'text']);
const EXECUTED = new Set(['sh', 'ts', 'python']);
const MADE_UP_KEY = 'key_4f2a9c0d1e6b7a85';
const PROMPT_FILE = /^# (\w+\.yaml)\n/;

const runnable = ALL.filter(
  ({ language, handling }) => EXECUTED.has(language) && (handling.kind === 'run' || handling.kind === 'with'),
);
let stack: Stack;
let python: PythonPackage;
let project: SampleProject;
let endedId: string;

async function post(path: string, body: object): Promise<unknown> {
  const response = await stack.api.send(path, { method: 'POST', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

async function createTicket(): Promise<string> {
  const request = { generationId: endedId, reconnects: true };
  return z.object({ ticket: z.string() }).parse(await post('/v1/tickets', request)).ticket;
}

beforeAll(async () => {
  [stack, python] = await Promise.all([startStack(), installPythonPackage()]);
  const ended = await stack.api.create({ input: promptOf({ tokens: 100 }), cache: 'off' });
  const running = await stack.api.create({ input: promptOf({ tokens: 20_000, delayMs: 50 }), cache: 'off' });
  const own = z.object({ id: z.string() }).parse(await post('/v1/keys', { user: 'a-service' }));
  endedId = ended.body.id;
  const programs = await findProgramFolders((line) => process.stderr.write(`${line}\n`));
  // Without its config: a command that writes one must find none.
  const { UNBROKEN_CONFIG: _config, ...ofServices } = stack.env;
  const environment = {
    ...ofServices,
    PATH: [process.env['PATH'], ...programs].join(delimiter),
    UNBROKEN_URL: stack.api.url,
    UNBROKEN_API_KEY: stack.api.key,
    SAMPLE_GENERATION: endedId,
  };
  const replacements = new Map([
    ['http://127.0.0.1:8787', stack.api.url],
    ['https://unbroken.example.com', stack.api.url],
    ['<tenant>', 'dev'],
    ['<id>', endedId],
    ['gen_...', running.body.id],
    [MADE_UP_KEY, own.id],
    ['<admin key>', stack.api.key],
  ]);
  project = createSampleProject(environment, replacements);
  const theirs = 'test/bin/litellm/litellm-config.yaml';
  project.addFile('docs/migrate-from-litellm.md', 'litellm-config.yaml', readProjectFile(theirs));
  const article = readProjectFile('examples/pipelines/article.yaml');
  project.addFile('docs/jobs.md', 'article.yaml', article);
  const prompts = 'docs/prompts.md';
  project.addFile(prompts, 'article.txt', 'Anything can be returned within 30 days.');
  for (const { code } of ALL.filter(({ place }) => place.startsWith(prompts))) {
    const name = PROMPT_FILE.exec(code)?.[1];
    if (name === undefined) continue;
    project.addFile(prompts, name, code);
    project.addFile(prompts, 'shorter.yaml', code.replace(/maxOutputTokens: \d+/, 'maxOutputTokens: 300'));
  }
});
afterAll(async () => {
  project?.remove();
  python?.remove();
  await stack?.stop();
});

const placesOf = (samples: readonly Sample[]) => samples.map((sample) => [sample.place, sample] as const);
const ofLanguage = (...languages: readonly string[]) =>
  placesOf(ALL.filter(({ language, handling }) => languages.includes(language) && handling.kind === 'run'));

describe('every sample', () => {
  test('is in a language that is handled here', () => {
    const handled = new Set([...EXECUTED, ...NOT_CODE, 'tsx', 'yaml', 'json']);
    const others = ALL.filter(({ language, handling }) => handling.kind === 'run' && !handled.has(language));
    expect(others.map(({ place, language }) => `${place}: ${language}`)).toEqual([]);
    expect(runnable.length).toBeGreaterThan(25);
  });

  test('that cannot run says what checks it instead', () => {
    const reasons = ALL.flatMap(({ place, handling }) =>
      handling.kind === 'not run' ? [{ place, paths: handling.reason.match(/\btest\/[\w/.-]+/g) }] : [],
    );
    for (const { place, paths } of reasons) {
      expect([place, paths?.every((path) => existsSync(join(PROJECT_ROOT, path)))]).toEqual([place, true]);
    }
  });

  test('that is part of a file is in it as it is', () => {
    const parts = ALL.flatMap(({ place, code, handling }) =>
      handling.kind === 'part of' ? [{ place, code, path: handling.path }] : [],
    );
    const missing = parts.filter(({ code, path }) => !containsLines(readProjectFile(path), code));
    expect(missing.map(({ place, path }) => `${place}: not in ${path}`)).toEqual([]);
  });

  test('of TypeScript has correct types', async () => {
    for (const sample of ALL) {
      const isChecked = sample.handling.kind === 'run' || sample.handling.kind === 'with';
      if (isChecked && ['ts', 'tsx'].includes(sample.language)) project.write(sample);
    }
    await project.checkTypes();
  });

  test.each(ofLanguage('yaml'))('%s is a valid config or prompt', (_place, { code }) => {
    const schema = PROMPT_FILE.test(code) ? promptContentSchema : configSchema;
    expect(schema.safeParse(parse(code)).error?.issues).toBeUndefined();
  });

  test.each(ofLanguage('json'))('%s is JSON', (_place, { code }) => {
    expect(typeof JSON.parse(code)).toBe('object');
  });

  test.each(placesOf(runnable))('%s runs', async (_place, sample) => {
    const printed = await project.run(sample, {
      python: (path) => python.run([path], { UNBROKEN_API_KEY: stack.api.key }),
      ticket: await createTicket(),
    });
    if (sample.language !== 'sh') expect(printed.trim()).not.toBe('');
  });
});

/** Whether these lines follow each other there, at any depth of indentation. */
function containsLines(text: string, lines: string): boolean {
  const flat = (source: string) =>
    source
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
  return `\n${flat(text).join('\n')}\n`.includes(`\n${flat(lines).join('\n')}\n`);
}

describe('the reading of samples can fail', () => {
  test('a mark is read, and one that is not known is refused', () => {
    const block = '```sh\nls\n```\n';
    const handling = (mark: string) => samplesOf('a.md', `Text.\n\n${mark}\n\n${block}`)[0]?.handling;
    expect(handling('')).toEqual({ kind: 'run' });
    expect(handling('<!-- sample: not run: why -->')).toEqual({ kind: 'not run', reason: 'why' });
    expect(handling('<!-- sample: with a, b -->')).toEqual({ kind: 'with', names: ['a', 'b'] });
    expect(() => handling('<!-- sample: skipped -->')).toThrow('skipped');
  });

  test('a block in a list loses its indentation, and its place is its line', () => {
    const [sample] = samplesOf('a.md', '- item\n\n  ```sh\n  ls\n    -l\n  ```\n');
    expect(sample).toMatchObject({ place: 'a.md:3', language: 'sh', code: 'ls\n  -l\n' });
  });

  test('a part of a file must be there line by line', () => {
    expect(containsLines('{\n  a();\n  b();\n}', 'a();\nb();')).toBe(true);
    expect(containsLines('{\n  a();\n  b();\n}', 'a();\nc();')).toBe(false);
    expect(containsLines('aa();\n', 'a();')).toBe(false);
  });
});
