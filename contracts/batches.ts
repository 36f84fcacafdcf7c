/**
 * Batches: many requests in one file. What the workflows of a batch receive and return, which is ids, counts and money
 * and never text, and what a batch and its files are named after.
 */
import type { BudgetWarning } from './budgets.ts';
import type { GenerationOrder } from './generation.ts';
import type { MicroUsd, Usage } from './money.ts';
import type { WebhookDelivery } from './webhooks.ts';

/** Where a line of OpenAI's format may be sent. */
export const openAiBatchEndpoints = ['/v1/chat/completions', '/v1/responses', '/v1/embeddings'] as const;
/** The last one is that of every line of a message batch, Anthropic's format. */
export type BatchEndpoint = (typeof openAiBatchEndpoints)[number] | '/v1/messages';

const openStatuses = ['validating', 'in_progress', 'finalizing', 'cancelling'] as const;
const finalStatuses = ['completed', 'failed', 'expired', 'cancelled'] as const;
/** As OpenAI names them. */
export const batchStatuses = [...openStatuses, ...finalStatuses] as const;
export type BatchStatus = (typeof batchStatuses)[number];
type FinalStatus = (typeof finalStatuses)[number];

/** Of a batch that has not ended. */
export const OPEN_STATUSES: readonly BatchStatus[] = openStatuses;

export function isFinal(status: BatchStatus): status is FinalStatus {
  return !OPEN_STATUSES.includes(status);
}

/** How the lines are sent: in calls, or in their vendors' own batches, which cost half and may take a day. */
export const batchModes = ['live', 'vendor'] as const;
export type BatchMode = (typeof batchModes)[number];

export interface BatchName {
  readonly tenant: string;
  readonly batchId: string;
}

/** The argument of the workflow of a batch. */
export interface BatchOrder extends BatchName {
  readonly user: string;
  readonly deadlineAtMs: number;
  /** Lines that run at once. */
  readonly linesAtOnce: number;
  /** Absent: `live`. */
  readonly mode?: BatchMode;
  /** What an earlier run of the same batch has done; absent in its first run. */
  readonly done?: BatchProgress;
}

export interface BatchProgress extends BatchPlan, Partial<ShardStart> {
  /** The first shard that has not begun; those before it have ended. After the last shard, the open ones follow. */
  readonly nextShard: number;
  /** Shards with lines that no vendor has answered: they run again when the answers of all shards are taken. */
  readonly open?: readonly number[];
}

/** Of a batch whose lines were never planned: its file was refused, or it was cancelled before. */
export const NO_PROGRESS: BatchProgress = { lines: 0, shardLines: 1, nextShard: 0 };

/** What a batch that was handed over to vendors tells its shards. */
interface ShardStart {
  /** Lines were prepared for vendors' batches, which have ended: their answers are taken first. */
  readonly isHandedOver: true;
  /** Why no line is called. */
  readonly stop: BatchStop;
}

/** A shard is a range of lines that have one workflow and one object of results. */
export interface BatchPlan {
  readonly lines: number;
  readonly shardLines: number;
}

/** Why no further line begins. */
export type BatchStop = 'cancelled' | 'expired';

export function shardsOf({ lines, shardLines }: BatchPlan): number {
  return Math.ceil(lines / shardLines);
}

/** null: the file is refused, and the batch has failed. */
export type CheckedBatch = BatchPlan | null;

export interface ShardName extends BatchName {
  readonly shard: number;
}

/** The argument of the workflow of a shard. */
export interface ShardOrder extends ShardName, BatchPlan, Partial<ShardStart> {
  readonly deadlineAtMs: number;
  /** Lines of this shard that run at once. */
  readonly linesAtOnce: number;
  /** Lines that no vendor has answered are left for another run of this shard. */
  readonly onlyAnswers?: true;
}

/** What the workflow of a shard returns. */
export interface EndedShard {
  /** Whether all of its lines have ended; otherwise it runs again. */
  readonly isRecorded: boolean;
}

export interface OpenedShard {
  /** Where each line begins in the file, and where the last one ends: bytes. */
  readonly offsets: readonly number[];
  /** Whether its results are recorded: nothing is left to do. */
  readonly isRecorded: boolean;
}

