/** When finished logs and old ledger entries leave Redis for the object store. */
import { z } from 'zod';
import { DAY_MS, HOUR_MS } from '../../contracts/time.ts';

export const archiveSchema = z.strictObject({
  afterMs: z
    .int()
    .nonnegative()
    .default(HOUR_MS)
    .describe('How long a log stays in Redis after its end; it then moves to the object store.'),
  keysMs: z
    .int()
    .nonnegative()
    .default(DAY_MS)
    .describe(
      'How long Redis remembers the Idempotency-Key of an archived generation, so that a repeated request joins it.',
    ),
  entriesAfterDays: z
    .int()
    .min(48)
    .max(3_660)
    .default(60)
    .describe(
      'Age at which a day of the ledger moves to the object store. No window and no settlement reaches back so far.',
    ),
});
