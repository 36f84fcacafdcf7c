import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { NO_USAGE } from '../../../contracts/money.ts';
import { compareCosts, studentT975 } from '../../../engine/prompts/compare-costs.ts';
import type { PromptOutcome, PromptStats } from '../../../engine/prompts/prompt-stats.ts';
import { RedisPromptStats } from '../../../engine/prompts/redis-prompt-stats.ts';
import { bucketOf, quantileOf } from '../../../platform/quantile-sketch.ts';
import { createRandom } from '../../harness/random.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';

let server: TestRedis;
let stats: PromptStats;
let tenant: string;

beforeAll(async () => {
  server = await startTestRedis();
  stats = new RedisPromptStats(await server.connect());
});
afterAll(() => server?.stop());
beforeEach(() => {
  tenant = `tenant-${randomUUID()}`;
});

const outcome = (facts: Partial<PromptOutcome> = {}): PromptOutcome => ({
  tenant,
  generationId: `gen_${randomUUID()}`,
  prompt: { name: 'support', version: 1 },
  continues: null,
  status: 'completed',
  isCached: false,
  isCutByLength: false,
  costMicroUsd: 100,
  usage: { ...NO_USAGE, inputTokens: 10, outputTokens: 5 },
  firstTokenMs: 40,
  totalMs: 900,
  answerTokens: 5,
  ...facts,
});
const versionOf = async (version: number, versions = 2) => {
  const all = (await stats.read(tenant, 'support', versions, null)).versions;
  const found = all.find((stats) => stats.version === version);
  if (found === undefined) throw new Error(`no version ${version}`);
  return found;
};

describe('a generation', () => {
  test('counts once, however often and by however many processes it is recorded', async () => {
    const repeated = outcome({ isCutByLength: true });
    const other = new RedisPromptStats(await server.connect());
    await Promise.all(Array.from({ length: 30 }, (_, index) => (index % 2 ? stats : other).record(repeated)));
    await stats.record(outcome({ status: 'failed', firstTokenMs: null, totalMs: null, answerTokens: null }));
    await stats.record(outcome({ isCached: true, usage: NO_USAGE, costMicroUsd: 0 }));
    expect(await versionOf(1)).toMatchObject({
      requests: 3,
      completed: 2,
      failed: 1,
      cancelled: 0,
      cacheHits: 1,
      cutByLength: 1,
      inputTokens: 20,
      outputTokens: 10,
      costMicroUsd: 200,
      costPerRequestMicroUsd: 200 / 3,
    });
  });

  test('that continues another raises the cost of its request, and is not one more', async () => {
    const random = createRandom(11);
    const costs = Array.from({ length: 40 }, () => random.between(50, 500));
    const ids = costs.map((_, index) => `gen_${index}`);
    for (const [index, costMicroUsd] of costs.entries()) {
      await stats.record(outcome({ generationId: ids[index] ?? '', costMicroUsd }));
    }
    for (const index of [3, 3, 17]) {
      const continues = ids[index] ?? '';
      await stats.record(outcome({ continues, costMicroUsd: 70, firstTokenMs: null, totalMs: null }));
      costs[index] = (costs[index] ?? 0) + 70;
    }
    await stats.record(outcome({ prompt: { name: 'support', version: 2 }, costMicroUsd: 100 }));
    await stats.record(outcome({ prompt: { name: 'support', version: 2 }, costMicroUsd: 140 }));
    const mean = costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
    const first = await versionOf(1);
    expect(first).toMatchObject({ requests: 40, completed: 40, continued: 3 });
    expect(first.costPerRequestMicroUsd).toBeCloseTo(mean, 6);
    const expected = compareCosts(
      { version: 2, requests: 2, meanMicroUsd: 120, squares: 800 },
      {
        version: 1,
        requests: 40,
        meanMicroUsd: mean,
        squares: costs.reduce((sum, cost) => sum + (cost - mean) ** 2, 0),
      },
    );
    const { saving } = await versionOf(2);
    expect(saving?.perRequestMicroUsd).toBeCloseTo(mean - 120, 6);
    expect(saving?.interval95MicroUsd?.[0]).toBeCloseTo(expected.interval95MicroUsd?.[0] ?? Number.NaN, 4);
  });

  test('leaves latencies and the length of its answer within 2.5 %', async () => {
    for (let value = 1; value <= 200; value += 1) {
      await stats.record(outcome({ firstTokenMs: value, totalMs: 10 * value, answerTokens: value }));
    }
    const { firstTokenMs, totalMs } = await versionOf(1);
    expect(Math.abs((firstTokenMs?.p95 ?? 0) - 190)).toBeLessThanOrEqual(0.025 * 190 + 1);
    expect(Math.abs((totalMs?.p50 ?? 0) - 1_000)).toBeLessThanOrEqual(26);
    const seen = await stats.answerLength(tenant, { name: 'support', version: 1 });
    expect(seen?.answers).toBe(200);
    expect(Math.abs((seen?.p99 ?? 0) - 198)).toBeLessThanOrEqual(6);
    expect(await stats.answerLength(tenant, { name: 'support', version: 2 })).toBeNull();
  });
});

