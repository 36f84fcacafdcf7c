/** Usage of every wire: whatever a vendor reports, its parts are disjoint and no token is lost or made up. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NO_USAGE, totalTokens, type Usage } from '../../../contracts/money.ts';
import { mapAiSdkUsage } from '../../../engine/providers/ai-sdk/usage.ts';
import { mapAnthropicUsage } from '../../../engine/providers/anthropic-messages/usage.ts';
import { mapCohereUsage } from '../../../engine/providers/cohere/usage.ts';
import { mapGoogleUsage } from '../../../engine/providers/google/usage.ts';
import { mapOpenAiChatUsage } from '../../../engine/providers/openai-chat/usage.ts';
import { mapOpenAiResponseUsage } from '../../../engine/providers/openai-responses/usage.ts';

const tokens = fc.nat(2_000_000);
const usage: fc.Arbitrary<Usage> = fc.record({
  inputTokens: tokens,
  cachedInputTokens: tokens,
  cacheWriteTokens: tokens,
  outputTokens: tokens,
  reasoningTokens: tokens,
  estimated: fc.constant(false),
});

interface Wire {
  /** How the vendor would report this usage. */
  readonly report: (usage: Usage) => unknown;
  readonly read: (report: never) => Usage | null;
  /** The parts that the vendor does not tell apart, and where their tokens are then. */
  readonly untold?: (usage: Usage) => Usage;
  /** Every field that is read. */
  readonly fields: object;
}

const input = (one: Usage) => one.inputTokens + one.cachedInputTokens + one.cacheWriteTokens;
const output = (one: Usage) => one.outputTokens + one.reasoningTokens;
const field = null as unknown;

const WIRES: Readonly<Record<string, Wire>> = {
  'openai-responses': {
    report: (one) => ({
      input_tokens: input(one),
      input_tokens_details: {
        cached_tokens: one.cachedInputTokens,
        cache_write_tokens: one.cacheWriteTokens,
      },
      output_tokens: output(one),
      output_tokens_details: { reasoning_tokens: one.reasoningTokens },
      total_tokens: totalTokens(one),
    }),
    read: mapOpenAiResponseUsage,
    fields: {
      input_tokens: field,
      input_tokens_details: { cached_tokens: field, cache_write_tokens: field },
      output_tokens: field,
      output_tokens_details: { reasoning_tokens: field },
      total_tokens: field,
    },
  },
  'openai-chat (reasoning within)': {
    report: (one) => ({
      prompt_tokens: input(one),
      prompt_tokens_details: {
        cached_tokens: one.cachedInputTokens,
        cache_write_tokens: one.cacheWriteTokens,
      },
      completion_tokens: output(one),
      completion_tokens_details: { reasoning_tokens: one.reasoningTokens },
      total_tokens: totalTokens(one),
    }),
    read: mapOpenAiChatUsage,
    fields: {
      prompt_tokens: field,
      prompt_tokens_details: { cached_tokens: field, cache_write_tokens: field },
      completion_tokens: field,
      completion_tokens_details: { reasoning_tokens: field },
      total_tokens: field,
      prompt_cache_hit_tokens: field,
      cached_tokens: field,
      num_cached_tokens: field,
    },
  },
  'openai-chat (reasoning beside, as xAI)': {
    report: (one) => ({
      prompt_tokens: input(one),
      prompt_tokens_details: {
        cached_tokens: one.cachedInputTokens,
        cache_write_tokens: one.cacheWriteTokens,
      },
      completion_tokens: one.outputTokens,
      completion_tokens_details: { reasoning_tokens: one.reasoningTokens },
      total_tokens: totalTokens(one),
    }),
    read: mapOpenAiChatUsage,
    fields: {},
  },
  'anthropic-messages': {
    report: (one) => ({
      input_tokens: one.inputTokens,
      cache_read_input_tokens: one.cachedInputTokens,
      cache_creation_input_tokens: one.cacheWriteTokens,
      output_tokens: output(one),
      output_tokens_details: { thinking_tokens: one.reasoningTokens },
    }),
    read: (report) => mapAnthropicUsage(null, report),
    fields: {
      input_tokens: field,
      cache_read_input_tokens: field,
      cache_creation_input_tokens: field,
      output_tokens: field,
      output_tokens_details: { thinking_tokens: field },
    },
  },
  google: {
    report: (one) => ({
      promptTokenCount: input(one),
      cachedContentTokenCount: one.cachedInputTokens,
      candidatesTokenCount: one.outputTokens,
      thoughtsTokenCount: one.reasoningTokens,
      totalTokenCount: totalTokens(one),
    }),
    read: mapGoogleUsage,
    untold: (one) => ({ ...one, inputTokens: one.inputTokens + one.cacheWriteTokens, cacheWriteTokens: 0 }),
    fields: {
      promptTokenCount: field,
      cachedContentTokenCount: field,
      toolUsePromptTokenCount: field,
      candidatesTokenCount: field,
      thoughtsTokenCount: field,
      totalTokenCount: field,
    },
  },
  cohere: {
    report: (one) => ({
      billedUnits: { inputTokens: input(one), outputTokens: output(one) },
      tokens: { inputTokens: input(one) + 65, outputTokens: output(one) + 2 },
      cachedTokens: one.cachedInputTokens,
    }),
    read: mapCohereUsage,
    untold: (one) => ({
      ...one,
      inputTokens: one.inputTokens + one.cacheWriteTokens,
      cacheWriteTokens: 0,
      outputTokens: output(one),
      reasoningTokens: 0,
    }),
    fields: {
      billedUnits: { inputTokens: field, outputTokens: field },
      tokens: { inputTokens: field, outputTokens: field },
      cachedTokens: field,
    },
  },
  'ai-sdk': {
    report: (one) => ({
      inputTokens: {
        total: input(one),
        noCache: one.inputTokens,
        cacheRead: one.cachedInputTokens,
        cacheWrite: one.cacheWriteTokens,
      },
      outputTokens: { total: output(one), text: one.outputTokens, reasoning: one.reasoningTokens },
    }),
    read: mapAiSdkUsage,
    fields: {
      inputTokens: { total: field, noCache: field, cacheRead: field, cacheWrite: field },
      outputTokens: { total: field, text: field, reasoning: field },
    },
  },
};

