/** Puts each mutant into a copy of the project, and runs the check there that must see it. */
import { execFileSync, spawn } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { projectFiles, ROOT } from '../house/project-files.ts';
import { type Check, type Mutant, mutate } from './mutant.ts';

interface MutantReport {
  readonly mutant: Mutant;
  /** The check that saw it, in words, with its message from the second line on; null where it survived. */
  readonly caughtBy: string | null;
  readonly tookMs: number;
}

interface MutantListener {
  /** The checks fail without any mutant: then what they say of mutants is worth nothing. */
  brokenBefore(check: Check, said: string): void;
  ended(report: MutantReport): void;
}

/** A check that takes longer hangs: the mutant is seen by that. */
const CHECK_LIMIT_MS = 240_000;
/** Without a mutant all checks run at once. */
const ALL_CHECKS_LIMIT_MS = 4 * CHECK_LIMIT_MS;
const MESSAGE_CHARS = 1_000;
/** Copies in which checks run at the same time. */
const LANES = 2;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** The checks that run now, each the first process of its group. */
const groups = new Set<number>();

const jestReportSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()) }),
      ),
    }),
  ),
});

export async function runMutants(
  mutants: readonly Mutant[],
  listener: MutantListener,
): Promise<readonly MutantReport[]> {
  const root = mkdtempSync(join(tmpdir(), 'unbroken-mutants-'));
  // Killed in the middle, it leaves neither a copy nor a server behind.
  const end = () => {
    for (const pid of groups) process.kill(-pid, 'SIGKILL');
    rmSync(root, { recursive: true, force: true });
    process.exit(1);
  };
  for (const signal of SIGNALS) process.once(signal, end);
  try {
    const lanes = Array.from({ length: LANES }, (_, index) => copyProject(join(root, String(index))));
    const checks = sharedChecks(mutants);
    const broken = await inLanes(lanes, checks, async (lane, check) => {
      const output = await failureOf(lane, check, ALL_CHECKS_LIMIT_MS);
      if (output !== null) listener.brokenBefore(check, output);
      return output !== null;
    });
    if (broken.includes(true)) return [];
    return await inLanes(lanes, mutants, async (lane, mutant) => {
      const begunAtMs = Date.now();
      const caughtBy = await withMutant(lane, mutant, () => failureOf(lane, mutant.caughtBy));
      const report = { mutant, caughtBy, tookMs: Date.now() - begunAtMs };
      listener.ended(report);
      return report;
    });
  } finally {
    for (const signal of SIGNALS) process.off(signal, end);
    rmSync(root, { recursive: true, force: true });
  }
}

/** What must pass without a mutant: all test files in one run, and the longest simulation. */
function sharedChecks(mutants: readonly Mutant[]): Check[] {
  const tests = new Set<string>();
  let simulation = 0;
  for (const { caughtBy } of mutants) {
    if ('tests' in caughtBy) for (const test of caughtBy.tests) tests.add(test);
    else simulation = Math.max(simulation, caughtBy.simulation);
  }
  const [first, ...others] = tests;
  return [
    ...(simulation === 0 ? [] : [{ simulation }]),
    ...(first === undefined ? [] : [{ tests: [first, ...others] } satisfies Check]),
  ];
}

async function inLanes<Item, Result>(
  lanes: readonly string[],
  items: readonly Item[],
  work: (lane: string, item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const left = [...items.entries()];
  await Promise.all(
    lanes.map(async (lane) => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        results[next[0]] = await work(lane, next[1]);
      }
    }),
  );
  return results;
}

function copyProject(folder: string): string {
  for (const file of projectFiles()) {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    copyFileSync(join(ROOT, file), join(folder, file));
  }
  // Some tests ask git which files there are.
  execFileSync('git', ['init', '--quiet', folder]);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

async function withMutant<Result>(
  folder: string,
  mutant: Mutant,
  run: () => Promise<Result>,
): Promise<Result> {
  const path = join(folder, mutant.file);
  const source = readFileSync(path, 'utf8');
  writeFileSync(path, mutate(mutant, source));
  try {
    return await run();
  } finally {
    writeFileSync(path, source);
  }
}

/** @returns what failed, in words; null where all passed. */
async function failureOf(folder: string, check: Check, limitMs = CHECK_LIMIT_MS): Promise<string | null> {
  if ('simulation' in check) {
    const simulation = ['simulation', '--seed', '1', '--failures', '1', '--runs', String(check.simulation)];
    const { code, output } = await runNode(folder, limitMs, ['test/prove/main.ts', ...simulation]);
    if (code === 0) return null;
    const fault = /^FAULT .*$/m.exec(output)?.[0].slice(0, 160);
    return `simulation: ${fault ?? endOf(code, output)}`;
  }
  const reportFile = join(folder, 'jest-report.json');
  const { code, output } = await runNode(folder, limitMs, [
    'node_modules/jest/bin/jest.js',
    '--maxWorkers=1',
    '--json',
    `--outputFile=${reportFile}`,
    '--runTestsByPath',
    ...check.tests,
  ]);
  return code === 0 ? null : (failedTest(folder, reportFile) ?? `tests: ${endOf(code, output)}`);
}

function failedTest(folder: string, reportFile: string): string | null {
  try {
    const { testResults } = jestReportSchema.parse(JSON.parse(readFileSync(reportFile, 'utf8')));
    for (const { name, assertionResults, message } of testResults) {
      const failed = assertionResults.find(({ status }) => status === 'failed');
      const file = name.slice(folder.length + 1);
      if (failed !== undefined) {
        return `${file}: ${failed.fullName}\n${failed.failureMessages.join('\n').slice(0, MESSAGE_CHARS)}`;
      }
      if (message !== undefined && message !== '' && assertionResults.length === 0) {
        return `${file}: ${message.slice(0, 200)}`;
      }
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  } finally {
    rmSync(reportFile, { force: true });
  }
  return null;
}

function endOf(code: number | null, output: string): string {
  return code === null ? 'it hangs' : output.trim().split('\n').slice(-3).join(' | ').slice(0, 300);
}

/** @returns the exit code, null where it was ended because it took too long. */
function runNode(
  folder: string,
  limitMs: number,
  args: readonly string[],
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    if (child.pid !== undefined) groups.add(child.pid);
    let output = '';
    const take = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      // The whole group: tests start servers.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, limitMs);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      if (child.pid !== undefined) groups.delete(child.pid);
      resolve({ code: isLate ? null : (code ?? 1), output });
    });
  });
}
