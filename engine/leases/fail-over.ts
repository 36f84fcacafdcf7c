/**
 * Has Temporal start the next attempts of runs whose process is gone: it fails their activities or, before
 * those, the first workflow task, as that process would have done on its way out. A process that was only
 * paused is fenced off by the epoch of the next attempt.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ActivityNotFoundError, type Client, isGrpcServiceError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { ErrorCode } from '../../contracts/errors.ts';
import type { LeasedRun } from './run-leases.ts';

const CALL_MS = 5_000;
/** Runs of one process that are looked at in parallel. */
const AT_ONCE = 32;
/** The pauses between looks: a process that hangs may still be given a task, until Temporal closes its connection. */
const LOOK_AGAIN_MS = [200, 400, 800, 1_600, 3_200] as const;
/** While Temporal is unreachable: until its own heartbeat timeout has certainly passed. */
const UNREACHABLE_PAUSE_MS = 1_000;
const GIVE_UP_MS = 60_000;
const NEXT_ATTEMPT_MS = 10;

/** As Temporal's API numbers them. */
const RUNNING = 1;
const TASK_STARTED = 2;
/** Started; and started with a cancellation, or a pause, that its process has not confirmed. */
const ACTIVITY_STARTED: ReadonlySet<number> = new Set([2, 3, 5]);
const CAUSE_WORKER_FAILURE = 14;
const NOT_FOUND = 5;

/** `handed-on`: closed, or started by another process. */
type Look = 'handed-on' | 'waiting' | 'unknown';

interface FailOverPlan {
  readonly temporal: Client;
  /** True if the process has renewed its lease after all: its runs are its own again. */
  readonly isBack: (process: string) => Promise<boolean>;
  /** Called when nothing is left to do for the run. */
  readonly onDone: (run: LeasedRun) => void;
  readonly report: (facts: object, text: string) => void;
}

export class FailOver {
  readonly #plan: FailOverPlan;

  constructor(plan: FailOverPlan) {
    this.#plan = plan;
  }

  /** Never throws. Resolves when every run was handed on, or none of them can be. */
  async take(runs: readonly LeasedRun[]): Promise<void> {
    const byProcess = Map.groupBy(runs, ({ process }) => process);
    await Promise.all([...byProcess].map(([process, its]) => this.#takeAll(process, its)));
    for (const run of runs) this.#plan.onDone(run);
  }

  async #takeAll(process: string, runs: readonly LeasedRun[]): Promise<void> {
    this.#plan.report(
      { process, runs: runs.length },
      'the lease of a worker expired: others continue its runs',
    );
    const startedAtMs = performance.now();
    let left = runs;
    for (let look = 0; ; ) {
      const looks = await this.#lookAtAll(left);
      left = left.filter((_, index) => looks[index] !== 'handed-on');
      const isReachable = !looks.includes('unknown');
      const pauseMs = isReachable ? LOOK_AGAIN_MS[look] : UNREACHABLE_PAUSE_MS;
      if (left.length === 0 || pauseMs === undefined || performance.now() - startedAtMs > GIVE_UP_MS) return;
      if (isReachable) look += 1;
      await sleep(pauseMs);
      if (await this.#plan.isBack(process).catch(() => false)) return;
    }
  }

  async #lookAtAll(runs: readonly LeasedRun[]): Promise<readonly Look[]> {
    const looks: Look[] = [];
    const queue = runs.entries();
    const lookAtNext = async () => {
      for (const [index, run] of queue) looks[index] = await this.#look(run).catch(() => 'unknown');
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, runs.length) }, lookAtNext));
    return looks;
  }

  async #look(run: LeasedRun): Promise<Look> {
    const { connection } = this.#plan.temporal;
    return connection.withDeadline(Date.now() + CALL_MS, async () => {
      try {
        return await this.#failTasksOf(run);
      } catch (error) {
        // The task has ended meanwhile, or the whole run has.
        if (error instanceof ActivityNotFoundError) return 'waiting';
        if (isGrpcServiceError(error) && error.code === NOT_FOUND) return 'waiting';
        throw error;
      }
    });
  }

  async #failTasksOf({ process, workflowId, runId, workflowTask }: LeasedRun): Promise<Look> {
    const { temporal } = this.#plan;
    const { namespace, identity } = temporal.options;
    const described = await temporal.workflowService.describeWorkflowExecution({
      namespace,
      execution: { workflowId, runId },
    });
    if (described.workflowExecutionInfo?.status !== RUNNING) return 'handed-on';
    const started = (described.pendingActivities ?? []).filter(({ state }) =>
      ACTIVITY_STARTED.has(state ?? 0),
    );
    for (const { activityId, lastWorkerIdentity } of started) {
      if (lastWorkerIdentity !== process || activityId == null) return 'handed-on';
      await temporal.activity.fail({ workflowId, runId, activityId }, leaseExpired());
    }
    const { state, attempt } = described.pendingWorkflowTask ?? {};
    // Its token is that of the first attempt.
    const isFirst = state === TASK_STARTED && Number(attempt) === 1;
    if (started.length > 0 || workflowTask === undefined || !isFirst) return 'waiting';
    await temporal.workflowService.respondWorkflowTaskFailed({
      namespace,
      identity,
      taskToken: Buffer.from(workflowTask, 'base64'),
      cause: CAUSE_WORKER_FAILURE,
      failure: { message: leaseExpired().message, source: 'unbroken' },
    });
    return 'waiting';
  }
}

function leaseExpired(): ApplicationFailure {
  return ApplicationFailure.create({
    message: 'The lease of its worker expired; the next attempt resumes from the log.',
    type: 'attempt_interrupted' satisfies ErrorCode,
    nextRetryDelay: NEXT_ATTEMPT_MS,
  });
}