describe('feedback', () => {
  test('is one for each generation: given again it takes the place of the first', async () => {
    const target = { tenant, generationId: 'gen_a', prompt: { name: 'support', version: 1 }, user: 'ann' };
    await stats.giveFeedback(target, { score: 1 });
    await stats.giveFeedback(target, { score: 1 });
    await stats.giveFeedback(target, { score: -0.5, comment: 'too long' });
    await stats.giveFeedback({ ...target, generationId: 'gen_b' }, { score: 1 });
    expect((await versionOf(1)).feedback).toEqual({ count: 2, positive: 1, negative: 1, mean: 0.25 });
    expect(await stats.readFeedback(target)).toMatchObject({ score: -0.5, comment: 'too long' });
    const listed = await stats.listFeedback(tenant, 'support', 10);
    expect(listed.map(({ generationId }) => generationId).sort()).toEqual(['gen_a', 'gen_b']);
    expect(listed[0]?.prompt).toEqual({ name: 'support', version: 1 });
  });

  test('that comes before the end of its generation does not hide it', async () => {
    const generationId = 'gen_early';
    const target = { tenant, generationId, prompt: { name: 'support', version: 1 }, user: 'ann' };
    await stats.giveFeedback(target, { score: 1 });
    await stats.record(outcome({ generationId }));
    expect(await versionOf(1)).toMatchObject({ requests: 1, feedback: { count: 1 } });
  });

  test('on a generation without a prompt is kept, and counted nowhere', async () => {
    const target = { tenant, generationId: 'gen_plain', prompt: null, user: 'ann' };
    await stats.giveFeedback(target, { score: 0.5 });
    expect(await stats.readFeedback(target)).toMatchObject({ score: 0.5, prompt: null, comment: null });
    expect(await stats.readFeedback({ ...target, generationId: 'gen_other' })).toBeNull();
  });

  test('that is removed leaves nothing of its words, and what was counted stays', async () => {
    const target = { tenant, generationId: 'gen_gone', prompt: { name: 'support', version: 1 }, user: 'ann' };
    await stats.record(outcome({ generationId: 'gen_gone' }));
    await stats.giveFeedback(target, { score: 1, comment: 'unforgettable' });
    const before = await versionOf(1);
    expect([await stats.removeFeedback(target), await stats.removeFeedback(target)]).toEqual([true, false]);
    expect(await stats.readFeedback(target)).toBeNull();
    expect(await stats.listFeedback(tenant, 'support', 10)).toEqual([]);
    await stats.record(outcome({ generationId: 'gen_gone' }));
    expect(await versionOf(1)).toEqual(before);
  });
});

describe('the saving', () => {
  test('holds the true difference in 95 % of experiments', () => {
    const random = createRandom(5);
    // Costs are skewed: most requests are cheap, some are dear.
    const draw = (scale: number) => scale * -Math.log((random.between(0, 999_999) + 1) / 1_000_001);
    const sample = (version: number, scale: number) => {
      const costs = Array.from({ length: 120 }, () => draw(scale));
      const meanMicroUsd = costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
      const squares = costs.reduce((sum, cost) => sum + (cost - meanMicroUsd) ** 2, 0);
      return { version, requests: costs.length, meanMicroUsd, squares };
    };
    const held = Array.from({ length: 1_000 }, () => {
      const { interval95MicroUsd } = compareCosts(sample(2, 600), sample(1, 1_000));
      return interval95MicroUsd !== null && interval95MicroUsd[0] <= 400 && interval95MicroUsd[1] >= 400;
    }).filter(Boolean).length;
    expect(held).toBeGreaterThanOrEqual(930);
    expect(held).toBeLessThanOrEqual(970);
  });

  test('is not certain with few requests, nor with 0 in the interval', () => {
    const of = (version: number, requests: number, meanMicroUsd: number, squares: number) => ({
      version,
      requests,
      meanMicroUsd,
      squares,
    });
    expect(compareCosts(of(2, 100, 50, 1_000), of(1, 100, 100, 1_000))).toMatchObject({
      perRequestMicroUsd: 50,
      share: 0.5,
      soFarMicroUsd: 5_000,
      isCertain: true,
    });
    expect(compareCosts(of(2, 20, 50, 100), of(1, 100, 100, 100)).isCertain).toBe(false);
    expect(compareCosts(of(2, 100, 99, 1e9), of(1, 100, 100, 1e9)).isCertain).toBe(false);
    expect(compareCosts(of(2, 1, 50, 0), of(1, 100, 100, 1))).toMatchObject({ interval95MicroUsd: null });
  });

  test.each([
    [3, 3.182, 0.01],
    [10, 2.228, 0.001],
    [30, 2.042, 0.001],
    [1_000, 1.962, 0.001],
  ])("agrees with the tables of Student's t at %s degrees of freedom", (freedom, expected, within) => {
    expect(Math.abs(studentT975(freedom) - expected) / expected).toBeLessThan(within);
  });
});

test('a sketch of no values has no quantile, and one value is its own', () => {
  expect(quantileOf(new Map(), 0.5)).toBeNull();
  for (const value of [1, 7, 1_234, 3_600_000]) {
    const found = quantileOf(new Map([[bucketOf(value), 1]]), 0.99) ?? 0;
    expect(Math.abs(found - value) / value).toBeLessThanOrEqual(0.0251);
  }
});
