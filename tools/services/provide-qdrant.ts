/** Qdrant as a child process; or the check of the one that QDRANT_URL names. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { clearLeftover } from './pid-file.ts';
import { assertPortFree, findFreePort, LOOPBACK } from './ports.ts';
import { type Report, reasonOf, ServiceError } from './programs/service-error.js';
import { type RunningProcess, runProcess, untilHealthy } from './run-process.ts';

export const QDRANT_PORT = 6333;
const HEALTHY_MS = 30_000;
const CHECK_MS = 5_000;

interface StartQdrant {
  readonly executable: string;
  readonly dataDir: string;
  readonly port: number;
  readonly report: Report;
  /** Absent: it stands alone. */
  readonly cluster?: QdrantMember;
}

/** A node of a cluster on this machine. */
interface QdrantMember {
  /** Where the other nodes reach it. */
  readonly peerPort: number;
  readonly grpcPort: number;
  /** The peer port of a node that is there; absent: it begins the cluster. */
  readonly joins?: number;
}

interface RunningQdrant {
  readonly url: string;
  readonly process: RunningProcess;
}

/** Starts Qdrant on the data of `dataDir`, without telemetry. */
export async function startQdrant({
  executable,
  dataDir,
  port,
  report,
  cluster,
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
    QDRANT__SERVICE__GRPC_PORT: String(cluster?.grpcPort ?? (await findFreePort())),
    QDRANT__STORAGE__STORAGE_PATH: join(folder, 'storage'),
    QDRANT__STORAGE__SNAPSHOTS_PATH: join(folder, 'snapshots'),
    ...(cluster === undefined
      ? {}
      : { QDRANT__CLUSTER__ENABLED: 'true', QDRANT__CLUSTER__P2P__PORT: String(cluster.peerPort) }),
  };
  const args = ['--disable-telemetry', ...memberArgs(cluster)];
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

function memberArgs(cluster: QdrantMember | undefined): string[] {
  if (cluster === undefined) return [];
  const { peerPort, joins } = cluster;
  const own = ['--uri', `http://${LOOPBACK}:${peerPort}`];
  return joins === undefined ? own : [...own, '--bootstrap', `http://${LOOPBACK}:${joins}`];
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
