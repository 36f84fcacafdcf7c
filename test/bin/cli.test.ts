/** What the CLI does without an API. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { COMMANDS } from '../../bin/commands/command-table.ts';
import { buildProgram } from '../../bin/commands/program.ts';
import { loadConfig } from '../../platform/config/load-config.ts';
import { PROJECT_ROOT } from '../harness/child-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'unbroken-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CLI = join(PROJECT_ROOT, 'bin/unbroken.js');
const MAX_CPU_MS = 300;

/** At its end the process reports the packages that it loaded, and its CPU time, as the last line of stderr. */
const REPORTER = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  const packages = new Set();
  registerHooks({ load(url, context, next) {
    const name = /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1];
    if (name) packages.add(name);
    return next(url, context);
  } });
  process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    console.error(JSON.stringify({ packages: [...packages], cpuMs: (user + system) / 1000 }));
  });
`)}`;

function runHere(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  nodeArgs: string[] = [],
) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...nodeArgs, CLI, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, ...env },
    encoding: 'utf8',
  });
  return { code: status, out: stdout, error: stderr };
}

/** Every command that does something, with its path. */
function leaves(command: Command, path = ''): [path: string, Command][] {
  if (command.commands.length === 0) return [[path, command]];
  return command.commands.flatMap((child) => leaves(child, `${path} ${child.name()}`.trim()));
}

describe('help', () => {
  test('starts without any package but commander, and takes little time', () => {
    const { code, out, error } = runHere(['--help'], {}, ['--import', REPORTER]);
    expect(code).toBe(0);
    for (const { name } of COMMANDS) expect(out).toContain(`\n  ${name} `);
    const { packages, cpuMs } = JSON.parse(error.trim().split('\n').at(-1) ?? '');
    expect(packages).toEqual(['commander']);
    // CPU time, because the time on the clock says more about what else the machine does.
    expect(cpuMs).toBeLessThan(MAX_CPU_MS);
  });

  test('of one command shows its options', () => {
    for (const args of [
      ['chat', '--help'],
      ['help', 'chat'],
    ]) {
      expect(runHere(args)).toMatchObject({ code: 0, out: expect.stringContaining('--max-output-tokens') });
    }
  });

  test('an unknown command is refused with the nearest one', () => {
    expect(runHere(['generat'])).toMatchObject({ code: 1, error: expect.stringContaining('generate') });
  });
});

test.each([
  ['a port that is none', { UNBROKEN_PORT: 'web' }, 'UNBROKEN_PORT: expected a port'],
  [
    'a folder that cannot be made',
    { UNBROKEN_PORT: '0', UNBROKEN_DATA_DIR: join(CLI, 'data') },
    'Fix: Choose another folder: UNBROKEN_DATA_DIR=',
  ],
])('start says what to change, and not where in our code it failed: %s', (_what, env, words) => {
  // The programs of the services are in the cache of this user.
  const { code, error } = runHere(['start'], { HOME: homedir(), ...env });
  expect(code).toBe(1);
  expect(error).toContain(words);
  expect(error).not.toMatch(/^ +at /m);
});

test.each([
  ['generate', 'hi', '--wait', 'soon'],
  ['generate', 'hi', '--max-output-tokens', '1k'],
  ['follow', 'gen_1', '--after', 'all'],
  ['runs', '--limit', 'ten'],
])('what must be a number is refused before anything is sent: %s %s %s %s', (...args) => {
  const { code, error } = runHere(args, { UNBROKEN_URL: 'http://127.0.0.1:9' });
  expect(code).toBe(1);
  expect(error).toContain(`'${args.at(-1)}' is invalid. expected a number`);
});

test('every command has --json, and every option says what it does', async () => {
  const commands = leaves(await buildProgram(() => true));
  expect(commands.length).toBeGreaterThan(30);
  const withoutJson = commands.filter(([, { options }]) => !options.some(({ long }) => long === '--json'));
  // One runs until it is stopped, and the output of the other is for a shell.
  expect(withoutJson.map(([path]) => path)).toEqual(['start', 'completion']);
  const silent = commands.flatMap(([path, { options }]) =>
    options.filter(({ description }) => description === '').map(({ long }) => `${path} ${long}`),
  );
  expect(silent).toEqual([]);
});

