/** The Python client as its users get it: built as a wheel and installed into an empty environment elsewhere. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { PROJECT_ROOT } from './child-process.ts';
import { KEPT_IN, makeOnce } from './make-once.ts';
import { createEnvironment } from './python-venv.ts';

const execute = promisify(execFile);
const INSTALL_WITHIN_MS = 240_000;
const SOURCE = join(PROJECT_ROOT, 'clients', 'python');
const SCRIPTS = join(PROJECT_ROOT, 'test', 'clients', 'python');

export interface PythonPackage {
  /** Outside of the repository. */
  readonly folder: string;
  readonly wheel: string;
  /** Its interpreter. */
  readonly python: string;
  /** Runs Python with these arguments to its end. Throws on an exit code other than 0; the error has `stdout`. */
  run(args: readonly string[], environment?: Readonly<Record<string, string>>): Promise<string>;
  /** Starts a script of test/clients/python with a JSON argument. It prints JSON lines. */
  start(script: string, plan: object): PythonRun;
  remove(): void;
}

export interface PythonRun {
  /** The lines so far, parsed. */
  readonly lines: Readonly<Record<string, unknown>>[];
  /** All lines, when it has ended. Rejects if it fails. */
  readonly whole: Promise<Readonly<Record<string, unknown>>[]>;
}

/** @param tools packages from the index that are installed beside the client. */
export async function installPythonPackage(...tools: readonly string[]): Promise<PythonPackage> {
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-python-'));
  const python = join(folder, 'environment', 'bin', 'python');
  const running = new Set<ChildProcess>();
  const remove = () => {
    for (const child of running) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  const execution = { cwd: folder, timeout: INSTALL_WITHIN_MS };
  try {
    await createEnvironment(join(folder, 'environment'));
    const pip = (...args: readonly string[]) =>
      execute(python, ['-m', 'pip', '--quiet', '--disable-pip-version-check', ...args], execution);
    const wheel = await provideWheel(pip);
    // Python compiles what it imports; most of what is installed is not.
    await pip('install', '--no-compile', wheel, ...tools);
    return {
      folder,
      wheel,
      python,
      remove,
      run: async (args, environment = {}) => {
        const options = { ...execution, env: { ...process.env, ...environment } };
        return (await execute(python, [...args], options)).stdout;
      },
      start: (script, plan) => {
        // Isolated: only what is installed can be imported.
        const args = ['-I', join(SCRIPTS, script), JSON.stringify(plan)];
        const child = spawn(python, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
        running.add(child);
        child.once('close', () => running.delete(child));
        return linesOf(script, child);
      },
    };
  } catch (error) {
    remove();
    throw new Error('the Python client could not be installed; it needs python3 3.10+ with venv and pip', {
      cause: error,
    });
  }
}

/** Built once for the same sources. */
async function provideWheel(pip: (...args: readonly string[]) => Promise<unknown>): Promise<string> {
  const hash = createHash('sha256');
  const files = readdirSync(SOURCE, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && basename(entry.parentPath) !== '__pycache__')
    .map((entry) => join(entry.parentPath, entry.name));
  for (const path of files.sort()) hash.update(`${path}\0`).update(readFileSync(path));
  const wheels = join(KEPT_IN, `python-client-${hash.digest('hex').slice(0, 16)}`);
  await makeOnce(wheels, async () => {
    const unfinished = `${wheels}.${process.pid}`;
    try {
      await pip('wheel', '--no-deps', '--wheel-dir', unfinished, SOURCE);
      renameSync(unfinished, wheels);
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
  });
  return join(wheels, readdirSync(wheels)[0] ?? '');
}

function linesOf(script: string, child: ChildProcess): PythonRun {
  const lines: Record<string, unknown>[] = [];
  const complaints: string[] = [];
  const whole = new Promise<Record<string, unknown>[]>((resolve, reject) => {
    for (const [stream, keep] of [
      [child.stdout, (line: string) => lines.push(JSON.parse(line))],
      [child.stderr, (line: string) => complaints.push(line)],
    ] as const) {
      if (stream !== null) createInterface({ input: stream }).on('line', keep);
    }
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(lines);
      else reject(new Error(`${script} ended with ${code}:\n${complaints.join('\n')}`));
    });
  });
  // A test that fails before it awaits the end reports its own failure.
  whole.catch(() => undefined);
  return { lines, whole };
}
