/** Temporal's development server with its UI as a child process; or the check of the one in TEMPORAL_ADDRESS. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SEARCH_ATTRIBUTES } from '../../contracts/names.ts';
import type { TemporalServer } from '../../platform/config/temporal-environment.ts';
import { clearLeftover } from './pid-file.ts';
import { assertPortFree, findFreePort, LOOPBACK } from './ports.ts';
import { type Report, reasonOf, ServiceError } from './programs/service-error.js';
import { TEMPORAL_VERSION } from './programs/temporal-cli.js';
import { EndedWhileStartingError, type RunningProcess, runProcess, untilHealthy } from './run-process.ts';
import { checkNamespace } from './temporal-namespace.ts';

export const TEMPORAL_PORT = 7233;
export const TEMPORAL_UI_PORT = 8233;
const HEALTHY_MS = 60_000;
const STARTS = 3;
const NAMESPACE = 'default';

/**
 * A task handed from one queue to the next waits about 50 ms by default, because a shard may poll only 20 times a
 * second; with these two the time to the first token falls from 93 ms to 12 ms.
 */
export const DYNAMIC_CONFIG: Readonly<Record<string, string>> = {
  'system.enableActivityEagerExecution': 'true',
  'history.transferProcessorMaxPollRPS': '2000',
  // The server closes the connection of a worker that hangs or is cut off after these, so it hands that worker no task.
  'frontend.keepAliveTime': '"1s"',
  'frontend.keepAliveTimeout': '"2s"',
  // A timer fires up to this much late, by default a second: each retry and each resumption would wait for it. It
  // protects a cluster whose hosts disagree about the time; this is one host.
  'history.timerProcessorMaxTimeShift': '"10ms"',
  // From the fourth attempt on, Temporal delays a lost workflow task by a doubling backoff of up to 10 minutes by
  // default: a run whose worker was cut off a few times would stay open that long after everything has recovered.
  'history.workflowTaskRetryMaxInterval': '"5s"',
  // A history is deleted only once its shard has noted that the end of the run is processed, by default every 30
  // seconds. An erasure waits for it: measured, 18 to 35 seconds from the end of a run, and 4 with this.
  'history.transferProcessorUpdateAckInterval': '"2s"',
  // Tasks that wait for a slot, or for room at a provider, go by priority and round-robin over the users.
  'matching.useNewMatcher': 'true',
  'matching.enableFairness': 'true',
  // Each partition of a queue has its own order, so with the usual four partitions some tasks would wait long.
  'matching.numTaskqueueReadPartitions': '1',
  'matching.numTaskqueueWritePartitions': '1',
};

interface StartTemporal {
  readonly executable: string;
  readonly dataDir: string;
  readonly port: number;
  readonly uiPort: number;
  readonly report: Report;
}

interface RunningTemporal {
  readonly address: string;
  readonly uiUrl: string;
  readonly process: RunningProcess;
}

/**
 * Starts the development server on the SQLite file of `dataDir`, with its UI and our search attributes. For its
 * own parts it looks for free ports, and ends when another process was faster to take one; so it is started again.
 */
export async function startTemporal(order: StartTemporal): Promise<RunningTemporal> {
  for (let start = 1; ; start += 1) {
    try {
      return await startOnce(order);
    } catch (error) {
      if (!(error instanceof EndedWhileStartingError) || start === STARTS) throw error;
      order.report('temporal: it ended while it started; starting it again');
    }
  }
}

async function startOnce(order: StartTemporal): Promise<RunningTemporal> {
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
  // The heap is small and the garbage plenty: with a rarer collection, a run costs a tenth less CPU.
  const env = { GOGC: '400' };
  const running = await runProcess({ name: 'temporal', command: executable, args, dataDir, env, report });
  const address = `${LOOPBACK}:${port}`;
  const local = { address, tls: false, apiKey: undefined } as const;
  const limits = {
    deadlineMs: HEALTHY_MS,
    fix: `Read the log. If \`temporal\` on PATH is old, take version ${TEMPORAL_VERSION} or later.`,
  };
  await untilHealthy('Temporal', running, limits, () => checkNamespace(local, NAMESPACE));
  return { address, uiUrl: `http://${LOOPBACK}:${uiPort}`, process: running };
}

/** Throws ServiceError when the Temporal of TEMPORAL_ADDRESS does not answer, or lacks the namespace. */
export async function checkTemporal(server: TemporalServer, namespace: string): Promise<void> {
  const { address } = server;
  try {
    await checkNamespace(server, namespace);
  } catch (error) {
    if (error instanceof ServiceError) throw error;
    throw new ServiceError(
      `TEMPORAL_ADDRESS is ${address}, but its namespace "${namespace}" cannot be used: ${reasonOf(error)}.`,
      'Start that Temporal, correct TEMPORAL_ADDRESS, or unset it so that one is started for you.',
      { cause: error },
    );
  }
}