describe('completion', () => {
  const complete = (script: string, words: readonly string[]) => {
    const list = words.map((word) => `'${word}'`).join(' ');
    const ask = `source "$1"; COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _unbroken; echo "\${COMPREPLY[*]}"`;
    writeFileSync(join(folder, 'completion.bash'), script);
    return spawnSync('bash', ['-c', ask, 'bash', join(folder, 'completion.bash')], { encoding: 'utf8' });
  };

  test.each([
    [['unbroken', 'ke'], ['keys']],
    [
      ['unbroken', 'keys', ''],
      ['create', 'list', 'rotate', 'revoke'],
    ],
    [['unbroken', 'keys', 'create', '--sc'], ['--scope']],
    [['unbroken', 'generate', '--model', 'a/b', '--max'], ['--max-output-tokens']],
    [['unbroken', 'budgets', 'set', '--am'], ['--amount']],
  ])('bash completes %j', (words, expected) => {
    const { stdout, stderr } = complete(runHere(['completion', 'bash']).out, words);
    expect({ words: stdout.trim().split(' '), stderr }).toEqual({ words: expected, stderr: '' });
  });

  test.each(['zsh', 'fish'])('%s knows every command and option', async (shell) => {
    const { out } = runHere(['completion', shell]);
    for (const [path, { options }] of leaves(await buildProgram((name) => name !== 'completion'))) {
      expect(out).toContain(path);
      for (const { long } of options) expect(out).toContain(shell === 'fish' ? `-l ${long?.slice(2)}` : long);
    }
  });
});

describe('init', () => {
  const KEYS = {
    OPENAI_API_KEY: 'sk-a-secret-value',
    ANTHROPIC_API_KEY: 'sk-another-secret',
    GROQ_API_KEY: 'gsk',
  };
  const candidatesOf = (path: string, env: Readonly<Record<string, string>>) =>
    loadConfig({ ...env, UNBROKEN_CONFIG: path }).routes['default']?.candidates;

  test('writes a config for the keys that are set, and no key', () => {
    const path = join(folder, 'with-keys.yaml');
    const { code, out } = runHere(['init', '--path', path], KEYS);
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringContaining('anthropic: ANTHROPIC_API_KEY is set'),
    });
    const text = readFileSync(path, 'utf8');
    for (const secret of Object.values(KEYS)) expect(text + out).not.toContain(secret);
    expect(text).toContain('# - groq/<model>');
    expect(candidatesOf(path, KEYS)).toMatchObject([
      { provider: 'openai', model: 'gpt-4o-mini' },
      { provider: 'anthropic', model: 'claude-sonnet-4-5' },
    ]);
  });

  test('without a key the file is all comments, and the simulated provider stays the default', () => {
    const path = join(folder, 'without-keys.yaml');
    const { out } = runHere(['init', '--path', path, '--json']);
    expect(JSON.parse(out)).toEqual({ path, keys: [], candidates: [] });
    const environment = { UNBROKEN_SIMULATOR_URL: 'http://127.0.0.1:9' };
    expect(candidatesOf(path, environment)?.[0]).toMatchObject({ provider: 'simulated' });
  });

  test('what it comments out is a config too', () => {
    const path = join(folder, 'commented.yaml');
    runHere(['init', '--path', path], { OPENAI_API_KEY: 'sk' });
    const settings = readFileSync(path, 'utf8').replaceAll(/^# ((?: {2})*(?:[a-z]\w*:|- ).*)$/gm, '$1');
    expect(settings).toMatch(/^budgets:$/m);
    writeFileSync(path, settings);
    const config = loadConfig({ UNBROKEN_CONFIG: path, OPENAI_API_KEY: 'sk' });
    expect(config.budgets.limits).toHaveLength(2);
    expect(config.providers).toHaveProperty('gateway');
  });

  test('replaces a file only with --force', () => {
    const path = join(folder, 'mine.yaml');
    writeFileSync(path, 'mine');
    expect(runHere(['init', '--path', path])).toMatchObject({
      code: 1,
      error: expect.stringContaining('--force'),
    });
    expect(readFileSync(path, 'utf8')).toBe('mine');
    expect(runHere(['init', '--path', path, '--force']).code).toBe(0);
    expect(readFileSync(path, 'utf8')).toContain('# The config of Unbroken.');
  });
});
