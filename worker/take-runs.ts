/**
 * Takes new generations from the API processes and starts their runs by this worker's own connection, so that Temporal
 * answers with the first workflow task (eager start) instead of putting it into the queue. The generation begins
 * meanwhile: its budget is reserved and its provider is called while Temporal writes the run down. Nothing is shown to a
 * reader before that is done; the run, which comes a little later, finds it begun.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Logger } from 'pino';
import type { BeginEarly } from '../activities/begin-generation.ts';
import { WORKFLOW_TYPE } from '../contracts/names.ts';
import type { HandoffTaker, TakenRun } from '../handoff/handoff.ts';
import { runOptions } from '../handoff/run-options.ts';

/** Starts that are under way at once; while there are more, new ones are left to others. */
const MOST_STARTS = 32;
const START_MS = 2_000;
/** After a start that failed, nothing is taken for so long: Temporal is away, and the API processes say so. */
const REST_MS = 1_000;
/** A run whose call has left is started as soon as Temporal is back, if that is within this. */
const SEE_THROUGH_MS = 10 * 60_000;

interface Taking {
  readonly taker: HandoffTaker;
  /** By the connection of the worker. */
  readonly temporal: Client;
  readonly taskQueue: string;
  readonly beginEarly: BeginEarly;
  readonly logger: Logger;
}

export interface RunsTaken {
  /** Resolves when nothing more is taken and what was taken is started. */
  stop(): Promise<void>;
}

export function takeRuns({ taker, temporal, taskQueue, beginEarly, logger }: Taking): RunsTaken {
  const starts = new Set<Promise<void>>();
  const leave = new AbortController();
  /** Whether the last run was given to this worker: then the next one is begun without waiting for the answer. */
  let isGiven = false;
  let restUntilMs = 0;

  const start = async (run: TakenRun, requestEagerStart: boolean): Promise<boolean> => {
    const options = { ...runOptions(run, taskQueue), requestEagerStart };
    try {
      const { eagerlyStarted } = await temporal.connection.withDeadline(Date.now() + START_MS, () =>
        temporal.workflow.start(WORKFLOW_TYPE, options),
      );
      return eagerlyStarted;
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
      throw error;
    }
  };

  /** What has been reserved and called for is brought to its end, though its caller was told to ask again. */
  const seeThrough = async (run: TakenRun) => {
    const untilMs = Date.now() + SEE_THROUGH_MS;
    while (Date.now() < untilMs) {
      await sleep(REST_MS, undefined, { signal: leave.signal });
      const failure = await start(run, false).then(
        () => null,
        (error: unknown) => error,
      );
      if (failure === null) return;
      restUntilMs = Date.now() + REST_MS;
    }
  };

  const begin = async (run: TakenRun) => {
    const { promise: isOurs, resolve } = Promise.withResolvers<boolean>();
    const isAhead = isGiven;
    const starting = start(run, true);
    beginEarly({ ...run, isOurs, isAhead });
    try {
      isGiven = await starting;
      resolve(isGiven);
      await run.answer(true);
    } catch (error) {
      isGiven = false;
      restUntilMs = Date.now() + REST_MS;
      resolve(false);
      logger.warn({ err: error, generationId: run.order.generationId }, 'a run was left to the API');
      await run.answer(false);
      if (isAhead) await seeThrough(run);
    }
  };

  const take = async () => {
    while (!leave.signal.aborted) {
      const restMs = restUntilMs - Date.now();
      if (restMs > 0) {
        await sleep(restMs);
        continue;
      }
      const run = await taker.take();
      if (run === null) continue;
      const begun: Promise<void> = run
        .within(() => begin(run))
        .catch((error: unknown) => {
          if (!leave.signal.aborted) logger.warn({ err: error }, 'a run that was taken');
        })
        .finally(() => starts.delete(begun));
      starts.add(begun);
      if (starts.size >= MOST_STARTS) await Promise.race(starts);
    }
    await Promise.all(starts);
  };
  const taken = take();
  return {
    stop: async () => {
      leave.abort();
      await taken;
    },
  };
}
