/** What the steps of jobs need beside the ports of a generation. */
import type { ScheduledBatch } from '../../contracts/batch-request.ts';
import type { BatchOrder } from '../../contracts/batches.ts';
import type { GenerationOrder, GenerationRequest } from '../../contracts/generation.ts';
import type { JobOrder } from '../../contracts/job-steps.ts';
import type { JobRequest } from '../../contracts/jobs.ts';
import type { MicroUsd } from '../../contracts/money.ts';
import type { SealedWebhook } from '../../contracts/webhooks.ts';
import type { JobOwner, JobStore } from '../../engine/jobs/job-store.ts';
import type { RedisScheduleStore, runIdOf } from '../../engine/jobs/schedule-store.ts';
import type { EventLog } from '../../engine/streaming/event-log.ts';
import type { WebhookDeliveries } from '../../engine/webhooks/webhooks.ts';

interface OrderedGeneration {
  /** null: it has ended. */
  readonly order: GenerationOrder | null;
  readonly mostMicroUsd: MicroUsd;
}

export interface GenerationToOrder {
  readonly owner: JobOwner;
  readonly generationId: string;
  readonly request: GenerationRequest;
  /** In place of one in the request. */
  readonly webhook?: SealedWebhook;
  /** How long its log is kept after its end. */
  readonly keptMs: number;
  /** The most that it may cost; null: no limit. */
  readonly leftMicroUsd: MicroUsd | null;
}

interface JobToOrder {
  readonly jobId: string;
  readonly request: JobRequest;
  /** In place of one in the request. */
  readonly webhook?: SealedWebhook;
}

interface BatchToOrder {
  readonly batchId: string;
  readonly request: ScheduledBatch;
  /** In place of one in the request. */
  readonly webhook?: SealedWebhook;
}

export interface JobDependencies {
  readonly jobs: JobStore;
  readonly log: EventLog;
  readonly webhooks: Pick<WebhookDeliveries, 'prepare'>;
  /**
   * Submits a generation as the API does, except for the start of its run.
   * @returns null if it could cost more than is left. @throws UnbrokenError
   */
  readonly orderGeneration: (generation: GenerationToOrder) => Promise<OrderedGeneration | null>;
  /** Ends a generation that was ordered and never started, or whose run could not end it. */
  readonly endStranded: (generationId: string) => Promise<void>;
  /** Creates a job as the API does, except for the start of its run. @throws UnbrokenError */
  readonly orderJob: (owner: JobOwner, job: JobToOrder) => Promise<JobOrder>;
  /** The same for a batch. */
  readonly orderBatch: (owner: JobOwner, batch: BatchToOrder) => Promise<BatchOrder>;
  readonly schedules: Pick<RedisScheduleStore, 'find' | 'mayPay'>;
  readonly runIdOf: typeof runIdOf;
  /** By which Temporal's queues are fair. */
  readonly fairnessKeyOf: (owner: JobOwner) => string;
  /** How long an ended job is kept, and the log of an ended generation. */
  readonly jobKeptMs: number;
  readonly logKeptMs: number;
}
