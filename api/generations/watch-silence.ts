/**
 * Ends logs that would stay silent for ever: Redis lost their tail with the end, or their run was terminated by hand. While
 * a client follows a silent log, Temporal is asked whether its run has ended.
 */
import type { ApiDependencies } from '../dependencies.ts';
import { endLog } from './end-log.ts';
import { ifRunExists } from './if-run-exists.ts';
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
    const run = await ifRunExists(temporal.workflow, head, (handle) =>
      temporal.connection.withDeadline(Date.now() + ASK_WITHIN_MS, () => handle.describe()),
    );
    // Without a run of its own, the log's run is about to start, or the client sends the request that starts it again.
    if (run === null || run.status.name === 'RUNNING' || isOfEarlierLog(run, head)) return;
    // A run writes the end of its log before it ends, so a log that has none after this has lost it.
    await endLog(
      { log, flightMembers },
      generationId,
      run.status.name === 'COMPLETED'
        ? { code: 'log_tail_lost', message: 'Redis lost the end of this answer.' }
        : { code: 'internal', message: 'The run of this generation was ended by hand.' },
    );
  };

  return (generationId) => {
    if (resting.has(generationId)) return;
    resting.add(generationId);
    setTimeout(() => resting.delete(generationId), ASK_AGAIN_MS).unref();
    look(generationId).catch((error: unknown) => {
      logger.warn({ err: error, generationId }, 'the state of a silent generation is unknown');
    });
  };
}