/** What no vendor should send, and some do. */
const rubbish = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(null, undefined, Number.NaN, Number.POSITIVE_INFINITY, '7', [], {}, true, -1),
);

function filled(fields: object): fc.Arbitrary<object> {
  return fc.record(
    Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [
        name,
        value === null ? rubbish : fc.oneof(fc.constantFrom(null, undefined), filled(value as object)),
      ]),
    ),
    { requiredKeys: [] },
  );
}

describe.each(Object.entries(WIRES))('%s', (_name, { report, read, untold, fields }) => {
  test('what a vendor reports is read as it was: each token in one part, and the sum is the total', () => {
    fc.assert(
      fc.property(usage, (one) => {
        const heard = read(report(one) as never);
        const isNothing = totalTokens(one) === 0;
        expect(heard ?? (isNothing ? NO_USAGE : null)).toEqual(untold?.(one) ?? one);
        expect(totalTokens(heard ?? NO_USAGE)).toBe(totalTokens(one));
      }),
    );
  });

  test('a report that makes no sense gives no negative part, none that is no whole number, and throws not', () => {
    fc.assert(
      fc.property(filled(fields), (rubbishReport) => {
        const { estimated: _, ...parts } = read(rubbishReport as never) ?? NO_USAGE;
        for (const part of Object.values(parts)) {
          expect(Number.isSafeInteger(part) && part >= 0).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('no report is no usage, not one of zero tokens', () => {
    expect(read(null as never)).toBeNull();
    expect(read(undefined as never)).toBeNull();
  });
});

describe('anthropic-messages', () => {
  test('before the last report the output is not counted, and the usage says so', () => {
    const first = { input_tokens: 10, cache_read_input_tokens: 5, output_tokens: 3 };
    expect(mapAnthropicUsage(first, null)).toMatchObject({
      inputTokens: 10,
      cachedInputTokens: 5,
      outputTokens: 0,
      estimated: true,
    });
  });

  test('the last report leaves out what the first told', () => {
    const first = { input_tokens: 10, cache_read_input_tokens: 5, cache_creation_input_tokens: 3 };
    expect(mapAnthropicUsage(first, { output_tokens: 7 })).toMatchObject({
      inputTokens: 10,
      cachedInputTokens: 5,
      cacheWriteTokens: 3,
      outputTokens: 7,
      estimated: false,
    });
  });
});
