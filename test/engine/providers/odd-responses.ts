/** Odd answers of OpenAI's Responses. */
import { type Event, github, JSON_TYPE, named, type OddAnswer } from './odd-answer.ts';

export const paris = { location: 'Paris' };
export const whole = JSON.stringify(paris);

export const response = (more: object) => ({
  id: 'resp_1',
  object: 'response',
  status: 'completed',
  output: [],
  ...more,
});
export const call = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'go', arguments: whole };
export const message = {
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  content: [{ type: 'output_text', text: 'Hi' }],
};
export const added = (item: object): Event => ({ type: 'response.output_item.added', output_index: 0, item });
export const done = (item: object): Event => ({ type: 'response.output_item.done', output_index: 0, item });
export const completed = (more: object = {}) => ({ type: 'response.completed', response: response(more) });
const usage = { input_tokens: 9, output_tokens: 4, total_tokens: 13 };

export const delta = { type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: 'Hi' };
const other = { ...call, id: 'fc_2', call_id: 'call_2', arguments: '{"location":"Rome"}' };
export const argumentsOf = (item_id: string, output_index: number | undefined, delta: string) => ({
  type: 'response.function_call_arguments.delta',
  item_id,
  output_index,
  delta,
});
const thought = (more: object) => ({ type: 'response.reasoning_text.delta', output_index: 0, ...more });

export const ODD_RESPONSES: readonly OddAnswer[] = [
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
      thought({ delta: 'We', content_index: 0 }),
      thought({ delta: ' say', content_index: 1 }),
      thought({ delta: ' hi', content_index: 2 }),
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
    says: 'thoughts in the event that ends their item, without deltas',
    source: github('langchain-ai/langchain/issues/37625'),
    wire: 'openai-responses',
    body: named(
      done({ type: 'reasoning', id: 'rs_1', content: [{ text: 'Hm.' }, { text: 'So.' }] }),
      { ...done(message), output_index: 1 },
      completed(),
    ),
    reasoning: 'Hm.\n\nSo.',
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
