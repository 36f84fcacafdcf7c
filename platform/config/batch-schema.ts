/** Limits on files and batches, in unbroken.config.yaml. */
import { z } from 'zod';
import { BATCH_DEFAULTS, BATCH_LIMITS } from '../../contracts/batch-limits.ts';

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

export const batchesSchema = z.strictObject({
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
