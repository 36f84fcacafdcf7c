/** Ends logs that no run will end. */
import type { Client } from '@temporalio/client';
import { isOfEarlierLog } from './ask-temporal.ts';
import { endLog, type OpenLogs } from './end-log.ts';
import { ifRunExists } from './if-run-exists.ts';

const TEMPORAL_TIMEOUT_MS = 5_000;

export interface OpenRuns extends OpenLogs {
  readonly temporal: Client;
}

/**
 * Ends an open log if its run has ended: a run writes the end of its log before it ends, so this log has lost its end.
 * @returns whether Temporal has such a run.
 */
export async function endIfRunEnded(open: OpenRuns, generationId: string): Promise<boolean> {
  const { log, temporal } = open;
  const head = await log.head(generationId);
  if (head === null) return false;
  const deadline = Date.now() + TEMPORAL_TIMEOUT_MS;
  const run = await ifRunExists(temporal.workflow, head, (handle) =>
    temporal.connection.withDeadline(deadline, () => handle.describe()),
  );
  if (run === null) return false;
  if (run.status.name === 'RUNNING' || isOfEarlierLog(run, head)) return true;
  await endLog(
    open,
    generationId,
    run.status.name === 'COMPLETED'
      ? { code: 'log_tail_lost', message: 'Redis lost the end of this answer.' }
      : { code: 'internal', message: 'The run of this generation was terminated.' },
  );
  return true;
}

/**
 * Ends a generation that a batch or a job submitted and will not start any more: the worker died in between, and then
 * the batch or job was stopped. One that has a run is left to it.
 */
export async function endStranded(open: OpenRuns, generationId: string): Promise<void> {
  if (!(await endIfRunEnded(open, generationId))) await endLog(open, generationId, 'cancelled');
}
