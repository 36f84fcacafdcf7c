/**
 * Takes new generations from the API processes and starts their runs by this worker's own connection, so that Temporal
 * answers with the first workflow task (eager start) instead of putting it into the queue. The generation begins
 * meanwhile: its budget is reserved, and a provider whose responses can be taken up again is called, while Temporal writes the run down. Nothing is shown to a
 * reader before that is done; the run, which comes a little later, finds it begun.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, isGrpcServiceError, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Logger } from 'pino';
import type { BeginEarly } from '../activities/begin-generation.ts';
import { WORKFLOW_TYPE } from '../contracts/names.ts';
import type { HandoffTaker, TakenRun } from '../engine/handoff/handoff.ts';
import { runOptions } from '../platform/temporal/run-options.ts';

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

/** Given to this worker, or put into the queue; or the run of this id has ended, which may be that of an earlier log. */
type Started = 'given' | 'queued' | 'ended';

export interface RunsTaken {
  /** Resolves when nothing more is taken, and what was taken is started or given up. */
  stop(): Promise<void>;
}

export function takeRuns({ taker, temporal, taskQueue, beginEarly, logger }: Taking): RunsTaken {
  const starts = new Set<Promise<void>>();
  const leave = new AbortController();
  /** Whether the last run was given to this worker: then the next one is begun without waiting for the answer. */
  let isGiven = false;
  let restUntilMs = 0;

  const start = async (run: TakenRun, requestEagerStart: boolean): Promise<Started> => {
    const options = { ...runOptions(run, taskQueue), requestEagerStart };
    try {
      const { eagerlyStarted } = await temporal.connection.withDeadline(Date.now() + START_MS, () =>
        temporal.workflow.start(WORKFLOW_TYPE, options),
      );
      return eagerlyStarted ? 'given' : 'queued';
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return 'ended';
      throw error;
    }
  };

  /** What has been reserved and called for is brought to its end, though its caller was told to ask again. */
  const seeThrough = async (run: TakenRun) => {
    const untilMs = Date.now() + SEE_THROUGH_MS;
    for (;;) {
      await sleep(REST_MS, undefined, { signal: leave.signal }).catch(() => 'one last time');
      const failure = await start(run, false).then(
        () => null,
        (error: unknown) => ({ error }),
      );
      if (failure === null) return;
      if (leave.signal.aborted || Date.now() > untilMs || isRefusal(failure.error)) throw failure.error;
      restUntilMs = Date.now() + REST_MS;
    }
  };

  const begin = async (run: TakenRun) => {
    const { promise: isOurs, resolve } = Promise.withResolvers<boolean>();
    const isAhead = isGiven;
    const starting = start(run, true);
    beginEarly({ ...run, isOurs, isAhead });
    const [started, failure] = await starting.then(
      (how) => [how, null] as const,
      (error: unknown) => ['failed', { error }] as const,
    );
    isGiven = started === 'given';
    resolve(isGiven);
    // Where the answer is lost, the API starts the run too, to no effect. It also looks whose run has ended.
    run.answer(started === 'given' || started === 'queued').catch(() => undefined);
    if (failure === null) return;
    restUntilMs = Date.now() + REST_MS;
    logger.warn({ err: failure.error, generationId: run.order.generationId }, 'a run was left to the API');
    if (isAhead) await seeThrough(run);
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
          // Its reservation is found by the reconciliation of the budgets.
          const { generationId } = run.order;
          logger.error({ err: error, generationId }, 'a run whose call had left was not started');
        })
        .finally(() => starts.delete(begun));
      starts.add(begun);
      if (starts.size >= MOST_STARTS) await Promise.race(starts);
    }
    await Promise.all(starts);
  };
  const taken = take().catch((error: unknown) => logger.error({ err: error }, 'no more runs are taken'));
  return {
    stop: async () => {
      leave.abort();
      await taken;
    },
  };
}

const INVALID_ARGUMENT = 3;

/** Temporal will say the same however often it is asked. */
function isRefusal(error: unknown): boolean {
  return isGrpcServiceError(error) && error.code === INVALID_ARGUMENT;
}
