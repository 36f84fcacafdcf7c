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
  readonly unreported?: (usage: Usage) => Usage;
  /** Every field that is read. */
  readonly fields: object;
}

const input = ({ inputTokens, cachedInputTokens, cacheWriteTokens }: Usage) =>
  inputTokens + cachedInputTokens + cacheWriteTokens;
const output = ({ outputTokens, reasoningTokens }: Usage) => outputTokens + reasoningTokens;
const field = null as unknown;

const reportOfChat: Wire['report'] = (counted) => ({
  prompt_tokens: input(counted),
  prompt_tokens_details: {
    cached_tokens: counted.cachedInputTokens,
    cache_write_tokens: counted.cacheWriteTokens,
  },
  completion_tokens: output(counted),
  completion_tokens_details: { reasoning_tokens: counted.reasoningTokens },
  total_tokens: totalTokens(counted),
});

const WIRES: Readonly<Record<string, Wire>> = {
  'openai-responses': {
    report: (counted) => ({
      input_tokens: input(counted),
      input_tokens_details: {
        cached_tokens: counted.cachedInputTokens,
        cache_write_tokens: counted.cacheWriteTokens,
      },
      output_tokens: output(counted),
      output_tokens_details: { reasoning_tokens: counted.reasoningTokens },
      total_tokens: totalTokens(counted),
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
  'openai-responses (with the names of chat completions)': {
    report: reportOfChat,
    read: mapOpenAiResponseUsage,
    fields: {
      input_tokens: field,
      prompt_tokens: field,
      prompt_tokens_details: { cached_tokens: field, cache_write_tokens: field },
      completion_tokens: field,
      completion_tokens_details: { reasoning_tokens: field },
    },
  },
  'openai-chat (reasoning within)': {
    report: reportOfChat,
    read: mapOpenAiChatUsage,
    fields: {
      prompt_tokens: field,
      prompt_tokens_details: {
        cached_tokens: field,
        cache_write_tokens: field,
        audio_tokens: field,
        cached_tokens_details: { audio_tokens: field },
      },
      completion_tokens: field,
      completion_tokens_details: { reasoning_tokens: field, image_tokens: field },
      total_tokens: field,
      prompt_cache_hit_tokens: field,
      cached_tokens: field,
      num_cached_tokens: field,
      input_tokens: field,
      output_tokens: field,
      reasoning_tokens: field,
    },
  },
  'openai-chat (reasoning beside, as xAI)': {
    report: (counted) => ({
      prompt_tokens: input(counted),
      prompt_tokens_details: {
        cached_tokens: counted.cachedInputTokens,
        cache_write_tokens: counted.cacheWriteTokens,
      },
      completion_tokens: counted.outputTokens,
      completion_tokens_details: { reasoning_tokens: counted.reasoningTokens },
      total_tokens: totalTokens(counted),
    }),
    read: mapOpenAiChatUsage,
    fields: {},
  },
  'anthropic-messages': {
    report: (counted) => ({
      input_tokens: counted.inputTokens,
      cache_read_input_tokens: counted.cachedInputTokens,
      cache_creation_input_tokens: counted.cacheWriteTokens,
      output_tokens: output(counted),
      output_tokens_details: { thinking_tokens: counted.reasoningTokens },
    }),
    read: (report) => mapAnthropicUsage(null, report),
    fields: {
      input_tokens: field,
      cache_read_input_tokens: field,
      cache_creation_input_tokens: field,
      cache_creation: { ephemeral_5m_input_tokens: field, ephemeral_1h_input_tokens: field },
      output_tokens: field,
      output_tokens_details: { thinking_tokens: field },
    },
  },
  google: {
    report: (counted) => ({
      promptTokenCount: input(counted),
      cachedContentTokenCount: counted.cachedInputTokens,
      candidatesTokenCount: counted.outputTokens,
      thoughtsTokenCount: counted.reasoningTokens,
      totalTokenCount: totalTokens(counted),
    }),
    read: mapGoogleUsage,
    unreported: (counted) => ({
      ...counted,
      inputTokens: counted.inputTokens + counted.cacheWriteTokens,
      cacheWriteTokens: 0,
    }),
    fields: {
      promptTokenCount: field,
      cachedContentTokenCount: field,
      toolUsePromptTokenCount: field,
      promptTokensDetails: field,
      cacheTokensDetails: field,
      candidatesTokenCount: field,
      candidatesTokensDetails: field,
      thoughtsTokenCount: field,
      totalTokenCount: field,
    },
  },
  cohere: {
    report: (counted) => ({
      billedUnits: { inputTokens: input(counted), outputTokens: output(counted) },
      tokens: { inputTokens: input(counted) + 65, outputTokens: output(counted) + 2 },
      // What Cohere has added to the prompt is cached as well.
      cachedTokens: counted.cachedInputTokens + 65,
    }),
    read: mapCohereUsage,
    unreported: (counted) => ({
      ...counted,
      inputTokens: counted.inputTokens + counted.cacheWriteTokens,
      cacheWriteTokens: 0,
      outputTokens: output(counted),
      reasoningTokens: 0,
    }),
    fields: {
      billedUnits: { inputTokens: field, outputTokens: field },
      tokens: { inputTokens: field, outputTokens: field },
      cachedTokens: field,
    },
  },
  'ai-sdk': {
    report: (counted) => ({
      inputTokens: {
        total: input(counted),
        noCache: counted.inputTokens,
        cacheRead: counted.cachedInputTokens,
        cacheWrite: counted.cacheWriteTokens,
      },
      outputTokens: {
        total: output(counted),
        text: counted.outputTokens,
        reasoning: counted.reasoningTokens,
      },
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

describe.each(Object.entries(WIRES))('%s', (_name, { report, read, unreported, fields }) => {
  test('what a vendor reports is read as it was: each token in one part, and the sum is the total', () => {
    fc.assert(
      fc.property(usage, (counted) => {
        const heard = read(report(counted) as never);
        const isNothing = totalTokens(counted) === 0;
        expect(heard ?? (isNothing ? NO_USAGE : null)).toEqual(unreported?.(counted) ?? counted);
        expect(totalTokens(heard ?? NO_USAGE)).toBe(totalTokens(counted));
      }),
    );
  });

  test('a report that makes no sense gives no negative part, none that is no whole number, and throws not', () => {
    fc.assert(
      fc.property(filled(fields), (rubbishReport) => {
        const usage = read(rubbishReport as never) ?? NO_USAGE;
        const { estimated: _, serviceTier: _tier, ...counts } = usage;
        const { cacheWriteHourTokens = 0, inputAudioTokens = 0, outputImageTokens = 0, ...parts } = counts;
        expect(inputAudioTokens).toBeLessThanOrEqual(parts.inputTokens);
        expect(outputImageTokens).toBeLessThanOrEqual(parts.outputTokens);
        expect(cacheWriteHourTokens).toBeLessThanOrEqual(parts.cacheWriteTokens);
        for (const part of [...Object.values(parts), cacheWriteHourTokens]) {
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

test.each<[string, object, object]>([
  [
    'the cache had no more than Cohere adds to a prompt',
    { tokens: { inputTokens: 68, outputTokens: 9 }, cachedTokens: 64 },
    { inputTokens: 3, cachedInputTokens: 0 },
  ],
  [
    'what the cache had is not billed at all',
    { tokens: { inputTokens: 2_003, outputTokens: 9 }, cachedTokens: 2_000 },
    { inputTokens: 3, cachedInputTokens: 0 },
  ],
  ['no count but the billed one', { cachedTokens: 2 }, { inputTokens: 1, cachedInputTokens: 2 }],
])('Cohere bills its billed units: %s', (_what, report, parts) => {
  const billedUnits = { inputTokens: 3, outputTokens: 9 };
  expect(mapCohereUsage({ billedUnits, ...report })).toMatchObject({ ...parts, outputTokens: 9 });
});

describe("Claude's counts in a chat completion", () => {
  const claude = {
    cache_read_input_tokens: 18_901,
    cache_creation_input_tokens: 1_367,
    prompt_tokens_details: { cached_tokens: 18_901 },
  };
  const parts = { cachedInputTokens: 18_901, cacheWriteTokens: 1_367, outputTokens: 862, reasoningTokens: 0 };

  // https://github.com/unslothai/unsloth/pull/5670
  test.each([870, 21_138, undefined])('are beside the prompt (total %s)', (total_tokens) => {
    const usage = { prompt_tokens: 8, completion_tokens: 862, ...claude };
    const read = mapOpenAiChatUsage(total_tokens === undefined ? usage : { ...usage, total_tokens });
    expect(read).toMatchObject({ ...parts, inputTokens: 8 });
  });

  test.each([
    [20_276, 21_138, 8],
    [30_000, 51_130, 30_000],
  ])(
    'are within a prompt of %i, or beside it, as the total %i says',
    (prompt_tokens, total_tokens, inputTokens) => {
      const usage = { prompt_tokens, completion_tokens: 862, total_tokens, ...claude };
      expect(mapOpenAiChatUsage(usage)).toMatchObject({ ...parts, inputTokens });
    },
  );
});

// https://github.com/langwatch/langwatch/pull/7021, https://github.com/BerriAI/litellm/pull/38457
describe('spoken input', () => {
  const spoken = { inputTokens: 90, inputAudioTokens: 60, cachedInputTokens: 30 };

  test('of a chat completion is counted within the input that was not cached', () => {
    const details = { cached_tokens: 30, audio_tokens: 80, cached_tokens_details: { audio_tokens: 20 } };
    const usage = { prompt_tokens: 120, prompt_tokens_details: details, completion_tokens: 5 };
    expect(mapOpenAiChatUsage(usage)).toMatchObject(spoken);
  });

  test('of Gemini is counted within the input that was not cached', () => {
    const of = (tokenCount: number) => [
      { modality: 'TEXT', tokenCount: 40 },
      { modality: 'AUDIO', tokenCount },
    ];
    const cached = { cachedContentTokenCount: 30, cacheTokensDetails: of(20) };
    const usage = { promptTokenCount: 120, promptTokensDetails: of(80), candidatesTokenCount: 5, ...cached };
    expect(mapGoogleUsage(usage)).toMatchObject(spoken);
  });
});

describe('pictures in the output', () => {
  const drawn = { outputTokens: 1_310, outputImageTokens: 1_290, reasoningTokens: 90 };

  test('of Gemini are counted within the visible output', () => {
    const candidatesTokensDetails = [{ modality: 'IMAGE', tokenCount: 1_290 }];
    const counts = { promptTokenCount: 5, candidatesTokenCount: 1_310, thoughtsTokenCount: 90 };
    expect(mapGoogleUsage({ ...counts, candidatesTokensDetails })).toMatchObject(drawn);
  });

  test('of a chat completion are counted within the visible output', () => {
    const completion_tokens_details = { reasoning_tokens: 90, image_tokens: 1_290 };
    const usage = { prompt_tokens: 5, completion_tokens: 1_400, completion_tokens_details };
    expect(mapOpenAiChatUsage(usage)).toMatchObject(drawn);
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

  test('what is kept for an hour is counted within what was written', () => {
    const lifetimes = { ephemeral_5m_input_tokens: 4, ephemeral_1h_input_tokens: 6 };
    const first = { input_tokens: 1, cache_creation_input_tokens: 10, cache_creation: lifetimes };
    const written = { inputTokens: 1, cacheWriteTokens: 10, cacheWriteHourTokens: 6 };
    expect(mapAnthropicUsage(first, { output_tokens: 7 })).toMatchObject(written);
    const { cache_creation_input_tokens: _, ...withoutTotal } = first;
    expect(mapAnthropicUsage(withoutTotal, { output_tokens: 7 })).toMatchObject(written);
  });

  test.each([
    ['nothing', {}, [5, 3]],
    ['0', { cache_read_input_tokens: 0, cache_creation_input_tokens: 0 }, [5, 3]],
    ['what was written as read', { cache_read_input_tokens: 8, cache_creation_input_tokens: 0 }, [8, 0]],
    ['more', { cache_read_input_tokens: 9 }, [9, 3]],
  ])(
    'where the last report counts %s, no token of the cache is both read and written',
    (_, counts, parts) => {
      const first = { input_tokens: 10, cache_read_input_tokens: 5, cache_creation_input_tokens: 3 };
      const usage = mapAnthropicUsage(first, { ...counts, output_tokens: 7 });
      expect([usage?.cachedInputTokens, usage?.cacheWriteTokens]).toEqual(parts);
    },
  );

  test('the last report omits what the first contained', () => {
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
