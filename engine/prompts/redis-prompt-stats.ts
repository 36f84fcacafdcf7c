/** Prompt statistics in Redis: one hash of counts for each version, and one marker for each generation. */
import { z } from 'zod';
import { LIMITS } from '../../contracts/limits.ts';
import { inputTokensOf, outputTokensOf } from '../../contracts/money.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type {
  Feedback,
  FeedbackView,
  PromptStatsView,
  PromptUse,
  VersionStats,
} from '../../contracts/prompts.ts';
import { bucketOf, percentilesOf, quantileOf } from '../../platform/quantile-sketch.ts';
import { askScript, askScriptForTexts } from '../../platform/redis/lua-script.ts';
import { type CostSample, compareCosts } from './compare-costs.ts';
import type { PromptRedis } from './prompt-redis.ts';
import type { FeedbackTarget, PromptOutcome, PromptStats } from './prompt-stats.ts';
import { GIVE_FEEDBACK, RECORD, REMOVE_FEEDBACK } from './stats-scripts.ts';

/** Stands for the prompt of a generation that named none: its feedback is stored under the tenant alone. */
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

type PromptVersion = Pick<PromptUse, 'name' | 'version'>;
type StoredCounts = Readonly<Record<string, string>>;
type VersionCounts = z.infer<typeof countsSchema> & {
  readonly version: number;
  readonly stored: StoredCounts;
};

export class RedisPromptStats implements PromptStats {
  readonly #redis: PromptRedis;

  constructor(redis: PromptRedis) {
    this.#redis = redis;
  }

