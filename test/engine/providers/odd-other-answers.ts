/** Odd answers of the other formats. */
import { DONE, type Event, events, github, JSON_TYPE, named, type OddAnswer } from './odd-answer.ts';

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

const response = (more: object) => ({
  id: 'resp_1',
  object: 'response',
  status: 'completed',
  output: [],
  ...more,
});
const call = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'go', arguments: whole };
const message = {
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  content: [{ type: 'output_text', text: 'Hi' }],
};
const added = (item: object): Event => ({ type: 'response.output_item.added', output_index: 0, item });
const done = (item: object): Event => ({ type: 'response.output_item.done', output_index: 0, item });
const completed = (more: object = {}) => ({ type: 'response.completed', response: response(more) });
const usage = { input_tokens: 9, output_tokens: 4, total_tokens: 13 };

const delta = { type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: 'Hi' };
const other = { ...call, id: 'fc_2', call_id: 'call_2', arguments: '{"location":"Rome"}' };
const argumentsOf = (item_id: string, output_index: number | undefined, delta: string) => ({
  type: 'response.function_call_arguments.delta',
  item_id,
  output_index,
  delta,
});
const thought = (more: object) => ({ type: 'response.reasoning_text.delta', output_index: 0, ...more });

const RESPONSES: readonly OddAnswer[] = [
  {
    says: 'a last event without its response',
    source: github('vinhnx/VTCode/issues/731'),
    wire: 'openai-responses',
    body: named(delta, { type: 'response.completed' }),
    text: 'Hi',
    reason: 'stop',
  },
  {
    says: 'another name of the last event',
    source: github('decolua/9router/pull/1648'),
    wire: 'openai-responses',
    body: named(delta, {
      ...completed({ usage: { input_tokens: 9, output_tokens: 4 } }),
      type: 'response.done',
    }),
    text: 'Hi',
    reason: 'stop',
    usage: [9, 0, 0, 4, 0],
  },
  {
    says: 'a failure without its response',
    source: github('Zoo-Code-Org/Zoo-Code/pull/318'),
    wire: 'openai-responses',
    body: named(delta, {
      type: 'response.error',
      code: 'rate_limit_exceeded',
      message: 'Slow down.',
    } as { type: string }),
    text: 'Hi',
    code: 'provider_rate_limited',
    words: 'Slow down.',
  },
  {
    says: 'arguments in the event that ends them, without deltas',
    source: github('tailcallhq/forgecode/pull/2558'),
    wire: 'openai-responses',
    body: named(
      added({ ...call, arguments: '' }),
      { ...argumentsOf('fc_1', 0, ''), type: 'response.function_call_arguments.done', arguments: whole },
      done(call),
      completed(),
    ),
    calls: [['go', 'call_1', paris]],
    reason: 'tool-calls',
  },
  {
    says: 'a call in the event that ends it alone, with one of its ids',
    source: github('anomalyco/opencode/pull/44862'),
    wire: 'openai-responses',
    body: named(done({ ...call, call_id: undefined }), completed({ output: [call] })),
    calls: [['go', 'fc_1', paris]],
    reason: 'tool-calls',
  },
  {
    says: 'text in the event that ends its message, without deltas',
    source: github('NVIDIA-NeMo/Switchyard/pull/777'),
    wire: 'openai-responses',
    body: named(added({ ...message, content: [] }), done(message), completed({ output: [message], usage })),
    text: 'Hi',
    reason: 'stop',
    usage: [9, 0, 0, 4, 0],
  },
  {
    says: 'everything in the last event',
    source: github('NVIDIA-NeMo/Switchyard/pull/777'),
    wire: 'openai-responses',
    body: named(completed({ output: [message, call] })),
    text: 'Hi',
    calls: [['go', 'call_1', paris]],
    reason: 'tool-calls',
  },
  {
    says: 'deltas, and the same text in every event that ends something',
    source: github('diegosouzapw/OmniRoute/issues/13693'),
    wire: 'openai-responses',
    body: named(
      added({ ...message, content: [] }),
      { type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: 'Hi' },
      done(message),
      completed({ output: [message] }),
    ),
    text: 'Hi',
    reason: 'stop',
  },
  {
    says: 'two calls under one index, each with its own id',
    source: github('BerriAI/litellm/pull/36375'),
    wire: 'openai-responses',
    body: named(
      added({ ...call, arguments: '' }),
      argumentsOf('fc_1', 0, whole),
      added({ ...other, arguments: '' }),
      argumentsOf('fc_2', 0, '{"location":"Rome"}'),
      done(call),
      done(other),
      completed(),
    ),
    calls: [
      ['go', 'call_1', paris],
      ['go', 'call_2', { location: 'Rome' }],
    ],
    reason: 'tool-calls',
  },
  {
    says: 'an item that has another id in each of its events',
    source: github('BerriAI/litellm/pull/30072'),
    wire: 'openai-responses',
    body: named(
      added({ ...call, arguments: '' }),
      argumentsOf('fc_other', 0, whole),
      done({ ...call, id: 'fc_third' }),
      completed(),
    ),
    calls: [['go', 'call_1', paris]],
    reason: 'tool-calls',
  },
  {
    says: 'calls without an index',
    source: github('teabranch/open-responses-server/pull/63'),
    wire: 'openai-responses',
    body: named(
      { ...added({ ...call, arguments: '' }), output_index: undefined },
      argumentsOf('fc_1', undefined, whole),
      { ...done(call), output_index: undefined },
      { ...done(other), output_index: undefined },
      completed(),
    ),
    calls: [
      ['go', 'call_1', paris],
      ['go', 'call_2', { location: 'Rome' }],
    ],
    reason: 'tool-calls',
  },
  {
    says: 'thoughts whose index grows with every delta',
    source: github('vllm-project/vllm/pull/35184'),
    wire: 'openai-responses',
    body: named(
      { type: 'response.reasoning_part.added' },
      ...['We', ' say', ' hi'].map((delta, content_index) => thought({ delta, content_index })),
      { type: 'response.reasoning_part.added' },
      thought({ delta: 'So', content_index: 9 }),
      done(message),
      completed(),
    ),
    reasoning: 'We say hi\n\nSo',
    text: 'Hi',
    reason: 'stop',
  },
  {
    says: 'a last event without output',
    source: github('NousResearch/hermes-agent/pull/32914'),
    wire: 'openai-responses',
    body: named(done(call), completed({ output: null })),
    calls: [['go', 'call_1', paris]],
    reason: 'tool-calls',
  },
  {
    says: 'a last event without output, and nothing before it',
    source: github('bytedance/deer-flow/pull/1928'),
    wire: 'openai-responses',
    body: named(completed({ output: null })),
    code: 'provider_empty',
  },
  {
    says: 'a whole response as JSON',
    source: github('lidge-jun/opencodex/pull/1006'),
    wire: 'openai-responses',
    type: JSON_TYPE,
    body: JSON.stringify(response({ output: [message, call], usage })),
    text: 'Hi',
    calls: [['go', 'call_1', paris]],
    reason: 'tool-calls',
    usage: [9, 0, 0, 4, 0],
  },
  {
    says: 'types as names of the events alone',
    source: github('earendil-works/pi/issues/8430'),
    wire: 'openai-responses',
    body: named(added(message), done(message), completed()).replaceAll(/"type":"response\.[^"]*",/g, ''),
    text: 'Hi',
    reason: 'stop',
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
];

export const ODD_OTHER_ANSWERS: readonly OddAnswer[] = [...MESSAGES, ...RESPONSES, ...GOOGLE];
