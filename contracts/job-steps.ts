/** Arguments and results of a job's workflow and activities: ids, counts and money, never text. */
import type { BatchOrder } from './batches.ts';
import type { ErrorCode } from './errors.ts';
import type { GenerationOrder } from './generation.ts';
import type { MicroUsd } from './money.ts';
import type { GenerationOutcome } from './steps.ts';
import type { WebhookDelivery } from './webhooks.ts';

export interface JobName {
  readonly tenant: string;
  readonly jobId: string;
}

/** A step as the workflow needs it. */
export interface PlannedStep {
  readonly name: string;
  /** All steps that must be over before this one begins. */
  readonly needs: readonly string[];
  readonly kind: 'generate' | 'approve';
  readonly maxParallel: number;
  readonly retries: number;
  readonly onError: 'fail' | 'continue';
  readonly maxCostMicroUsd: MicroUsd | null;
}

/** The argument of the workflow. */
export interface JobOrder extends JobName {
  readonly user: string;
  readonly steps: readonly PlannedStep[];
  readonly maxParallel: number;
  readonly maxCostMicroUsd: MicroUsd | null;
  readonly deadlineAtMs: number;
  /** What an earlier run of the same job has done; absent in its first run. */
  readonly done?: JobProgress;
}

export interface JobProgress {
  readonly steps: readonly StepProgress[];
  readonly isPaused: boolean;
  readonly generations: number;
  readonly decisions: readonly Decision[];
}

export interface StepProgress {
  readonly name: string;
  readonly state: 'pending' | 'running' | 'waiting' | 'over' | 'failed';
  /** The first item that has not begun; those before it have ended. */
  readonly next: number;
  readonly items: number;
  readonly failed: number;
  readonly spentMicroUsd: MicroUsd;
  readonly deadlineAtMs: number;
  /** Of a step that waits for a person. */
  readonly timeoutAtMs: number | null;
}

export interface JobStepName {
  readonly job: JobName;
  readonly step: string;
}

/** Why a step or job failed. The texts are in the job's log. */
export interface JobFailure {
  readonly code: ErrorCode;
}

export type BegunStep =
  | { readonly next: 'skip' }
  /** It needs nothing more: an earlier job did it. */
  | { readonly next: 'done' }
  | { readonly next: 'generate'; readonly items: number; readonly deadlineAtMs: number }
  | {
      readonly next: 'wait';
      readonly timeoutAtMs: number | null;
      /** What tells people that it waits; absent in runs of older code. */
      readonly deliveries?: readonly WebhookDelivery[];
    }
  | { readonly next: 'fail'; readonly failure: JobFailure };

export interface JobItem extends JobStepName {
  /** 0 without `foreach`. */
  readonly item: number;
  /** From 1. */
  readonly attempt: number;
}

export interface PrepareItem extends JobItem {
  /** What the job and the step may still spend; null: no limit. */
  readonly leftMicroUsd: MicroUsd | null;
  readonly deadlineAtMs: number;
}

export type PreparedItem =
  | {
      readonly next: 'run';
      readonly order: GenerationOrder;
      /** The most that one answer can cost; 0 where no price is known. */
      readonly mostMicroUsd: MicroUsd;
    }
  /** Its generation has ended before. */
  | { readonly next: 'ended'; readonly generationId: string }
  /** More than what is left. */
  | { readonly next: 'over-budget' }
  | { readonly next: 'fail'; readonly failure: JobFailure };

export interface RecordItem extends JobItem {
  /** null: it could not begin. */
  readonly generationId: string | null;
  readonly failure?: JobFailure;
}

export interface RecordedItem {
  readonly status: GenerationOutcome['status'];
  readonly costMicroUsd: MicroUsd;
  readonly failure: JobFailure | null;
  /** Whether another generation may succeed. */
  readonly mayRetry: boolean;
}

export interface EndStep extends JobStepName {
  readonly status: 'completed' | 'failed' | 'cancelled';
  readonly failure: JobFailure | null;
}

export interface EndJob {
  readonly job: JobName;
  readonly as: 'completed' | 'failed' | 'cancelled';
  readonly failure: (JobFailure & { readonly step: string | null }) | null;
}

export interface JobOutcome {
  readonly status: EndJob['as'];
  readonly costMicroUsd: MicroUsd;
  readonly errorCode: ErrorCode | null;
}

export interface EndedJob extends JobOutcome {
  /** What tells others of its end; absent in runs of older code. */
  readonly deliveries?: readonly WebhookDelivery[];
}

/** The argument of the workflow of one tick of a schedule. */
export interface TickOrder {
  readonly tenant: string;
  readonly scheduleId: string;
}

export interface TickStep {
  readonly job: JobName;
  /** The id of the workflow: the schedule and the time of the tick. */
  readonly tick: string;
}

/** Its place among all that wait for a provider. */
export interface TickPriority {
  readonly priorityKey?: number;
  readonly fairnessKey: string;
}

/** What a tick runs. */
export type OpenedTick =
  | { readonly kind: 'generation'; readonly order: GenerationOrder | null; readonly priority: TickPriority }
  | { readonly kind: 'job'; readonly order: JobOrder; readonly priority: TickPriority }
  | { readonly kind: 'batch'; readonly order: BatchOrder; readonly priority: TickPriority }
  | { readonly kind: 'refused'; readonly failure: JobFailure };

/** What a person has decided, or the end of the time for it. */
export interface Decision {
  readonly step: string;
  readonly approved: boolean;
}

/** How the approval of a step ended. */
export interface DecidedStep {
  /** Whether the job fails. */
  readonly isFatal: boolean;
}
