/** Odd answers of Anthropic's format and Google's. */
import { DONE, events, github, JSON_TYPE, named, type OddAnswer } from './odd-answer.ts';

const paris = { location: 'Paris' };
const whole = JSON.stringify(paris);

const begin = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    content: [],
    usage: { input_tokens: 9, output_tokens: 1 },
  },
};
const text = [
  { type: 'content_block_start', index: 0, content_block: { type: 'text' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
  { type: 'content_block_stop', index: 0 },
];
const endOf = (stop_reason: string, usage: object | undefined = { output_tokens: 4 }) => [
  { type: 'message_delta', delta: { stop_reason }, usage },
  { type: 'message_stop' },
];
const useOf = (content_block: object, ...deltas: readonly string[]) => [
  {
    type: 'content_block_start',
    index: 0,
    content_block: { type: 'tool_use', id: 'toolu_1', name: 'go', ...content_block },
  },
  ...deltas.map((partial_json) => ({
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'input_json_delta', partial_json },
  })),
  { type: 'content_block_stop', index: 0 },
];

const MESSAGES: readonly OddAnswer[] = [
  {
    says: 'events without names, and the last event of another format',
    source: github('earendil-works/pi/issues/1983'),
    wire: 'anthropic-messages',
    body: events(begin, { type: 'ping' }, ...text, ...endOf('end_turn'), DONE),
    text: 'Hi',
    reason: 'stop',
    usage: [9, 0, 0, 4, 0],
  },
  {
    says: 'an end whose reason and whose usage are separate events',
    source: github('anomalyco/opencode/pull/46171'),
    wire: 'anthropic-messages',
    body: events(
      begin,
      ...text,
      { type: 'message_delta', delta: { stop_reason: 'max_tokens' }, usage: { output_tokens: 4 } },
      { type: 'message_delta', delta: { stop_reason: null }, usage: { input_tokens: 12, output_tokens: 0 } },
      { type: 'message_stop' },
    ),
    text: 'Hi',
    reason: 'length',
    usage: [12, 0, 0, 4, 0],
  },
  {
    says: 'a prompt that was written to the cache by the first report, and read from it by the last',
    source: github('BerriAI/litellm/pull/40845'),
    wire: 'anthropic-messages',
    body: events(
      {
        ...begin,
        message: {
          ...begin.message,
          usage: {
            input_tokens: 2,
            cache_creation_input_tokens: 58_352,
            cache_creation: { ephemeral_5m_input_tokens: 58_352, ephemeral_1h_input_tokens: 0 },
            output_tokens: 1,
          },
        },
      },
      ...text,
      ...endOf('end_turn', {
        input_tokens: 2,
        cache_read_input_tokens: 58_352,
        cache_creation_input_tokens: 0,
        output_tokens: 4,
      }),
    ),
    text: 'Hi',
    reason: 'stop',
    usage: [2, 58_352, 0, 4, 0],
  },
  {
    says: 'a name and its data apart',
    source: github('earendil-works/pi/issues/8430'),
    wire: 'anthropic-messages',
    body: named(begin, ...text, ...endOf('end_turn')).replaceAll('\ndata:', '\n\ndata:'),
    text: 'Hi',
    reason: 'stop',
  },
  {
    says: 'an error without a name',
    source: github('earendil-works/pi/issues/4381'),
    wire: 'anthropic-messages',
    body: events(begin, { type: 'error', error: { type: 'rate_limit_error', message: 'Slow down.' } }),
    code: 'provider_rate_limited',
    words: 'Slow down.',
  },
  {
    says: 'an invalid request that shows in the stream (Bedrock)',
    source: github('boto/botocore/issues/3126'),
    wire: 'anthropic-messages',
    body: named({ type: 'error', error: { type: 'validationException', message: 'No.' } } as {
      type: string;
    }),
    code: 'provider_bad_request',
    words: 'No.',
  },
  {
    says: 'the end of the money in a stream',
    source: github('manaflow-ai/subrouter/pull/68'),
    wire: 'anthropic-messages',
    body: named({ type: 'error', error: { type: 'billing_error', message: 'Pay.' } } as { type: string }),
    code: 'provider_quota_exhausted',
    words: 'Pay.',
  },
  {
    says: 'a filter that breaks the answer off',
    source: github('anthropics/claude-code/issues/58367'),
    wire: 'anthropic-messages',
    body: named(begin, {
      type: 'error',
      error: { type: 'invalid_request_error', message: 'Output blocked by content filtering policy' },
    } as { type: string }),
    code: 'content_filtered',
    words: 'Output blocked',
  },
  {
    says: 'the whole input in the start of the block',
    source: github('inflaborg/ccrelay/pull/119'),
    wire: 'anthropic-messages',
    body: named(begin, ...useOf({ input: paris }), ...endOf('tool_use')),
    calls: [['go', 'toolu_1', paris]],
    reason: 'tool-calls',
  },
  {
    says: 'the whole input in the start of the block and as deltas',
    source: github('AntSeed/antseed/pull/15'),
    wire: 'anthropic-messages',
    body: named(begin, ...useOf({ input: paris }, '', whole), ...endOf('tool_use')),
    calls: [['go', 'toolu_1', paris]],
    reason: 'tool-calls',
  },
  {
    says: 'an empty text as the input',
    source: github('ggml-org/llama.cpp/pull/22960'),
    wire: 'anthropic-messages',
    body: named(begin, ...useOf({ input: '' }, whole), ...endOf('tool_use')),
    calls: [['go', 'toolu_1', paris]],
    reason: 'tool-calls',
  },
  {
    says: 'tool_use as the reason of an answer without any',
    source: github('mastra-ai/mastra/pull/14187'),
    wire: 'anthropic-messages',
    body: named(begin, ...text, ...endOf('tool_use')),
    text: 'Hi',
    reason: 'stop',
  },
  {
    says: 'no input in the last usage',
    source: github('envoyproxy/ai-gateway/pull/1631'),
    wire: 'anthropic-messages',
    body: named(begin, ...text, ...endOf('end_turn', { input_tokens: 0, output_tokens: 4 })),
    text: 'Hi',
    reason: 'stop',
    usage: [9, 0, 0, 4, 0],
  },
  {
    says: 'a whole message as JSON',
    source: github('diegosouzapw/OmniRoute/pull/3108'),
    wire: 'anthropic-messages',
    type: JSON_TYPE,
    body: JSON.stringify({
      ...begin.message,
      content: [
        { type: 'text', text: 'Hi' },
        { type: 'tool_use', id: 'toolu_1', name: 'go', input: paris },
      ],
      stop_reason: 'tool_use',
      usage: { input_tokens: 9, output_tokens: 4 },
    }),
    text: 'Hi',
    calls: [['go', 'toolu_1', paris]],
    reason: 'tool-calls',
    usage: [9, 0, 0, 4, 0],
  },
];

const spoken = (parts: readonly object[], more: object = {}) => ({
  candidates: [{ content: { parts, role: 'model' }, index: 0, ...more }],
});
const goCall = { functionCall: { id: 'call_1', name: 'go', args: paris } };

const GOOGLE: readonly OddAnswer[] = [
  {
    says: 'names, comments and a last event',
    source: github('envoyproxy/ai-gateway/pull/2155'),
    wire: 'google',
    body: `event: message\n: x\n${events(spoken([{ text: 'H' }]))}event: m\ndata:${JSON.stringify(
      spoken([{ text: 'i' }], { finishReason: 'STOP' }),
    )}\n\n${events(DONE)}`,
    text: 'Hi',
    reason: 'stop',
  },
  {
    says: 'no blank line behind the last event',
    source: github('nashsu/llm_wiki/issues/619'),
    wire: 'google',
    body: events(spoken([{ text: 'Hi' }], { finishReason: 'STOP' })).trimEnd(),
    text: 'Hi',
    reason: 'stop',
  },
  {
    says: 'all chunks as one list',
    source: github('diegosouzapw/OmniRoute/pull/3108'),
    wire: 'google',
    type: JSON_TYPE,
    body: JSON.stringify(
      [spoken([{ text: 'H' }]), spoken([{ text: 'i' }], { finishReason: 'STOP' })],
      null,
      1,
    ),
    text: 'Hi',
    reason: 'stop',
  },
  {
    says: 'a call again in the next event, and a reason that is none',
    source: github('NousResearch/hermes-agent/pull/25046'),
    wire: 'google',
    body: events(
      spoken([goCall], { finishReason: 'FINISH_REASON_UNSPECIFIED' }),
      spoken([goCall], { finishReason: 'STOP' }),
    ),
    calls: [['go', 'call_1', paris]],
    reason: 'tool-calls',
  },
  {
    says: 'a reason that is none, and a connection that ends',
    source: github('apache/maka/pull/2297'),
    wire: 'google',
    body: events(spoken([{ text: 'Hi' }], { finishReason: 'FINISH_REASON_UNSPECIFIED' })),
    text: 'Hi',
    code: 'provider_stream_cut',
  },
  {
    says: 'an error in the middle that is no event',
    source: github('google-gemini/gemini-cli/issues/27548'),
    wire: 'google',
    body: `${events(spoken([{ text: 'Hi' }]))}${JSON.stringify({
      error: { code: 503, message: 'Overloaded.', status: 'UNAVAILABLE' },
    })}`,
    text: 'Hi',
    code: 'provider_unavailable',
    words: 'Overloaded.',
  },
  {
    says: 'arguments that are a text',
    source: github('defog-ai/defog/pull/215'),
    wire: 'google',
    body: events(
      spoken([{ functionCall: { id: 'call_1', name: 'go', args: whole } }], { finishReason: 'STOP' }),
    ),
    calls: [['go', 'call_1', paris]],
    reason: 'tool-calls',
  },
  {
    says: 'an image and nothing else, which each further call would pay for again',
    source: github('maximhq/bifrost/issues/7032'),
    wire: 'google',
    body: events(
      spoken([{ inlineData: { mimeType: 'image/png', data: 'AAAA' } }]),
      spoken([], { finishReason: 'STOP' }),
    ),
    pictures: ['data:image/png;base64,AAAA'],
    reason: 'stop',
  },
  {
    says: 'a sound and nothing else, for which there is no place',
    source: github('maximhq/bifrost/issues/7032'),
    wire: 'google',
    body: events(
      spoken([{ inlineData: { mimeType: 'audio/wav', data: 'AAAA' } }]),
      spoken([], { finishReason: 'STOP' }),
    ),
    code: 'unsupported_by_model',
    words: 'nothing but audio/wav',
  },
  {
    says: 'a text and an image',
    source: github('mozilla-ai/any-llm/pull/1333'),
    wire: 'google',
    body: events(
      spoken([{ text: 'Hi' }, { inlineData: { mimeType: 'image/png', data: 'AAAA' } }], {
        finishReason: 'STOP',
      }),
    ),
    text: 'Hi',
    pictures: ['data:image/png;base64,AAAA'],
    reason: 'stop',
  },
  {
    says: 'sketches among the thoughts, and the picture behind its text',
    source: 'https://ai.google.dev/gemini-api/docs/image-generation',
    wire: 'google',
    body: events(
      spoken([{ thought: true, inlineData: { mimeType: 'image/png', data: 'AAAA' } }]),
      spoken([{ text: 'Here:' }, { fileData: { mimeType: 'image/webp', fileUri: 'https://x.test/a' } }], {
        finishReason: 'STOP',
      }),
    ),
    text: 'Here:',
    pictures: ['https://x.test/a'],
    reason: 'stop',
  },
  {
    says: 'counts of the prompt in the first event alone',
    source: github('ankit373/hydra/pull/858'),
    wire: 'google',
    body: events(
      { ...spoken([{ text: 'H' }]), usageMetadata: { promptTokenCount: 500, totalTokenCount: 500 } },
      {
        ...spoken([{ text: 'i' }], { finishReason: 'STOP' }),
        usageMetadata: { candidatesTokenCount: 2, totalTokenCount: 502 },
      },
    ),
    text: 'Hi',
    reason: 'stop',
    usage: [500, 0, 0, 2, 0],
  },
];

export const ODD_OTHER_ANSWERS: readonly OddAnswer[] = [...MESSAGES, ...GOOGLE];
