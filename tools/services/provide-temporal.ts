/** Temporal with its UI: TEMPORAL_ADDRESS, else `temporal` on PATH, else the cached copy, else a download, else a build. */
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { SEARCH_ATTRIBUTES } from '../../contracts/names.ts';
import { cacheDirectory, findOnPath, isExecutable, runCommand } from './executables.ts';
import { clearLeftover } from './pid-file.ts';
import { assertPortFree, findFreePort, LOOPBACK } from './ports.ts';
import { type RunningProcess, runProcess, untilHealthy } from './run-process.ts';
import { type Environment, type Report, reasonOf, ServiceError, seconds } from './service-error.ts';
import { checkNamespace } from './temporal-namespace.ts';

export const TEMPORAL_PORT = 7233;
export const TEMPORAL_UI_PORT = 8233;
const VERSION = '1.5.1';
const GO_MODULE = `github.com/temporalio/cli/cmd/temporal@v${VERSION}`;
const HEALTHY_MS = 60_000;
const DOWNLOAD_ANSWER_MS = 4_000;
const DOWNLOAD_MS = 5 * 60_000;
const BUILD_MS = 20 * 60_000;
const BUILD_REPORT_MS = 20_000;
const NAMESPACE = 'default';

/**
 * A task handed from one queue to the next waits about 50 ms by default, because a shard may poll only 20 times a
 * second; with these two the time to the first token falls from 93 ms to 12 ms.
 */
export const DYNAMIC_CONFIG: Readonly<Record<string, string>> = {
  'system.enableActivityEagerExecution': 'true',
  'history.transferProcessorMaxPollRPS': '2000',
  // A worker that hangs or is cut off must not be given tasks: its connection is closed after these.
  'frontend.keepAliveTime': '"1s"',
  'frontend.keepAliveTimeout': '"2s"',
  // From the fourth attempt on, Temporal delays a lost workflow task by a doubling backoff of up to 10 minutes by default:
  // a run whose worker was cut off a few times would stay open that long after everything has recovered.
  'history.workflowTaskRetryMaxInterval': '"5s"',
  // Those who wait for a slot, or for room at a provider, are served by priority and in turns by user.
  'matching.useNewMatcher': 'true',
  'matching.enableFairness': 'true',
  // Each partition of a queue keeps an order of its own; one of four would let a few wait for long.
  'matching.numTaskqueueReadPartitions': '1',
  'matching.numTaskqueueWritePartitions': '1',
};

export interface StartTemporal {
  readonly executable: string;
  readonly dataDir: string;
  readonly port: number;
  readonly uiPort: number;
  readonly report: Report;
}

export interface RunningTemporal {
  readonly address: string;
  readonly uiUrl: string;
  readonly process: RunningProcess;
}

/** Starts the development server on the SQLite file of `dataDir`, with its UI and our search attributes. */
export async function startTemporal(order: StartTemporal): Promise<RunningTemporal> {
  const { executable, dataDir, port, uiPort, report } = order;
  await mkdir(dataDir, { recursive: true });
  await clearLeftover(dataDir, 'temporal', report);
  const fix = 'End the process that uses it, or set TEMPORAL_ADDRESS to use that Temporal.';
  await assertPortFree('Temporal', port, fix);
  await assertPortFree('The UI of Temporal', uiPort, fix);
  const args = ['server', 'start-dev', '--ip', LOOPBACK, '--port', String(port), '--ui-port', String(uiPort)];
  args.push('--metrics-port', String(await findFreePort()), '--http-port', String(await findFreePort()));
  args.push('--db-filename', join(dataDir, 'temporal.db'), '--log-level', 'error');
  args.push('--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL');
  for (const [name, type] of Object.entries(SEARCH_ATTRIBUTES))
    args.push('--search-attribute', `${name}=${type}`);
  for (const [key, value] of Object.entries(DYNAMIC_CONFIG))
    args.push('--dynamic-config-value', `${key}=${value}`);
  // Its heap is small and its garbage plenty: collected less often, a run costs a tenth less CPU.
  const env = { GOGC: '400' };
  const running = await runProcess({ name: 'temporal', command: executable, args, dataDir, env, report });
  const address = `${LOOPBACK}:${port}`;
  const limits = {
    deadlineMs: HEALTHY_MS,
    fix: `Read the log. If \`temporal\` on PATH is old, take version ${VERSION} or later.`,
  };
  await untilHealthy('Temporal', running, limits, () => checkNamespace(address, NAMESPACE));
  return { address, uiUrl: `http://${LOOPBACK}:${uiPort}`, process: running };
}

