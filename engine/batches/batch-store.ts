/** The port to batches: who pays for each, how far it is, and how its shards have ended. */
import type {
  BatchEndpoint,
  BatchFault,
  BatchMode,
  BatchName,
  BatchPlan,
  BatchStatus,
  LineCounts,
  ShardName,
  ShardResult,
} from '../../contracts/batches.ts';
import type { ErrorCode } from '../../contracts/errors.ts';
import type { MicroUsd, Usage } from '../../contracts/money.ts';
import type { SealedWebhook } from '../../contracts/webhooks.ts';
import type { JobOwner } from '../jobs/job-store.ts';
import type { LineResponse } from './batch-line.ts';
import type { Doubt, Handover, HandoverFacts } from './handover.ts';

/** Whose format a batch has: that of its lines, of its results, and of the batch itself. */
export const batchFormats = ['openai', 'anthropic'] as const;
export type BatchFormat = (typeof batchFormats)[number];

/** What does not change. */
export interface BatchSpec extends BatchName {
  readonly owner: JobOwner;
  readonly format: BatchFormat;
  readonly endpoint: BatchEndpoint;
  /** Where the lines are in the object store. */
  readonly inputKey: string;
  /** The file that has the lines. */
  readonly inputFileId: string;
  /** Whether the file was made for this batch alone, and is deleted with its end. */
  readonly ownsInput?: true;
  /** How many lines it has, if that was known at its creation. */
  readonly lines?: number;
  /** As the request wrote it, such as `24h`. */
  readonly completionWindow: string;
  /** Absent: `live`. */
  readonly mode?: BatchMode;
  readonly deadlineAtMs: number;
  /** How long the files of results are kept. */
  readonly outputKeptMs: number;
  /** Our own headers of the request, which hold for each line. */
  readonly headers: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly webhook?: SealedWebhook;
  readonly requestHash: string;
}

export interface BatchHead {
  readonly spec: BatchSpec;
  readonly status: BatchStatus;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** When it took each status. */
  readonly times: Readonly<Partial<Record<BatchStatus, number>>>;
  /** null: the file is not checked yet, or was refused. */
  readonly plan: BatchPlan | null;
  readonly counts: LineCounts;
  /** When the counts last changed. null: not yet, or older code counted. */
  readonly countedAt: number | null;
  readonly usage: Usage;
  readonly costMicroUsd: MicroUsd;
  /** The model that the first line names. */
  readonly model: string | null;
  /** Why the file was refused. */
  readonly faults: readonly BatchFault[];
  readonly outputFileId: string | null;
  readonly errorFileId: string | null;
  /** null: all of its lines are called. */
  readonly handover: Handover | null;
}

export interface BatchChange {
  readonly to: BatchStatus;
  /** The statuses that may be changed to it; any other stays. */
  readonly from: readonly BatchStatus[];
  readonly facts?: Partial<Pick<BatchHead, 'plan' | 'model' | 'faults' | 'outputFileId' | 'errorFileId'>>;
}

/** Whose batches of one format: of a user, or of a whole tenant. */
export interface BatchOwner {
  readonly tenant: string;
  readonly user: string | null;
  readonly format: BatchFormat;
}

export interface BatchStore {
  /** Creates the batch. If it exists, nothing changes. @returns the hash of the request that created it */
  create(spec: BatchSpec): Promise<string>;
  head(batchId: string): Promise<BatchHead | null>;
  /** @throws not_found if the batch has expired. */
  spec(batchId: string): Promise<BatchSpec>;
  /** @returns the status afterwards. @throws not_found */
  change(batchId: string, change: BatchChange): Promise<BatchStatus>;
  /** The newest first. @param before the last one that is known. */
  list(
    owner: BatchOwner,
    page: { readonly limit: number; readonly before: BatchHead | null },
  ): Promise<readonly BatchHead[]>;
  /** Those that follow this one, the newest first; the oldest of them if there are more than the limit. */
  newerThan(owner: BatchOwner, head: BatchHead, limit: number): Promise<readonly BatchHead[]>;
  /** The batches of a user that have not ended, of every format. */
  open(owner: { readonly tenant: string; readonly user: string }): Promise<readonly BatchHead[]>;
  /** The batches that have not ended and read this file, whosever they are. */
  readersOf(file: { readonly tenant: string; readonly fileId: string }): Promise<readonly BatchHead[]>;
  /** Notes why a line was not sent; the first reason stays. */
  refuse(shard: ShardName, line: number, response: LineResponse): Promise<void>;
  refused(shard: ShardName): Promise<ReadonlyMap<number, LineResponse>>;
  /** Keeps the answer to a line that is no generation; the first answer stays. */
  keepAnswer(shard: ShardName, line: number, answer: KeptAnswer): Promise<void>;
  keptAnswer(shard: ShardName, line: number): Promise<KeptAnswer | null>;
  keptAnswers(shard: ShardName): Promise<ReadonlyMap<number, KeptAnswer>>;
  /** Adds the counts of a shard to those of its batch, once, and forgets its refusals and answers. */
  noteShard(shard: ShardName, result: ShardResult): Promise<void>;
  /** The shards that are noted. */
  notedShards(batchId: string): Promise<ReadonlySet<number>>;
  /** Keeps a fact of its hand-over; the first one stays. @returns the one that stays */
  keepHandover<Fact extends keyof HandoverFacts>(
    batchId: string,
    fact: Fact,
    value: HandoverFacts[Fact],
  ): Promise<HandoverFacts[Fact]>;
  /** Takes doubts back, which have been cleared up. */
  dropDoubts(batchId: string, doubts: readonly Doubt[]): Promise<void>;
  /** How many lines the vendors have done. */
  noteVendorProgress(batchId: string, done: number): Promise<void>;
  handover(batchId: string): Promise<Handover>;
  /** Deletes a batch that has ended. */
  remove(head: BatchHead): Promise<void>;
}

/** The answer to a line that is no generation, with what it cost. */
export interface KeptAnswer {
  readonly response: LineResponse;
  readonly usage: Usage;
  readonly costMicroUsd: MicroUsd;
  /** What is booked once the answer is kept. Absent: by older code, which booked it before. */
  readonly booking?: {
    /** The same whenever the line is called: a booking that is repeated changes nothing. */
    readonly generationId: string;
    readonly user: string;
    readonly provider: string;
    readonly model: string;
    /** null: the call succeeded. */
    readonly failure: ErrorCode | null;
  };
}