export interface LineStep extends ShardName {
  /** Of the whole batch, from 0. */
  readonly line: number;
  /** Where it lies in the file: bytes, the second exclusive. */
  readonly from: number;
  readonly until: number;
  readonly deadlineAtMs: number;
}

export type PreparedLine =
  /** The generations of its choices, which have not ended. */
  | { readonly next: 'generate'; readonly orders: readonly GenerationOrder[] }
  /** It calls for embeddings, which are no generation. */
  | { readonly next: 'embed' }
  /** It was refused, or its generations have ended. */
  | { readonly next: 'over' };

export interface HandOver extends BatchName, BatchPlan {
  readonly deadlineAtMs: number;
  readonly linesAtOnce: number;
}

export interface HandedOver {
  /** Whether lines were prepared: each of them must be ended. */
  readonly isPrepared: boolean;
  /** Whether a vendor has, or may have, a batch of them. */
  readonly isSubmitted: boolean;
  /** When what has no answer is called, ms since 1970. */
  readonly liveAtMs: number;
}

export interface VendorStep extends BatchName, BatchPlan {
  /** What vendors have not answered by then is lost, ms since 1970. */
  readonly giveUpAtMs: number;
}

export interface VendorWait extends VendorStep {
  /** Whether the vendors are to end their batches now. */
  readonly cancels: boolean;
}

export interface TakeAnswers extends ShardName, BatchPlan {
  readonly stop: BatchStop | null;
  /** Whether prepared lines that are neither answered nor called are ended, too. */
  readonly closes: boolean;
  /** Lines that an earlier step has ended. */
  readonly except: readonly number[];
}

export interface TakenAnswers {
  /** The lines that have ended, from 0, of the whole batch. */
  readonly lines: readonly number[];
  readonly warnings: readonly BudgetWarning[];
  readonly deliveries: readonly WebhookDelivery[];
}

export interface RecordShard extends ShardName, BatchPlan {
  readonly deadlineAtMs: number;
  readonly stop: BatchStop | null;
}

/** How the lines of a shard, or of a batch, have ended. */
export interface LineCounts {
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly expired: number;
}

export const NO_LINES: LineCounts = { completed: 0, failed: 0, cancelled: 0, expired: 0 };

export interface ShardResult extends LineCounts {
  readonly usage: Usage;
  readonly costMicroUsd: MicroUsd;
}

export interface EndBatch extends BatchName, Omit<BatchProgress, 'stop' | 'open'> {
  readonly deadlineAtMs: number;
  readonly stop: BatchStop | null;
}

/** What the workflow of a batch returns. */
export interface BatchOutcome {
  readonly status: FinalStatus;
  readonly costMicroUsd: MicroUsd;
}

export interface EndedBatch extends BatchOutcome {
  readonly deliveries: readonly WebhookDelivery[];
}

/** What a batch in OpenAI's format has beside the vendor's fields. */
export interface BatchExtras {
  readonly cost_micro_usd: MicroUsd;
  /** The vendor's `request_counts` call whatever is not completed failed. */
  readonly request_outcomes: LineCounts;
  /** Requests that were answered, or failed; null: none yet. */
  readonly requests_per_second: number | null;
  /** Seconds since 1970. null: no request has ended yet, or no further one is waited for. */
  readonly estimated_completion_at: number | null;
  /** null: its lines do not wait. */
  readonly handover: HandoverView | null;
}

/** What a batch shows of its wait at vendors. */
export interface HandoverView {
  /** `preparing`, `waiting` at vendors, `live`: all lines are called, `ended`: vendors have no more of it. */
  readonly status: 'preparing' | 'waiting' | 'live' | 'ended';
  /** Why all lines are called. */
  readonly reason: string | null;
  /** When what has no answer is called: seconds since 1970. */
  readonly live_at: number | null;
  /** Lines that vendors have, and those that they have answered. */
  readonly lines: number;
  readonly answered: number;
  readonly batches: readonly VendorBatchView[];
}

export interface VendorBatchView {
  readonly provider: string;
  /** The vendor's; null while it is not known. */
  readonly id: string | null;
  readonly lines: number;
  readonly status: 'submitting' | 'running' | 'ended' | 'refused' | 'lost';
  /** Why it was refused or lost. */
  readonly error: string | null;
}

/** Why a file is refused as a whole. `line` counts from 1; null: the file itself. */
export interface BatchFault {
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
  readonly line: number | null;
}
