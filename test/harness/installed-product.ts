/** `unbroken` as its users get it: packed, and installed into an empty project outside of the clone. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { buildDocs } from './build-docs.ts';
import { PROJECT_ROOT } from './child-process.ts';
import { linkShippedModules } from './shipped-modules.ts';
import { TEST_DATA_DIR } from './stack.ts';
import { waitFor } from './wait-for.ts';

const execute = promisify(execFile);
const INSTALL_WITHIN_MS = 280_000;
/** Bytes of a block in `stat`. */
const BLOCK_BYTES = 512;

const packedSchema = z.tuple([
  z.object({
    filename: z.string(),
    size: z.int(),
    files: z.array(z.object({ path: z.string(), size: z.int() })),
  }),
]);

type Environment = Readonly<Record<string, string>>;

export interface InstalledProduct {
  /** The user's project. */
  readonly folder: string;
  /** What the tarball holds, and its size in bytes. */
  readonly packed: z.output<typeof packedSchema>[0];
  /** `npx unbroken ...` to its end. */
  run(
    args: readonly string[],
    environment?: Environment,
  ): Promise<{ code: number; out: string; error: string }>;
  /** `npx unbroken start`; resolves when it is ready. */
  start(environment: Environment): Promise<StartedProduct>;
  /** Paths of all files below a folder of the project. */
  files(folder: string): string[];
  /** Megabytes on the disk of node_modules. */
  installedMb(): number;
  remove(): void;
}

export interface StartedProduct {
  readonly url: string;
  readonly simulatorUrl: string;
  readonly key: string;
  /** All that it printed. */
  output(): string;
  /** Sends a signal to npx alone, and resolves with the exit code when everything is gone. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

export async function installProduct(): Promise<InstalledProduct> {
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-product-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const tarballs = mkdtempSync(join(folder, 'tarballs-'));
    // npm would build it too, beside a suite that does.
    await buildDocs();
    // Workers of other suites keep the workflow bundles there.
    const env = { ...process.env, UNBROKEN_DATA_DIR: TEST_DATA_DIR };
    const inClone = { cwd: PROJECT_ROOT, env, maxBuffer: 16 * 1024 * 1024 };
    const flags = ['--json', '--silent', '--pack-destination', tarballs];
    const { stdout } = await execute('npm', ['pack', ...flags], inClone);
    const [packed] = packedSchema.parse(JSON.parse(stdout.slice(stdout.indexOf('['))));
    await install(folder, join(tarballs, packed.filename));
    return {
      folder,
      packed,
      run: (args, environment = {}) => run(folder, args, environment),
      start: (environment) => start(folder, environment),
      files: (path) => filesBelow(join(folder, path)),
      installedMb: () => Math.round(bytesOnDisk(join(folder, 'node_modules')) / 1024 ** 2),
      remove,
    };
  } catch (error) {
    remove();
    throw error;
  }
}

async function install(folder: string, tarball: string): Promise<void> {
  // Declared instead of named in the command, for which npm would unpack it once more.
  const dependencies = { unbroken: `file:${tarball}` };
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'consumer', private: true, dependencies }),
  );
  await linkShippedModules(folder);
  // Without scripts, as docs/installation.md says.
  const flags = ['--ignore-scripts', '--no-package-lock', '--prefer-offline', '--no-audit', '--no-fund'];
  await execute('npm', ['install', ...flags], { cwd: folder, timeout: INSTALL_WITHIN_MS });
}

function spawnThere(folder: string, args: readonly string[], environment: Environment): ChildProcess {
  return spawn('npx', ['--no-install', 'unbroken', ...args], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      // Its processes start several times, with the same files.
      NODE_COMPILE_CACHE: join(folder, 'compile-cache'),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function run(folder: string, args: readonly string[], environment: Environment) {
  const child = spawnThere(folder, args, environment);
  const printed = { out: '', error: '' };
  child.stdout?.on('data', (chunk) => {
    printed.out += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    printed.error += chunk;
  });
  const code = await new Promise<number>((resolve) => child.once('close', (ended) => resolve(ended ?? -1)));
  return { code, ...printed };
}

async function start(folder: string, environment: Environment): Promise<StartedProduct> {
  const child = spawnThere(folder, ['start'], environment);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  }
  // The pipes close when the last process that holds them is gone.
  const gone = new Promise<number | null>((resolve) => child.once('close', resolve));
  const isReady = () => output.includes('Ctrl-C stops all of it') || child.exitCode !== null;
  try {
    await waitFor('npx unbroken start to be ready', isReady, 280_000);
  } catch (error) {
    child.kill('SIGTERM');
    throw new Error(`npx unbroken start printed:\n${output}`, { cause: error });
  }
  const found = (pattern: RegExp) => {
    const [, text] = pattern.exec(output) ?? [];
    if (text === undefined) throw new Error(`no ${pattern} in what it printed:\n${output}`);
    return text;
  };
  return {
    url: found(/api: ready on (\S+)/),
    simulatorUrl: found(/simulator: ready on (\S+)/),
    key: found(/(ub_dev_\w+)/),
    output: () => output,
    stop: (signal) => {
      child.kill(signal);
      return gone;
    },
  };
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** As `du` counts: the blocks of each file, and each inode once. */
function bytesOnDisk(folder: string): number {
  const counted = new Set<number>();
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const { ino, blocks } = lstatSync(join(entry.parentPath, entry.name));
    if (!counted.has(ino)) bytes += blocks * BLOCK_BYTES;
    counted.add(ino);
  }
  return bytes;
}
