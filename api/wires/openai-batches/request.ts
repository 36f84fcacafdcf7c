/** A request for a batch in OpenAI's format. Source: the types of the official client, BatchCreateParams. */
import parseDuration from 'parse-duration';
import { z } from 'zod';
import { BATCH_LIMITS } from '../../../contracts/batch-limits.ts';
import { openAiBatchEndpoints } from '../../../contracts/batches.ts';
import { metadataSchema } from '../../../contracts/generation.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { DAY_MS } from '../../../contracts/time.ts';
import { batchWebhookSchema } from '../../../contracts/webhooks.ts';

const WINDOW = /^\d{1,4}[smhd]$/;

export const batchCreateSchema = z.looseObject({
  input_file_id: z.string().max(LIMITS.idChars),
  endpoint: z.enum(openAiBatchEndpoints, `expected one of ${openAiBatchEndpoints.join(', ')}`),
  completion_window: z
    .string()
    .regex(WINDOW, 'expected a time such as 24h')
    .refine(isInRange, `expected 1s to ${BATCH_LIMITS.longestBatchMs / DAY_MS}d`)
    .describe('24h, as at OpenAI, or another time'),
  metadata: metadataSchema.nullish(),
  output_expires_after: z
    .object({
      anchor: z.literal('created_at'),
      seconds: z
        .int()
        .min(BATCH_LIMITS.leastFileMs / 1_000)
        .max(BATCH_LIMITS.longestFileMs / 1_000),
    })
    .nullish(),
  webhook: batchWebhookSchema.nullish().describe('Ours: notified when the batch has ended'),
});
export type BatchCreate = z.infer<typeof batchCreateSchema>;

export function windowMs(completionWindow: string): number {
  return parseDuration(completionWindow) ?? 0;
}

function isInRange(completionWindow: string): boolean {
  const ms = WINDOW.test(completionWindow) ? windowMs(completionWindow) : 0;
  return ms >= BATCH_LIMITS.leastBatchMs && ms <= BATCH_LIMITS.longestBatchMs;
}
