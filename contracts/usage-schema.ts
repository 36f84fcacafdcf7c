/** The schema of a usage; apart from money.ts, which must stay free of libraries. */
import { z } from 'zod';
import type { Usage } from './money.ts';

const tokens = z.int().nonnegative();

export const usageSchema: z.ZodType<Usage> = z.object({
  inputTokens: tokens,
  cachedInputTokens: tokens,
  cacheWriteTokens: tokens,
  outputTokens: tokens,
  reasoningTokens: tokens,
  estimated: z.boolean(),
});
