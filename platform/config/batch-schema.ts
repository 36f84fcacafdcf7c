/** Limits on files and batches, in unbroken.config.yaml. */
import { z } from 'zod';
import { BATCH_DEFAULTS, BATCH_LIMITS } from '../../contracts/batch-limits.ts';
import { batchModes } from '../../contracts/batches.ts';
import { HOUR_MS } from '../../contracts/time.ts';

export const filesSchema = z.strictObject({
  maxBytes: z
    .int()
    .positive()
    .max(BATCH_LIMITS.mostFileBytes)
    .default(BATCH_DEFAULTS.fileBytes)
    .describe('Largest file that may be uploaded, and largest message batch'),
  bytesPerTenant: z
    .int()
    .positive()
    .nullable()
    .default(BATCH_DEFAULTS.filesPerTenantBytes)
    .describe('All files of a tenant; null: no limit'),
  uploadMs: z
    .int()
    .positive()
    .default(BATCH_DEFAULTS.uploadMs)
    .describe('How long the upload of a file, or of a message batch, may take, in place of http.requestMs'),
  keptMs: z
    .int()
    .min(BATCH_LIMITS.leastFileMs)
    .max(BATCH_LIMITS.longestFileMs)
    .default(BATCH_DEFAULTS.fileKeptMs)
    .describe('How long a file is kept if its upload, or its batch, does not say'),
});

const vendorSchema = z.strictObject({
  pollMs: z
    .int()
    .min(BATCH_LIMITS.leastPollMs)
    .max(HOUR_MS)
    .default(BATCH_DEFAULTS.vendorPollMs)
    .describe('How often a vendor is asked whether its batch has ended'),
  cancelMs: z
    .int()
    .positive()
    .default(BATCH_DEFAULTS.vendorCancelMs)
    .describe('How long a vendor may take to end a batch early'),
  liveLineMs: z
    .int()
    .positive()
    .default(BATCH_DEFAULTS.liveLineMs)
    .describe('How long a call for a line takes; so early before its deadline a batch leaves its vendor'),
});

export const batchesSchema = z.strictObject({
  mode: z
    .enum(batchModes)
    .default('live')
    .describe("How lines are sent if the request does not say: live, or in their vendor's own batches"),
  vendor: vendorSchema.prefault({}),
  lines: z
    .int()
    .positive()
    .max(BATCH_LIMITS.mostBatchLines)
    .default(BATCH_DEFAULTS.batchLines)
    .describe('Most lines of one batch'),
  linesAtOnce: z
    .int()
    .positive()
    .max(BATCH_LIMITS.mostLinesAtOnce)
    .default(BATCH_DEFAULTS.linesAtOnce)
    .describe('Lines of one batch that run at once'),
  perUser: z
    .int()
    .positive()
    .max(BATCH_LIMITS.openBatchesRead)
    .default(BATCH_DEFAULTS.batchesPerUser)
    .describe('Batches of a user that have not ended'),
  keptMs: z
    .int()
    .positive()
    .default(BATCH_DEFAULTS.batchKeptMs)
    .describe('How long a batch can be read after its end'),
});
