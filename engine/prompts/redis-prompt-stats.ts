/** The statistics of prompts in Redis: one hash of counts for each version, and one marker for each generation. */
import { z } from 'zod';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { FeedbackView, VersionStats } from '../../contracts/prompts.ts';
import { type CostSample, compareCosts } from './compare-costs.ts';
import type { FeedbackTarget, PromptOutcome, PromptStats } from './prompt-stats.ts';
import { bucketOf, quantileOf } from './quantile-sketch.ts';
import { type PromptRedis, run } from './redis-scripts.ts';
import { GIVE_FEEDBACK, RECORD } from './stats-scripts.ts';

const NEWEST_FEEDBACK = 1_000;
/** The prompt of a generation that named none: its feedback lies under the tenant alone. */
const NO_PROMPT = '';

const whole = z.coerce.number().int().default(0);
const countsSchema = z.object({
  requests: whole,
  completed: whole,
  failed: whole,
  cancelled: whole,
  cacheHits: whole,
  cut: whole,
  continued: whole,
  inputTokens: whole,
  outputTokens: whole,
  costMicroUsd: whole,
  feedback: whole,
  positive: whole,
  negative: whole,
  scores: z.coerce.number().default(0),
  costMean: z.coerce.number().default(0),
  costSquares: z.coerce.number().default(0),
});

const feedbackSchema = z.object({
  score: z.coerce.number(),
  comment: z.string(),
  at: z.coerce.number(),
  version: z.coerce.number().optional(),
});

export function createRedisPromptStats(redis: PromptRedis): PromptStats {
  const countsKey = (tenant: string, name: string, version: number) =>
    REDIS_KEYS.prompt(tenant, name, `counts:${version}`);
  const markerKey = (tenant: string, name: string, generationId: string) =>
    REDIS_KEYS.prompt(tenant, name, `generation:${generationId}`);
  const newestKey = (tenant: string, name: string) => REDIS_KEYS.prompt(tenant, name, 'feedback');

  const readFeedback = async ({ tenant, generationId, prompt }: FeedbackTarget) => {
    const name = prompt?.name ?? NO_PROMPT;
    const stored = feedbackSchema.safeParse(await redis.hGetAll(markerKey(tenant, name, generationId)));
    return stored.success ? toFeedback(generationId, prompt?.name ?? null, stored.data) : null;
  };

  return {
    readFeedback,

    async record(outcome) {
      const { tenant, generationId, prompt, continues, costMicroUsd } = outcome;
      const { usage, once } = countedOf(outcome);
      const keys = [
        countsKey(tenant, prompt.name, prompt.version),
        markerKey(tenant, prompt.name, generationId),
        markerKey(tenant, prompt.name, continues ?? generationId),
      ];
      await run(redis, RECORD, keys, [
        LIMITS.statsMarkerMs,
        costMicroUsd,
        prompt.version,
        usage.length,
        ...[...usage, ...once].flat(),
      ]);
    },

    async giveFeedback({ tenant, generationId, prompt }, { score, comment = '' }) {
      const name = prompt?.name ?? NO_PROMPT;
      const keys = [
        countsKey(tenant, name, prompt?.version ?? 0),
        markerKey(tenant, name, generationId),
        newestKey(tenant, name),
      ];
      const [at] = await run(redis, GIVE_FEEDBACK, keys, [
        LIMITS.feedbackKeptMs,
        prompt?.version ?? '',
        score,
        comment,
        generationId,
        NEWEST_FEEDBACK,
      ]);
      const stored = { score, comment, at: Number(at), version: prompt?.version };
      return toFeedback(generationId, prompt?.name ?? null, stored);
    },

    async listFeedback(tenant, name, limit) {
      const ids = await redis.zRange(newestKey(tenant, name), 0, limit - 1, { REV: true });
      const found = await Promise.all(
        ids.map((generationId) => readFeedback({ tenant, generationId, prompt: { name, version: 0 } })),
      );
      return found.filter((feedback) => feedback !== null);
    },

    async read(tenant, name, versions, baseline) {
      const oldest = Math.max(1, versions - LIMITS.statsVersions + 1);
      const newest = Array.from({ length: versions - oldest + 1 }, (_, index) => oldest + index);
      const numbers = baseline !== null && baseline < oldest ? [baseline, ...newest] : newest;
      const all = await Promise.all(
        numbers.map(async (version) => ({
          version,
          stored: await redis.hGetAll(countsKey(tenant, name, version)),
        })),
      );
      const read = all.map(({ version, stored }) => ({
        version,
        stored,
        ...countsSchema.parse({ ...stored }),
      }));
      const sampleOf = (one: (typeof read)[number]): CostSample => ({
        version: one.version,
        requests: one.requests,
        meanMicroUsd: one.costMean,
        squares: one.costSquares,
      });
      const against = read.find((one) => one.requests > 0 && one.version === (baseline ?? one.version));
      return {
        name,
        baseline: against?.version ?? null,
        versions: read.map((one): VersionStats => {
          const { version, completed, failed, cancelled, cacheHits, cut, continued } = one;
          const { requests, inputTokens, outputTokens, costMicroUsd, feedback, positive, negative } = one;
          const isCompared = against !== undefined && version !== against.version && requests > 0;
          return {
            version,
            requests,
            completed,
            failed,
            cancelled,
            cacheHits,
            cutByLength: cut,
            continued,
            inputTokens,
            outputTokens,
            costMicroUsd,
            costPerRequestMicroUsd: requests === 0 ? null : costMicroUsd / requests,
            firstTokenMs: quantilesOf(one.stored, 'first'),
            totalMs: quantilesOf(one.stored, 'total'),
            outputTokensPerAnswer: quantilesOf(one.stored, 'length'),
            feedback: {
              count: feedback,
              positive,
              negative,
              mean: feedback === 0 ? null : one.scores / feedback,
            },
            saving: isCompared ? compareCosts(sampleOf(one), sampleOf(against)) : null,
          };
        }),
      };
    },

    async answerLength(tenant, { name, version }) {
      const counts = sketchIn(await redis.hGetAll(countsKey(tenant, name, version)), 'length');
      const p99 = quantileOf(counts, 0.99);
      const answers = [...counts.values()].reduce((sum, count) => sum + count, 0);
      return p99 === null ? null : { p99: Math.ceil(p99), answers };
    },
  };
}

