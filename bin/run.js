/**
 * What `npm start`, `npm test` and the other scripts call. It installs the pinned dependencies, fetches the programs of
 * the services beside that, and then runs the script on the pinned Node. Plain JavaScript on Node's own modules, because
 * an old Node runs it before anything is installed.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgramFolders } from '../tools/services/programs/find-programs.js';
import { reasonOf, seconds } from '../tools/services/programs/service-error.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const lockFile = join(root, 'package-lock.json');
const stampFile = join(modules, '.unbroken-lock-sha256');
const pinnedNode = join(modules, 'node', 'bin', 'node');
const PARENT_POLL_MS = 500;

/** The largest of the three keeps what it found: after a change, it checks again what the change concerns. */
const TYPECHECK = [
  'node_modules/typescript/bin/tsc',
  '-p',
  '.',
  '--incremental',
  '--tsBuildInfoFile',
  'node_modules/.cache/typescript/project.tsbuildinfo',
];
const TYPECHECK_PAGE = ['node_modules/typescript/bin/tsc', '-p', 'clients/web'];
const TYPECHECK_DOCS = ['node_modules/typescript/bin/tsc', '-p', 'tools/docs'];
const LINT = ['node_modules/@biomejs/biome/bin/biome', 'ci', '.'];
const JEST = [
  // The suites keep all processors busy, so a collector of several threads takes from them what it saves.
  '--single-threaded-gc',
  '--min-semi-space-size=16',
  '--max-semi-space-size=32',
  'node_modules/jest/bin/jest.js',
];

const TYPECHECKS = [TYPECHECK, TYPECHECK_PAGE, TYPECHECK_DOCS];
const CHECKS = [...TYPECHECKS, LINT];

/** What the pinned Node runs: the checks beside each other, then the program, which gets the caller's arguments. */
const COMMANDS = {
  start: {
    about: 'starts everything, with a first generation',
    program: ['bin/start.ts'],
    help: [
      'Services, API, worker and page run until Ctrl-C. Nothing has to be installed or set before; what may be set:',
      '',
      '  UNBROKEN_PORT=8788       another port of the API',
      '  UNBROKEN_DATA_DIR=DIR    where everything is kept',
      '  OPENAI_API_KEY, ANTHROPIC_API_KEY    real providers in place of the simulated one',
      '  REDIS_URL, TEMPORAL_ADDRESS, QDRANT_URL    your own services',
      '',
      'All settings: unbroken.config.example.yaml',
    ],
  },
  test: {
    about: 'types, lint and tests: all of them, or a file: npm test -- test/house',
    checks: CHECKS,
    program: JEST,
  },
  check: { about: 'types and lint', checks: CHECKS },
  lint: { about: 'lint', program: LINT },
  typecheck: { about: 'types', checks: TYPECHECKS },
  prove: { about: 'the proofs: npm run prove -- --help lists them', program: ['test/prove/main.ts'] },
  bench: { about: 'the benchmarks: npm run bench -- --help lists them', program: ['tools/bench/main.ts'] },
  docs: { about: 'builds the documentation site', program: ['tools/docs/build.ts'] },
};
const HELP = new Set(['--help', '-h', 'help']);
/** Their programs read the rest of the line, and have their own help. */
const TAKE_ARGUMENTS = new Set(['test', 'lint', 'prove', 'bench']);
const NEEDS_SERVICES = new Set(['start', 'test', 'prove', 'bench']);

const say = (line) => process.stderr.write(`${line}\n`);

function fail(message, fix) {
  say(`${message}\n  Fix: ${fix}`);
  process.exit(1);
}

function usage() {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const lines = Object.entries(COMMANDS).map(([name, { about }]) => `  ${name.padEnd(width)}  ${about}`);
  return ['Usage: npm run COMMAND [-- ARGUMENTS], or node bin/run.js COMMAND [ARGUMENTS]', '', ...lines].join(
    '\n',
  );
}

