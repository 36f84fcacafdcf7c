/** The limits of files and batches, as `limits.ts` has those of everything else. */
import { DAY_MS, HOUR_MS } from './time.ts';

/** Hard bounds: no setting changes them. */
export const BATCH_LIMITS = {
  /** Lines of a batch, as far as `batches.lines` may be set, and those of a shard, which has one workflow. */
  mostBatchLines: 1_000_000,
  linesPerShard: 100,
  /** Shards of a batch that run at once. */
  shardsAtOnce: 4,
  /** Lines of a batch that run at once, as far as `batches.linesAtOnce` may be set. */
  mostLinesAtOnce: 1_000,
  /** The last of Temporal's five: lines give way to whatever else waits. */
  priority: 5,
  /** Faults that a refused file shows. */
  batchFaults: 100,
  customIdChars: 512,
  /** A line of results: an answer with all its log probabilities. */
  resultLineBytes: 256 * 1024 * 1024,
  leastBatchMs: 1_000,
  longestBatchMs: 6 * DAY_MS,
  /** How long lines that run may still end after their batch was cancelled: they are paid for. */
  cancelledLinesMs: 30_000,
  /** Vendors that have not ended a batch so long after its deadline are waited for no more. */
  vendorLateMs: HOUR_MS,
  leastPollMs: 100,
  /** Lines of a batch that are prepared for a vendor at once. */
  preparedAtOnce: 8,
  batchesListed: 10_000,
  /** Batches of a user that have not ended, as far as they are read; `batches.perUser` may set less. */
  openBatchesRead: 1_000,
  /** A retry of a client finds the batch that its first try created, for this long. */
  sameBatchMs: 10 * 60_000,
  /** A file holds as much of memory while it is uploaded. */
  uploadHeldBytes: 16 * 1024 * 1024,
  /** Where a line begins is kept in 32 bits. */
  mostFileBytes: 4 * 1024 * 1024 * 1024 - 1,
  filenameChars: 512,
  filesPerPage: 10_000,
  filesOnFirstPage: 1_000,
  leastFileMs: HOUR_MS,
  longestFileMs: 30 * DAY_MS,
  /** A file that a schedule reads is kept for this long after each tick: those of a year have time. */
  scheduledFileMs: 400 * DAY_MS,
} as const;

/** What applies unless the config says otherwise. */
export const BATCH_DEFAULTS = {
  /** Lines of one batch, those that run at once, and batches of a user that have not ended. */
  batchLines: 100_000,
  linesAtOnce: 32,
  batchesPerUser: 20,
  /** How often a vendor is asked for its batch, how long it may take to end one early, and a line that is called. */
  vendorPollMs: 60_000,
  vendorCancelMs: 15 * 60_000,
  liveLineMs: 10_000,
  /** How long a batch is kept after its end, and a file. */
  batchKeptMs: 30 * DAY_MS,
  fileKeptMs: 30 * DAY_MS,
  /** The largest file, all files of a tenant, and how long an upload may take. */
  fileBytes: 200 * 1024 * 1024,
  filesPerTenantBytes: 20 * 1024 * 1024 * 1024,
  uploadMs: 10 * 60_000,
} as const;
