/** A project outside of the repository in which samples run: our client, `npm` and `npx` as a user has them. */
import { execFile } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { PROJECT_ROOT } from '../child-process.ts';
import type { Sample } from './read-samples.ts';

const execute = promisify(execFile);
const SHELL_PROGRAMS = join(import.meta.dirname, 'shell-programs.js');
const TYPESCRIPT = join(PROJECT_ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const RUN_WITHIN_MS = 120_000;

/** What stands for the names that a page leaves to its reader. */
const STAND_INS: Readonly<Record<string, string>> = {
  id: "const id = process.env['SAMPLE_GENERATION'] ?? '';",
  ticket: "const ticket = process.env['SAMPLE_TICKET'] ?? '';",
  show: "const show = (event: import('@unbroken/client').GenerationEvent): void => console.log(event.type);",
  client: "declare const client: import('@unbroken/client').UnbrokenClient;",
};

interface RunOptions {
  readonly python: (path: string) => Promise<string>;
  /** Valid for a minute only. */
  readonly ticket: string;
}

export interface SampleProject {
  /** Replaces what a reader replaces, and writes the sample as a file; returns its path. */
  write(sample: Sample): string;
  /** Of all TypeScript samples that were written. */
  checkTypes(): Promise<void>;
  /** Runs a sample to its end and returns what it printed; throws on an exit code other than 0. */
  run(sample: Sample, options: RunOptions): Promise<string>;
  addFile(page: string, name: string, text: string): void;
  remove(): void;
}

/** @param replacements what a reader replaces: ids, keys and addresses. */
export function createSampleProject(
  environment: Readonly<Record<string, string>>,
  replacements: ReadonlyMap<string, string>,
): SampleProject {
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-samples-'));
  const programs = join(folder, 'programs');
  prepare(folder, programs);
  const env = {
    ...process.env,
    ...environment,
    HOME: folder,
    PATH: [programs, environment['PATH']].join(delimiter),
  };
  const replaced = (code: string) =>
    [...replacements].reduce((text, [from, to]) => text.replaceAll(from, to), code);
  /** Samples of one page build on each other, so they share a folder. */
  const folderOf = (page: string) => {
    const path = join(folder, 'pages', page.replaceAll(/[/.]/g, '-'));
    mkdirSync(path, { recursive: true });
    return path;
  };
  const write = (sample: Sample) => {
    const [page = '', line = ''] = sample.place.split(':');
    const path = join(folderOf(page), `sample-${line}.${sample.language}`);
    writeFileSync(path, replaced(withStandIns(sample)));
    return path;
  };
  return {
    write,
    addFile: (page, name, text) => writeFileSync(join(folderOf(page), name), text),
    checkTypes: async () => {
      await execute(process.execPath, [TYPESCRIPT, '-p', folder]).catch(({ stdout }) => {
        throw new Error(`samples with faulty types:\n${stdout}`);
      });
    },
    run: async (sample, { python, ticket }) => {
      const path = write(sample);
      if (sample.language === 'py' || sample.language === 'python') return python(path);
      const [program, ...args] =
        sample.language === 'sh' ? ['bash', '-euo', 'pipefail', path] : [process.execPath, path];
      if (program === undefined) throw new Error('no program');
      const { stdout } = await promised(program, args, {
        cwd: dirname(path),
        env: { ...env, SAMPLE_TICKET: ticket },
      });
      return stdout;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Like execFile, with an empty standard input: a command that asks gets no answer. */
function promised(
  program: string,
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
) {
  const running = execute(program, [...args], { ...options, timeout: RUN_WITHIN_MS });
  running.child.stdin?.end();
  return running;
}

function withStandIns({ code, handling, language }: Sample): string {
  if (language === 'sh' || language === 'python' || handling.kind !== 'with') return code;
  const unknown = handling.names.filter((name) => STAND_INS[name] === undefined);
  if (unknown.length > 0) throw new Error(`nothing stands in for ${unknown.join(', ')}`);
  return [...handling.names.map((name) => STAND_INS[name]), code, 'export {};'].join('\n');
}

function prepare(folder: string, programs: string): void {
  mkdirSync(programs, { recursive: true });
  for (const name of ['npm', 'npx']) {
    const path = join(programs, name);
    writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' '${SHELL_PROGRAMS}' ${name} "$@"\n`);
    chmodSync(path, 0o755);
  }
  const client = join(folder, 'node_modules', '@unbroken', 'client');
  const source = join(PROJECT_ROOT, 'clients', 'typescript');
  mkdirSync(client, { recursive: true });
  for (const [name, file] of [
    ['index', 'index.ts'],
    ['react', 'use-generation.ts'],
  ] as const) {
    // Node runs no TypeScript below node_modules, but a file there may load some from elsewhere.
    const text = `export * from ${JSON.stringify(join(source, file))};\n`;
    for (const ending of ['js', 'd.ts']) writeFileSync(join(client, `${name}.${ending}`), text);
  }
  const entry = (name: string) => ({ types: `./${name}.d.ts`, default: `./${name}.js` });
  const exports = { '.': entry('index'), './react': entry('react') };
  writeFileSync(join(client, 'package.json'), JSON.stringify({ type: 'module', exports }));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  cpSync(join(source, 'react-module.d.ts'), join(folder, 'react-module.d.ts'));
  const modules = join(PROJECT_ROOT, 'node_modules');
  symlinkSync(join(modules, 'preact'), join(folder, 'node_modules', 'preact'));
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: join(PROJECT_ROOT, 'tsconfig.json'),
      compilerOptions: {
        lib: ['es2024', 'dom', 'dom.iterable', 'dom.asynciterable'],
        typeRoots: [join(modules, '@types')],
        jsx: 'react-jsx',
        jsxImportSource: 'preact',
        noUnusedLocals: false,
      },
      include: ['pages/**/*.ts', 'pages/**/*.tsx', 'react-module.d.ts'],
      exclude: [],
    }),
  );
}