/** What a generation adds: usage, which a continuation adds too, and what counts once for each request. */
function countedOf(outcome: PromptOutcome) {
  const { usage, status } = outcome;
  const counts: Record<string, number> = {
    [status]: 1,
    cacheHits: Number(outcome.isCached),
    cut: Number(outcome.isCutByLength),
  };
  const { firstTokenMs, totalMs, answerTokens } = outcome;
  for (const [sketch, value] of Object.entries({
    first: firstTokenMs,
    total: totalMs,
    length: answerTokens,
  })) {
    if (value !== null) counts[`${sketch}:${bucketOf(value)}`] = 1;
  }
  return {
    usage: Object.entries({
      inputTokens: usage.inputTokens + usage.cachedInputTokens + usage.cacheWriteTokens,
      outputTokens: usage.outputTokens + usage.reasoningTokens,
    }),
    once: Object.entries(counts).filter(([, amount]) => amount > 0),
  };
}

function sketchIn(stored: Readonly<Record<string, string>>, sketch: string): Map<number, number> {
  const ofSketch = Object.entries(stored).filter(([field]) => field.startsWith(`${sketch}:`));
  return new Map(ofSketch.map(([field, count]) => [Number(field.slice(sketch.length + 1)), Number(count)]));
}

function quantilesOf(stored: Readonly<Record<string, string>>, sketch: string): VersionStats['totalMs'] {
  const counts = sketchIn(stored, sketch);
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => quantileOf(counts, share));
  if (p50 == null || p95 == null || p99 == null) return null;
  return { p50: Math.round(p50), p95: Math.round(p95), p99: Math.round(p99) };
}

function toFeedback(
  generationId: string,
  name: string | null,
  { score, comment, at, version }: z.infer<typeof feedbackSchema>,
): FeedbackView {
  const prompt = name === null || version === undefined ? null : { name, version };
  return { generationId, prompt, score, comment: comment === '' ? null : comment, at };
}
