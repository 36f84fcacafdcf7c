/**
 * A request for a batch in OpenAI's format, and what a schedule takes in its place. Source: the types of the official
 * client, BatchCreateParams.
 */
import { z } from 'zod';
import { BATCH_LIMITS } from './batch-limits.ts';
import { openAiBatchEndpoints } from './batches.ts';
import { metadataSchema } from './generation.ts';
import { LIMITS } from './limits.ts';
import { DAY_MS, HOUR_MS } from './time.ts';
import { batchWebhookSchema } from './webhooks.ts';

const WINDOW = /^(\d{1,4})([smhd])$/;
const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: HOUR_MS, d: DAY_MS };

const header = z.string().max(LIMITS.headerBytes).optional();
const lineHeadersSchema = z.strictObject({
  'x-unbroken-cache': header,
  'x-unbroken-task': header,
  'x-unbroken-prompt-caching': header,
  'x-unbroken-output-check': header,
  'anthropic-beta': header,
});

/** Headers of the request for a batch that hold for each of its lines, as for a request that is sent alone. */
export const lineHeaderNames = lineHeadersSchema.keyof().options;

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

/** What each tick of a schedule creates. Its completion window begins with the tick. */
export const scheduledBatchSchema = z.strictObject(batchCreateSchema.shape).extend({
  headers: lineHeadersSchema
    .optional()
    .describe('The headers of POST /v1/batches that hold for each line, such as x-unbroken-cache: off.'),
});
export type ScheduledBatch = z.infer<typeof scheduledBatchSchema>;

/** 0 for what is no time. */
export function windowMs(completionWindow: string): number {
  const [, count = '0', unit = ''] = WINDOW.exec(completionWindow) ?? [];
  return Number(count) * (UNITS_MS[unit] ?? 0);
}

function isInRange(completionWindow: string): boolean {
  const ms = windowMs(completionWindow);
  return ms >= BATCH_LIMITS.leastBatchMs && ms <= BATCH_LIMITS.longestBatchMs;
}