/** Before anything is installed or started. */
function refuseArguments(name, args) {
  const { about, help } = COMMANDS[name];
  const text = [
    `Usage: npm run ${name}`,
    '',
    `${about[0].toUpperCase()}${about.slice(1)}.`,
    ...(help === undefined ? [] : ['', ...help]),
  ].join('\n');
  if (args.some((arg) => HELP.has(arg))) process.stdout.write(`${text}\n`);
  else fail(`npm run ${name} takes no arguments: ${args.join(' ')}`, `Run: npm run ${name} -- --help`);
}

/** Runs a command to its end and resolves with the exit code. Signals go to the child, which ends when it is ready to. */
function run(command, args, env = process.env) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env,
      stdio: 'inherit',
    });
    const forward = (signal) => child.kill(signal);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);
    // npm does not always pass a signal on, and a killed npm never does: then the parent changes.
    const parent = process.ppid;
    const underNpm = process.env.npm_lifecycle_event !== undefined;
    const watch = setInterval(() => {
      if (underNpm && process.ppid !== parent) child.kill('SIGTERM');
    }, PARENT_POLL_MS);
    const end = (code) => {
      clearInterval(watch);
      for (const signal of signals) process.off(signal, forward);
      resolve(code);
    };
    child.once('error', (error) => {
      say(`${command}: ${error.message}`);
      end(127);
    });
    child.once('close', (code, signal) => end(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

async function installDependencies() {
  const wanted = createHash('sha256').update(readFileSync(lockFile)).digest('hex');
  if (isInstalled(wanted)) return;
  say('dependencies: installing the locked versions by npm ci (up to a minute, once)');
  const begunAt = Date.now();
  const npm = process.env.npm_execpath;
  const flags = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  // The install script of onnxruntime-node would download CUDA, which nothing here uses.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  const isScript = npm?.endsWith('.js') ?? false;
  const code = isScript ? await run(process.execPath, [npm, ...flags], env) : await run('npm', flags, env);
  if (code !== 0)
    fail('npm ci failed; its message is above.', 'Check the network, then run the command again.');
  writeFileSync(stampFile, wanted);
  say(`dependencies: installed in ${seconds(begunAt)}`);
}

function isInstalled(wanted) {
  if (!existsSync(modules)) return false;
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return true;
  // A user who ran `npm ci` or `npm install` by hand left npm's own record, which is then newer than the lock file.
  const record = join(modules, '.package-lock.json');
  if (!existsSync(record) || statSync(record).mtimeMs < statSync(lockFile).mtimeMs) return false;
  writeFileSync(stampFile, wanted);
  return true;
}

function findPinnedNode() {
  if (existsSync(pinnedNode)) return pinnedNode;
  fail(
    `The pinned Node is missing: ${pinnedNode} (npm's install scripts may be switched off).`,
    'Run: npm rebuild node --ignore-scripts=false',
  );
}

async function main() {
  const [name = '', ...args] = process.argv.slice(2);
  if (HELP.has(name)) {
    process.stdout.write(`${usage()}\n`);
    return;
  }
  if (!Object.hasOwn(COMMANDS, name)) {
    say(name === '' ? usage() : `Unknown command: ${name}\n\n${usage()}`);
    process.exit(1);
  }
  if (!TAKE_ARGUMENTS.has(name) && args.length > 0) return refuseArguments(name, args);
  const { checks = [], program } = COMMANDS[name];
  // Downloads wait for the network and npm for the disk, so both together take little longer than npm alone.
  const installed = installDependencies();
  const programs = await (NEEDS_SERVICES.has(name) ? findProgramFolders(say) : Promise.resolve([])).catch(
    reasonOf,
  );
  await installed;
  if (typeof programs === 'string') {
    say(programs);
    process.exit(1);
  }
  const node = findPinnedNode();
  const env = {
    ...process.env,
    PATH: [dirname(node), join(modules, '.bin'), process.env.PATH, ...programs].join(delimiter),
    UNBROKEN_PARENT_PID: String(process.pid),
    // Every process of ours compiles the same TypeScript: with the results kept, its start takes half the CPU time.
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(modules, '.cache', 'node-compile'),
  };
  const failed = (await Promise.all(checks.map((check) => run(node, check, env)))).find((code) => code !== 0);
  process.exit(failed ?? (program === undefined ? 0 : await run(node, [...program, ...args], env)));
}

await main();