/** Throws ServiceError when the Temporal of TEMPORAL_ADDRESS does not answer, or lacks the namespace. */
export async function checkTemporal(address: string, namespace: string): Promise<void> {
  try {
    await checkNamespace(address, namespace);
  } catch (error) {
    throw new ServiceError(
      `TEMPORAL_ADDRESS is ${address}, but its namespace "${namespace}" cannot be used: ${reasonOf(error)}.`,
      'Start that Temporal, correct TEMPORAL_ADDRESS, or unset it so that one is started for you.',
      { cause: error },
    );
  }
}

/** The path of the Temporal CLI; downloads or builds the pinned version once for the whole machine. */
export async function findTemporalExecutable(
  report: Report,
  env: Environment = process.env,
): Promise<string> {
  const onPath = findOnPath('temporal', env);
  if (onPath !== undefined) return onPath;
  const folder = join(cacheDirectory(env), `temporal-${VERSION}`);
  const cached = join(folder, 'temporal');
  if (isExecutable(cached)) return cached;
  await mkdir(folder, { recursive: true });
  const workshop = await mkdtemp(join(folder, 'make-'));
  try {
    const made = (await download(workshop, report)) ?? (await build(workshop, report, env));
    // Renamed only when whole, so that a cached copy can always be trusted.
    await rename(made, cached);
    return cached;
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
}

async function download(workshop: string, report: Report): Promise<string | undefined> {
  const platform = { linux: 'linux', darwin: 'darwin' }[process.platform as string];
  const arch = { x64: 'amd64', arm64: 'arm64' }[process.arch as string];
  if (platform === undefined || arch === undefined) return undefined;
  report(`temporal: not found; downloading the Temporal CLI ${VERSION} (once)`);
  const begunAt = Date.now();
  const archive = join(workshop, 'temporal.tar.gz');
  try {
    await downloadTo(
      archive,
      `https://github.com/temporalio/cli/releases/download/v${VERSION}/temporal_cli_${VERSION}_${platform}_${arch}.tar.gz`,
    );
  } catch (error) {
    report(`temporal: the download is not possible here (${reasonOf(error)})`);
    return undefined;
  }
  const settings = { cwd: workshop, timeoutMs: DOWNLOAD_MS };
  const untar = await runCommand('tar', ['-xzf', archive, 'temporal'], settings);
  const path = join(workshop, 'temporal');
  if (untar.code !== 0 || !isExecutable(path)) return undefined;
  report(`temporal: downloaded in ${seconds(begunAt)}`);
  return path;
}

/** Gives up soon when nothing answers, so that a network without the site costs seconds only. */
async function downloadTo(path: string, url: string): Promise<void> {
  const abort = new AbortController();
  const answerTimer = setTimeout(() => abort.abort(new Error('no answer')), DOWNLOAD_ANSWER_MS);
  const wholeTimer = setTimeout(() => abort.abort(new Error('too slow')), DOWNLOAD_MS);
  try {
    const response = await fetch(url, { signal: abort.signal });
    clearTimeout(answerTimer);
    if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
    await pipeline(Readable.fromWeb(response.body as ReadableStream), createWriteStream(path));
  } finally {
    clearTimeout(answerTimer);
    clearTimeout(wholeTimer);
  }
}

async function build(workshop: string, report: Report, env: Environment): Promise<string> {
  const usualGo = '/usr/local/go/bin/go';
  const go = findOnPath('go', env) ?? (isExecutable(usualGo) ? usualGo : undefined);
  const fix =
    'Install the Temporal CLI (https://docs.temporal.io/cli), or install Go so that it can be built, ' +
    'or set TEMPORAL_ADDRESS to a Temporal that you have.';
  if (go === undefined)
    throw new ServiceError('Temporal is not installed, and there is no Go to build it.', fix);
  report(`temporal: building it by: go install ${GO_MODULE} (about 3 minutes, once)`);
  const begunAt = Date.now();
  const progress = setInterval(
    () => report(`temporal: still building (${seconds(begunAt)})`),
    BUILD_REPORT_MS,
  );
  try {
    const settings = { env: { GOBIN: workshop, GOFLAGS: '' }, timeoutMs: BUILD_MS };
    const result = await runCommand(go, ['install', GO_MODULE], settings);
    const path = join(workshop, 'temporal');
    if (result.code !== 0 || !isExecutable(path)) {
      throw new ServiceError(`Temporal could not be built:\n${result.output}`, fix);
    }
    report(`temporal: built in ${seconds(begunAt)}`);
    return path;
  } finally {
    clearInterval(progress);
  }
}
