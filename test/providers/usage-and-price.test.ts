import { describe, expect, test } from '@jest/globals';
import { costOf } from '../../models/price.ts';
import { toUsage as toAnthropicUsage } from '../../providers/anthropic-messages/usage.ts';
import { toUsage as toOpenAiUsage } from '../../providers/openai-responses/usage.ts';

describe('usage and price', () => {
  test('the parts of a usage are disjoint', () => {
    const openAi = toOpenAiUsage({
      input_tokens: 100,
      input_tokens_details: { cached_tokens: 60, cache_write_tokens: 0 },
      output_tokens: 50,
      output_tokens_details: { reasoning_tokens: 20 },
      total_tokens: 150,
    });
    expect(openAi).toMatchObject({
      inputTokens: 40,
      cachedInputTokens: 60,
      outputTokens: 30,
      reasoningTokens: 20,
    });
    const first = { input_tokens: 10, cache_read_input_tokens: 5, cache_creation_input_tokens: 3 };
    expect(toAnthropicUsage(first, { output_tokens: 7 })).toMatchObject({
      ...{ inputTokens: 10, cachedInputTokens: 5, cacheWriteTokens: 3, outputTokens: 7 },
    });
  });

  test('a cost is whole micro-USD, the own price comes first, and an unknown model costs nothing', () => {
    const usage = {
      ...{ inputTokens: 1_000, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens: 1_000 },
      ...{ reasoningTokens: 0, estimated: false },
    };
    expect(costOf('openai', 'gpt-4o-mini', usage, {}).costMicroUsd).toBe(750);
    const own = { 'openai/gpt-4o-mini': { inputMicroUsdPerMillion: 1, outputMicroUsdPerMillion: 0 } };
    expect(costOf('openai', 'gpt-4o-mini', usage, own).costMicroUsd).toBe(1);
    expect(costOf('simulated', 'sim-large', usage, {}).costMicroUsd).toBe(0);
  });
});
