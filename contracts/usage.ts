/** What was used: sums by time and by user, team, key, model or prompt version; latencies; failures. */
import { z } from 'zod';

export const usageGroups = ['user', 'team', 'key', 'model', 'prompt'] as const;
/** What a group of the answer stands for. */
export type UsageGroup = (typeof usageGroups)[number];

export const usageIntervals = ['day', 'hour'] as const;

/** The name of all users, keys or models that came after a day's limit of names, together. */
export const OTHER_NAMES = '(other)';

const count = z.int();
const spent = {
  generations: count,
  tokens: count.describe('All tokens, in and out, as budgets count them'),
  costMicroUsd: count,
};

export const usageSumsSchema = z.object({
  ...spent,
  completed: count,
  failed: count,
  cancelled: count,
  cacheHits: count,
  inputTokens: count.describe("Without those that the provider's prompt cache read or wrote"),
  cachedInputTokens: count,
  cacheWriteTokens: count,
  outputTokens: count.describe('Without reasoning'),
  reasoningTokens: count,
  savedTokens: count.describe('Of calls that stored answers and shared calls have spared'),
  savedMicroUsd: count,
});
export type UsageSums = z.infer<typeof usageSumsSchema>;

const at = z.int().describe('When the day or hour begins, ms since 1970');
const period = {
  from: z.string().describe('The first day, UTC'),
  until: z.string().describe('The last day'),
  each: z.enum(usageIntervals).describe('What an element of a series stands for'),
};

const usageGroupSchema = usageSumsSchema.extend({
  name: z.string().nullable().describe(`null: none; ${OTHER_NAMES}: names beyond the limit of a day`),
  series: z
    .array(z.object({ at, ...spent }))
    .describe('Oldest first, without days or hours in which nothing was used'),
});
export type UsageGroupSums = z.infer<typeof usageGroupSchema>;

export const usageViewSchema = z.object({
  ...period,
  by: z.enum(usageGroups).nullable(),
  totals: usageSumsSchema,
  series: z.array(usageSumsSchema.extend({ at })).describe('Every day or hour of the period, oldest first'),
  groups: z.array(usageGroupSchema).describe('The one that cost most first'),
  next: z.string().nullable().describe('Pass it as `after` for the next groups'),
});
export type UsageView = z.infer<typeof usageViewSchema>;

const quantiles = z
  .object({ p50: count, p95: count, p99: count })
  .nullable()
  .describe('Each within 2.5 % of the true one; null without an answer');
const latency = {
  answers: count.describe('Whole answers of models; those of the cache are not counted'),
  firstTokenMs: quantiles,
  totalMs: quantiles,
};

export const usageLatenciesSchema = z.object({
  ...period,
  totals: z.object(latency),
  series: z.array(z.object({ at, ...latency })).describe('Every day or hour of the period, oldest first'),
  models: z.array(z.object({ name: z.string(), ...latency })).describe('The one with most answers first'),
});
export type UsageLatencies = z.infer<typeof usageLatenciesSchema>;

export const usageFailuresSchema = z.object({
  ...period,
  data: z
    .array(
      z.object({
        provider: z.string().nullable().describe('null: the generation itself ended with this error'),
        model: z.string().nullable(),
        code: z.string(),
        count,
        series: z.array(z.object({ at, count })),
      }),
    )
    .describe('The most frequent first'),
});
export type UsageFailures = z.infer<typeof usageFailuresSchema>;