  async record(outcome: PromptOutcome): Promise<void> {
    const { tenant, generationId, prompt, continues, costMicroUsd } = outcome;
    const keys = [
      countsKey(tenant, prompt.name, prompt.version),
      markerKey(tenant, prompt.name, generationId),
      markerKey(tenant, prompt.name, continues ?? generationId),
    ];
    const ask = {
      markerMs: LIMITS.statsMarkerMs,
      costMicroUsd,
      version: prompt.version,
      usage: usageCounts(outcome),
      once: requestCounts(outcome),
    };
    await askScript(this.#redis, RECORD, { keys, ask });
  }

  async giveFeedback(
    { tenant, generationId, prompt, user }: FeedbackTarget & { readonly user: string },
    { score, comment = '' }: Feedback,
  ): Promise<FeedbackView> {
    const name = prompt?.name ?? NO_PROMPT;
    const keys = [
      countsKey(tenant, name, prompt?.version ?? 0),
      markerKey(tenant, name, generationId),
      newestKey(tenant, name),
    ];
    const ask = { markerMs: LIMITS.feedbackKeptMs, version: prompt?.version, score, generationId, user };
    const [at] = await askScriptForTexts(this.#redis, GIVE_FEEDBACK, { keys, ask, texts: [comment] });
    const stored = { score, comment, at: Number(at), version: prompt?.version };
    return toFeedback(generationId, prompt?.name ?? null, stored);
  }

  async removeFeedback({ tenant, generationId, prompt }: FeedbackTarget): Promise<boolean> {
    const name = prompt?.name ?? NO_PROMPT;
    const keys = [markerKey(tenant, name, generationId), newestKey(tenant, name)];
    return (await askScript(this.#redis, REMOVE_FEEDBACK, { keys, ask: { generationId } })) === 1;
  }

  async readFeedback({ tenant, generationId, prompt }: FeedbackTarget): Promise<FeedbackView | null> {
    const key = markerKey(tenant, prompt?.name ?? NO_PROMPT, generationId);
    const stored = feedbackSchema.safeParse(await this.#redis.hGetAll(key));
    return stored.success ? toFeedback(generationId, prompt?.name ?? null, stored.data) : null;
  }

  async listFeedback(tenant: string, name: string, limit: number): Promise<FeedbackView[]> {
    const ids = await this.#redis.zRange(newestKey(tenant, name), 0, limit - 1, { REV: true });
    const feedback = await Promise.all(
      ids.map((generationId) => this.readFeedback({ tenant, generationId, prompt: { name, version: 0 } })),
    );
    return feedback.filter((view) => view !== null);
  }

  async read(
    tenant: string,
    name: string,
    versions: number,
    baseline: number | null,
  ): Promise<PromptStatsView> {
    const oldest = Math.max(1, versions - LIMITS.statsVersions + 1);
    const newest = Array.from({ length: versions - oldest + 1 }, (_, index) => oldest + index);
    const numbers = baseline !== null && baseline < oldest ? [baseline, ...newest] : newest;
    const counts = await Promise.all(numbers.map((version) => this.#readCounts(tenant, name, version)));
    const against = counts.find(({ requests, version }) => requests > 0 && version === (baseline ?? version));
    return {
      name,
      baseline: against?.version ?? null,
      versions: counts.map((version) => toVersionStats(version, against)),
    };
  }

  async answerLength(
    tenant: string,
    { name, version }: PromptVersion,
  ): Promise<{ readonly p99: number; readonly answers: number } | null> {
    const stored = await this.#redis.hGetAll(countsKey(tenant, name, version));
    const lengths = sketchIn(stored, 'length');
    const p99 = quantileOf(lengths, 0.99);
    const answers = [...lengths.values()].reduce((sum, count) => sum + count, 0);
    return p99 === null ? null : { p99: Math.ceil(p99), answers };
  }

  async #readCounts(tenant: string, name: string, version: number): Promise<VersionCounts> {
    const stored = await this.#redis.hGetAll(countsKey(tenant, name, version));
    return { version, stored, ...countsSchema.parse({ ...stored }) };
  }
}

function countsKey(tenant: string, name: string, version: number): string {
  return REDIS_KEYS.prompt(tenant, name, `counts:${version}`);
}

function markerKey(tenant: string, name: string, generationId: string): string {
  return REDIS_KEYS.prompt(tenant, name, `generation:${generationId}`);
}

function newestKey(tenant: string, name: string): string {
  return REDIS_KEYS.prompt(tenant, name, 'feedback');
}

function toVersionStats(counts: VersionCounts, against: VersionCounts | undefined): VersionStats {
  const { version, stored, requests, completed, failed, cancelled, cacheHits, cut, continued } = counts;
  const { inputTokens, outputTokens, costMicroUsd, feedback, positive, negative, scores } = counts;
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
    firstTokenMs: percentilesOf(sketchIn(stored, 'first')),
    totalMs: percentilesOf(sketchIn(stored, 'total')),
    outputTokensPerAnswer: percentilesOf(sketchIn(stored, 'length')),
    feedback: {
      count: feedback,
      positive,
      negative,
      mean: feedback === 0 ? null : scores / feedback,
    },
    saving: isCompared ? compareCosts(toCostSample(counts), toCostSample(against)) : null,
  };
}

function toCostSample({ version, requests, costMean, costSquares }: VersionCounts): CostSample {
  return { version, requests, meanMicroUsd: costMean, squares: costSquares };
}

/** What every generation adds, a continuation too. */
function usageCounts({ usage }: PromptOutcome): Record<string, number> {
  return { inputTokens: inputTokensOf(usage), outputTokens: outputTokensOf(usage) };
}

/** What a request adds once, however often its text is continued. */
function requestCounts(outcome: PromptOutcome): Record<string, number> {
  const { status, isCached, isCutByLength, firstTokenMs, totalMs, answerTokens } = outcome;
  const counts: Record<string, number> = {
    [status]: 1,
    cacheHits: Number(isCached),
    cut: Number(isCutByLength),
  };
  const sketches = { first: firstTokenMs, total: totalMs, length: answerTokens };
  for (const [sketch, value] of Object.entries(sketches)) {
    if (value !== null) counts[`${sketch}:${bucketOf(value)}`] = 1;
  }
  return Object.fromEntries(Object.entries(counts).filter(([, amount]) => amount > 0));
}

function sketchIn(stored: StoredCounts, sketch: string): Map<number, number> {
  const ofSketch = Object.entries(stored).filter(([field]) => field.startsWith(`${sketch}:`));
  return new Map(ofSketch.map(([field, count]) => [Number(field.slice(sketch.length + 1)), Number(count)]));
}

function toFeedback(
  generationId: string,
  name: string | null,
  { score, comment, at, version }: z.infer<typeof feedbackSchema>,
): FeedbackView {
  const prompt = name === null || version === undefined ? null : { name, version };
  return { generationId, prompt, score, comment: comment === '' ? null : comment, at };
}
