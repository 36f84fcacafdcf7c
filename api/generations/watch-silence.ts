/**
 * A log on which nothing comes may have lost its end with Redis' tail, or its run was terminated by hand: then its
 * readers would wait for ever. Whoever follows a silent log has Temporal asked whether its run has ended.
 */
import { WorkflowNotFoundError } from '@temporalio/client';
import { workflowId } from '../../contracts/names.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { endLog } from './end-log.ts';
import { isOfEarlierLog } from './start-run.ts';

const ASK_AGAIN_MS = 30_000;
const ASK_WITHIN_MS = 5_000;

/** Asks for each log at most once in a while. Never throws. */
export type WatchSilence = (generationId: string) => void;

export function createSilenceWatch({
  log,
  flightMembers,
  temporal,
  logger,
}: Pick<ApiDependencies, 'log' | 'flightMembers' | 'temporal' | 'logger'>): WatchSilence {
  const resting = new Set<string>();

  const look = async (generationId: string): Promise<void> => {
    const head = await log.head(generationId);
    if (head === null) return;
    const { tenant } = head;
    const run = temporal.workflow.getHandle(workflowId(tenant, generationId));
    const described = await temporal.connection.withDeadline(Date.now() + ASK_WITHIN_MS, () =>
      run.describe(),
    );
    const { status } = described;
    // The run of this log is about to begin, or the request that would begin it is sent again.
    if (status.name === 'RUNNING' || isOfEarlierLog(described, head)) return;
    // A run writes the end of its log before it ends, so a log that has none after this has lost it.
    await endLog(
      { log, flightMembers },
      generationId,
      status.name === 'COMPLETED'
        ? { code: 'log_tail_lost', message: 'Redis lost the end of this answer.' }
        : { code: 'internal', message: 'The run of this generation was ended by hand.' },
    );
  };

  return (generationId) => {
    if (resting.has(generationId)) return;
    resting.add(generationId);
    setTimeout(() => resting.delete(generationId), ASK_AGAIN_MS).unref();
    look(generationId).catch((error: unknown) => {
      // Its run is about to begin, or the request that would begin it is sent again.
      if (error instanceof WorkflowNotFoundError) return;
      logger.warn({ err: error, generationId }, 'whether a silent generation still runs is not known');
    });
  };
}
