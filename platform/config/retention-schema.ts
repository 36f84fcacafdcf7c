/** How long what has ended is kept, in unbroken.config.yaml. */
import { z } from 'zod';
import { DEFAULTS } from '../../contracts/limits.ts';
import { DAY_MS } from '../../contracts/time.ts';

export const retentionSchema = z.strictObject({
  logMs: z.int().positive().default(DAY_MS),
  conversationMs: z
    .int()
    .positive()
    .default(DEFAULTS.conversationMs)
    .describe('How long a stored conversation is kept after its last change'),
  jobMs: z
    .int()
    .positive()
    .default(DEFAULTS.jobKeptMs)
    .describe('How long a job is kept after its end, with the logs of its generations'),
  receiptMs: z
    .int()
    .positive()
    .default(DEFAULTS.receiptKeptMs)
    .describe('How long the receipt of an erasure is kept, which names nobody'),
});
