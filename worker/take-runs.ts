/**
 * Takes new generations from the API processes and starts their runs over this worker's own connection, so that
 * Temporal returns the first workflow task at once (eager start) and does not queue it. While Temporal records the run,
 * the generation begins here: its budget is reserved, and a provider whose responses can be reattached to is called.
 * Readers see nothing before Temporal has the run; the run, which comes a little later, finds the generation begun.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  isGrpcServiceError,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowStartOptions,
} from '@temporalio/client';
import type { Logger } from 'pino';
import type { BeginEarly } from '../activities/begin-generation.ts';
import { LIMITS } from '../contracts/limits.ts';
import { WORKFLOW_TYPE } from '../contracts/names.ts';
import type { HandoffTaker, TakenRun } from '../engine/handoff/handoff.ts';
import type { RunLeases } from '../engine/leases/run-leases.ts';
import { runOptions } from '../platform/temporal/run-options.ts';
import type { EagerTasks } from './eager-tasks.ts';

/** Concurrent starts; while there are more, other workers take new generations. */
const MOST_STARTS = 32;
/** How soon a full worker looks whether a stream has ended. */
const FULL_PAUSE_MS = 100;
const START_MS = 2_000;
/** After a failed start, nothing is taken for this long: Temporal is unreachable, and the API processes report it. */
const REST_MS = 1_000;
/** How long a run whose provider call has left is retried while Temporal is unreachable. */
const RETRY_START_MS = 10 * 60_000;

interface Taking {
  readonly taker: HandoffTaker;
  /** Over the connection of the worker. */
  readonly temporal: Client;
  readonly taskQueue: string;
  readonly beginEarly: BeginEarly;
  /** How many more streams may run here; a full worker takes no run. */
  readonly freeStreams: () => number;
  readonly leases: RunLeases;
  /** Of the starts by `temporal`. */
  readonly eagerTasks: EagerTasks;
  readonly logger: Logger;
}

/**
 * `given`: Temporal gave the first task to this worker. `queued`: any worker may get it. `ended`: a run of this id has
 * ended, perhaps one of an earlier log.
 */
type Started = 'given' | 'queued' | 'ended';

export class RunTaker {
  readonly #parts: Taking;
  readonly #starts = new Set<Promise<void>>();
  readonly #leave = new AbortController();
  #taking: Promise<void> = Promise.resolve();
  /** True if the last run was given to this worker: then the next one begins without waiting for Temporal. */
  #wasGiven = false;
  #restUntilMs = 0;

  constructor(parts: Taking) {
    this.#parts = parts;
  }

  start(): void {
    this.#taking = this.#takeAll().catch((error: unknown) =>
      this.#parts.logger.error({ err: error }, 'no more runs are taken'),
    );
  }

  /** Resolves when nothing more is taken, and every run that was taken is started or given up. */
  async stop(): Promise<void> {
    this.#leave.abort();
    await this.#taking;
  }

  async #takeAll(): Promise<void> {
    while (!this.#leave.signal.aborted) {
      const restMs = this.#isFull() ? FULL_PAUSE_MS : this.#restUntilMs - Date.now();
      if (restMs > 0) {
        await sleep(restMs);
        continue;
      }
      const run = await this.#parts.taker.take();
      if (run === null) continue;
      // Streams from Temporal's queue may have filled this worker since it asked.
      if (this.#isFull()) {
        run.answer(false).catch(() => undefined);
        continue;
      }
      const begun: Promise<void> = run
        .within(() => this.#begin(run))
        .catch((error: unknown) => {
          // The reconciliation of the budgets finds its reservation.
          const { generationId } = run.order;
          this.#parts.logger.error({ err: error, generationId }, 'a run whose call had left was not started');
        })
        .finally(() => this.#starts.delete(begun));
      this.#starts.add(begun);
      if (this.#starts.size >= MOST_STARTS) await Promise.race(this.#starts);
    }
    await Promise.all(this.#starts);
  }

  /** A run that is being started will stream, too. */
  #isFull(): boolean {
    return this.#starts.size >= this.#parts.freeStreams();
  }

  async #begin(run: TakenRun): Promise<void> {
    const { promise: runIsOurs, resolve } = Promise.withResolvers<boolean>();
    const isLikelyOurs = this.#wasGiven;
    // If Temporal gives the first task, our lease has it, and it may be held for longer.
    const workflowTaskTimeout = isLikelyOurs ? LIMITS.leasedWorkflowTaskMs : LIMITS.workflowTaskMs;
    const starting = this.#startRun(run, { requestEagerStart: true, workflowTaskTimeout });
    this.#parts.beginEarly({ ...run, runIsOurs, isLikelyOurs });
    const [started, failure] = await starting.then(
      (result) => [result, null] as const,
      (error: unknown) => ['failed', { error }] as const,
    );
    this.#wasGiven = started === 'given';
    resolve(this.#wasGiven);
    // If this reply is lost, the API starts the run again, which is a no-op. It also checks whose run has ended.
    run.answer(started === 'given' || started === 'queued').catch(() => undefined);
    if (failure === null) return;
    this.#rest();
    const { generationId } = run.order;
    this.#parts.logger.warn({ err: failure.error, generationId }, 'a run was left to the API');
    if (isLikelyOurs) await this.#retryStart(run);
  }

  async #startRun(
    run: TakenRun,
    own: Pick<WorkflowStartOptions, 'requestEagerStart' | 'workflowTaskTimeout'>,
  ): Promise<Started> {
    const { temporal, taskQueue, leases, eagerTasks } = this.#parts;
    const options = { ...runOptions(run, taskQueue), ...own };
    try {
      const handle = await temporal.connection.withDeadline(Date.now() + START_MS, () =>
        temporal.workflow.start(WORKFLOW_TYPE, options),
      );
      if (!handle.eagerlyStarted) return 'queued';
      const runId = handle.firstExecutionRunId;
      // The step that begins this run, a moment from now, continues the note.
      leases.hold({ workflowId: handle.workflowId, runId }, { workflowTask: eagerTasks.take(runId) })();
      return 'given';
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return 'ended';
      throw error;
    }
  }

  /** A reservation and a provider call need their run, although the API has already asked its caller to retry. */
  async #retryStart(run: TakenRun): Promise<void> {
    const untilMs = Date.now() + RETRY_START_MS;
    for (;;) {
      await sleep(REST_MS, undefined, { signal: this.#leave.signal }).catch(() => 'one last time');
      const failure = await this.#startRun(run, { requestEagerStart: false }).then(
        () => null,
        (error: unknown) => ({ error }),
      );
      if (failure === null) return;
      if (this.#leave.signal.aborted || Date.now() > untilMs || isRefusal(failure.error)) throw failure.error;
      this.#rest();
    }
  }

  #rest(): void {
    this.#restUntilMs = Date.now() + REST_MS;
  }
}

const INVALID_ARGUMENT = 3;

/** True if Temporal would give the same answer to every retry. */
function isRefusal(error: unknown): boolean {
  return isGrpcServiceError(error) && error.code === INVALID_ARGUMENT;
}
