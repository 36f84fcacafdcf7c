import { describe, expect, test } from '@jest/globals';
import { NO_USAGE } from '../../../contracts/money.ts';
import { costOf } from '../../../engine/models/price.ts';

describe('a cost', () => {
  test('is whole micro-USD, the own price comes first, and an unknown model costs nothing', () => {
    const usage = { ...NO_USAGE, inputTokens: 1_000, outputTokens: 1_000 };
    expect(costOf({ provider: 'openai', model: 'gpt-4o-mini' }, usage, {})).toEqual({
      costMicroUsd: 750,
      isKnown: true,
    });
    const own = { 'openai/gpt-4o-mini': { inputMicroUsdPerMillion: 1, outputMicroUsdPerMillion: 0 } };
    expect(costOf({ provider: 'openai', model: 'gpt-4o-mini' }, usage, own).costMicroUsd).toBe(1);
    expect(costOf({ provider: 'simulated', model: 'sim-large' }, usage, {})).toEqual({
      costMicroUsd: 0,
      isKnown: false,
    });
  });

  test('has cached and written input at their own prices', () => {
    const cached = { ...NO_USAGE, cachedInputTokens: 1_000_000 };
    expect(
      costOf(
        { provider: 'anthropic', model: 'claude-sonnet-4-5' },
        { ...cached, cachedInputTokens: 100_000 },
        {},
      ).costMicroUsd,
    ).toBe(30_000);
    const own = {
      'house/model': {
        inputMicroUsdPerMillion: 1_000_000,
        outputMicroUsdPerMillion: 0,
        cachedInputMicroUsdPerMillion: 100_000,
      },
    };
    expect(costOf({ provider: 'house', model: 'model' }, cached, own).costMicroUsd).toBe(100_000);
    expect(
      costOf({ provider: 'house', model: 'model' }, { ...NO_USAGE, cacheWriteTokens: 1_000_000 }, own)
        .costMicroUsd,
    ).toBe(1_000_000);
  });

  test.each([
    [
      'openrouter',
      'openai/gpt-4o-mini',
      ['nitro', 'floor', 'online'].map((added) => `openai/gpt-4o-mini:${added}`),
    ],
    ['openrouter', 'anthropic/claude-sonnet-4.5', ['anthropic/claude-sonnet-4.5:thinking']],
    ['google', 'gemini-2.5-flash', ['models/gemini-2.5-flash']],
  ])(
    'of a model of %s is that of %s, whatever its vendor lets callers add to its name',
    (provider, plain, names) => {
      const usage = {
        ...NO_USAGE,
        inputTokens: 1_000_000,
        cacheWriteTokens: 1_000,
        cacheWriteHourTokens: 1_000,
      };
      const cost = (model: string) => costOf({ provider, model }, usage, {});
      expect(cost(plain).isKnown).toBe(true);
      for (const name of names) expect(cost(name)).toEqual(cost(plain));
      expect(cost(`${plain}:another`).isKnown).toBe(false);
    },
  );

  test('has spoken input at its own price, where a model has one', () => {
    const usage = { ...NO_USAGE, inputTokens: 100_000, inputAudioTokens: 60_000 };
    const cost = (provider: string, model: string, own = {}) =>
      costOf({ provider, model }, usage, own).costMicroUsd;
    // 40,000 at 2.50 a million, 60,000 at 32.
    expect(cost('openai', 'gpt-audio')).toBe(100_000 + 1_920_000);
    expect(cost('openai', 'gpt-4o-mini')).toBe(15_000);
    const own = { inputMicroUsdPerMillion: 1_000_000, outputMicroUsdPerMillion: 0 };
    expect(cost('house', 'model', { 'house/model': own })).toBe(100_000);
    const spoken = { ...own, inputAudioMicroUsdPerMillion: 40_000_000 };
    expect(cost('house', 'model', { 'house/model': spoken })).toBe(40_000 + 2_400_000);
  });

  test('has pictures and thoughts at their own prices, where a model has these', () => {
    const cost = (provider: string, model: string, own = {}) => {
      const parts = { outputTokens: 2_000, outputImageTokens: 1_000, reasoningTokens: 1_000 };
      return costOf({ provider, model }, { ...NO_USAGE, ...parts }, own).costMicroUsd;
    };
    // 1,000 at 30 a million, the others at 2.50.
    expect(cost('google', 'gemini-2.5-flash-image')).toBe(30_000 + 5_000);
    // Thoughts at 3, all else at 8.
    expect(cost('perplexity', 'sonar-deep-research')).toBe(3_000 + 16_000);
    expect(cost('google', 'gemini-2.5-flash')).toBe(7_500);
    const own = { inputMicroUsdPerMillion: 0, outputMicroUsdPerMillion: 1_000_000 };
    expect(cost('house', 'model', { 'house/model': own })).toBe(3_000);
    const drawn = { ...own, outputImageMicroUsdPerMillion: 60_000_000 };
    expect(cost('house', 'model', { 'house/model': drawn })).toBe(62_000);
  });

  test('has a price for each call, where a model has one, but not of a call that was refused', () => {
    const cost = (usage: object) =>
      costOf({ provider: 'perplexity', model: 'sonar' }, { ...NO_USAGE, ...usage }, {});
    expect(cost({ inputTokens: 1 }).costMicroUsd).toBeGreaterThan(1_000);
    expect(cost({})).toEqual({ costMicroUsd: 0, isKnown: true });
  });

  test('has reasoning at the price of output', () => {
    const usage = { ...NO_USAGE, reasoningTokens: 1_000 };
    expect(costOf({ provider: 'openai', model: 'gpt-4o-mini' }, usage, {})).toEqual(
      costOf({ provider: 'openai', model: 'gpt-4o-mini' }, { ...NO_USAGE, outputTokens: 1_000 }, {}),
    );
  });

  test('has what is kept for an hour at its own price, also where the package knows one price of writes', () => {
    const writes = { ...NO_USAGE, cacheWriteTokens: 100_000, cacheWriteHourTokens: 40_000 };
    const cost = (provider: string, model: string, own = {}) =>
      costOf({ provider, model }, writes, own).costMicroUsd;
    // 60,000 at 1.25 times the input, 40,000 at twice.
    expect(cost('anthropic', 'claude-haiku-4-5')).toBe(75_000 + 80_000);
    expect(cost('openrouter', 'anthropic/claude-haiku-4.5')).toBe(75_000 + 80_000);
    const input = { inputMicroUsdPerMillion: 1_000_000, outputMicroUsdPerMillion: 0 };
    const write = { ...input, cacheWriteMicroUsdPerMillion: 1_250_000 };
    const hour = { ...write, cacheWriteHourMicroUsdPerMillion: 3_000_000 };
    expect(cost('house', 'model', { 'house/model': input })).toBe(100_000);
    expect(cost('house', 'model', { 'house/model': write })).toBe(75_000 + 80_000);
    expect(cost('house', 'model', { 'house/model': hour })).toBe(75_000 + 120_000);
  });

  test("is half in a provider's own batch, rounded up, whichever price applies", () => {
    const usage = { ...NO_USAGE, inputTokens: 1_000, cachedInputTokens: 400, outputTokens: 1_001 };
    const own = {
      'house/model': { inputMicroUsdPerMillion: 1_000_000, outputMicroUsdPerMillion: 1_000_000 },
    };
    for (const [provider, model] of [
      ['openai', 'gpt-4o-mini'],
      ['anthropic', 'claude-haiku-4-5'],
      ['house', 'model'],
    ] as const) {
      const call = costOf({ provider, model }, usage, own).costMicroUsd;
      const line = costOf({ provider, model }, { ...usage, serviceTier: 'batch' }, own);
      expect(call).toBeGreaterThan(0);
      expect(line).toEqual({ costMicroUsd: Math.ceil(call / 2), isKnown: true });
    }
  });
});
