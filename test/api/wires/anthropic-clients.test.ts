/** What Anthropic's clients read of a stream and of an error, besides the answer. */
import { describe, expect, test } from '@jest/globals';
import { parseWith } from '../../../api/http/read-request.ts';
import { foldAnswer } from '../../../api/wires/answer.ts';
import { toAnthropicError } from '../../../api/wires/anthropic-messages/errors.ts';
import { MessageProjection, wholeMessage } from '../../../api/wires/anthropic-messages/project.ts';
import { mapMessagesRequest, messagesSchema } from '../../../api/wires/anthropic-messages/request.ts';
import { endingOf } from '../../../contracts/ending.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { EventBody, GenerationEvent } from '../../../contracts/events.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';

const USER = { role: 'user', content: 'Hi' };

const start: EventBody = { type: 'generation-start', generationId: 'gen_1', route: 'default', user: 'u' };
const hit: EventBody = { type: 'cache-hit', provider: 'p', model: 'm', similarity: 1, ageMs: 1 };
const text: EventBody = { type: 'text-delta', text: 'Hi' };
const ENDED = {
  usage: NO_USAGE,
  costMicroUsd: 0,
  attempts: 1,
  provider: 'p',
  model: 'm',
  cached: false,
} as const;

function firstUsage(...bodies: readonly EventBody[]) {
  const projection = new MessageProjection('m', 120);
  const frames = bodies.flatMap((body, seq) => projection.push({ ...body, seq, at: 1 } as GenerationEvent));
  const [first] = frames;
  return first?.type === 'message_start' ? first.message.usage.input_tokens : undefined;
}

describe('a stream', () => {
  test('begins with about as many input tokens as the request has', () => {
    expect(firstUsage(start, text)).toBe(120);
  });

  test('of a stored answer begins with none', () => {
    expect(firstUsage(start, hit, text)).toBe(0);
  });
});

/** https://github.com/BerriAI/litellm/issues/27060, https://github.com/anthropics/anthropic-sdk-typescript/pull/1165 */
test('a summary of earlier turns is streamed as its vendor streams it, and the pause behind it has its name', () => {
  const block = { type: 'compaction', content: 'Summary.', encrypted_content: 'E', signature: 'S' };
  const projection = new MessageProjection('m');
  const bodies: readonly EventBody[] = [
    start,
    { type: 'native-part', format: 'anthropic-messages', value: block },
    {
      type: 'generation-end',
      finishReason: 'pause',
      vendorReason: 'compaction',
      ...ENDED,
    },
  ];
  const frames = bodies.flatMap((body, seq) => projection.push({ ...body, seq, at: 1 } as GenerationEvent));
  expect(frames.slice(1, 3)).toEqual([
    { type: 'content_block_start', index: 0, content_block: { ...block, content: null } },
    {
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'compaction_delta', content: 'Summary.', encrypted_content: 'E' },
    },
  ]);
  expect(frames.at(-2)).toMatchObject({ type: 'message_delta', delta: { stop_reason: 'compaction' } });
});

test('what the vendor has left out of the conversation reaches the client that asked, streamed and whole', () => {
  const appliedEdits = [
    { type: 'clear_thinking_20251015', cleared_thinking_turns: 2, cleared_input_tokens: 70 },
  ];
  const end: EventBody = {
    type: 'generation-end',
    finishReason: 'stop',
    ...endingOf({ appliedEdits }),
    ...ENDED,
  };
  const events = [start, text, end].map((body, seq) => ({ ...body, seq, at: 1 }) as GenerationEvent);
  const projection = new MessageProjection('m');
  const frames = events.flatMap((event) => projection.push(event));
  const context_management = { applied_edits: appliedEdits };
  expect(frames.at(-2)).toMatchObject({ type: 'message_delta', context_management });
  expect(wholeMessage('m', foldAnswer(events))).toMatchObject({ context_management });
  const plain = wholeMessage('m', foldAnswer(events.slice(0, 2)));
  expect(plain).not.toHaveProperty('context_management');
});

test.each([
  [{ type: 'computer_20251124', name: 'computer', display_width_px: 1, display_height_px: 1 }],
  [{ type: 'text_editor_20991231', name: 'str_replace_based_edit_tool' }],
  [{ type: 'computer_toolset_20260801', configs: { zoom: { enabled: true } } }],
  [{ type: 'browser_toolset_20990101' }],
])('a tool of the vendor that the client runs is passed on in any version: %j', (tool) => {
  const body = messagesSchema.parse({
    model: 'anthropic/claude-opus-5',
    max_tokens: 9,
    messages: [USER],
    tools: [tool],
  });
  const { tools } = mapMessagesRequest(loadConfig({ ANTHROPIC_API_KEY: 'k' }), body, []).request;
  expect(tools).toEqual([{ type: 'native', format: 'anthropic-messages', value: tool }]);
});

test.each(['web_search_20260209', 'code_execution_20260521'])(
  '%s, which runs at the vendor, is refused',
  (type) => {
    const fields = { model: 'm', max_tokens: 9, messages: [USER], tools: [{ type, name: 'x' }] };
    expect(() => parseWith(messagesSchema, fields)).toThrow('only tools that the client runs are supported');
  },
);

describe('an error', () => {
  test('for an input that is too long has the words by which agents know that they must compact', () => {
    const messageOf = (message: string) =>
      toAnthropicError(new UnbrokenError('context_length_exceeded', message)).error.message;
    expect(messageOf('400: The maximum context length is 8192 tokens.')).toBe(
      'prompt is too long: 400: The maximum context length is 8192 tokens.',
    );
    expect(messageOf('400: prompt is too long: 3 tokens > 2 maximum')).toBe(
      '400: prompt is too long: 3 tokens > 2 maximum',
    );
  });

  // https://github.com/musistudio/claude-code-router/issues/1799, https://github.com/anthropics/claude-code/issues/228
  test.each([
    [
      '230462 + 32000 > 262144',
      "Requested token count exceeds the model's maximum context length of 262144 tokens. You requested a total of 262462 tokens: 230462 tokens from the input messages and 32000 tokens for the completion.",
    ],
    [
      '5300 + 4000 > 8192',
      "This model's maximum context length is 8192 tokens. However, you requested 9300 tokens (5000 in the messages, 300 in the functions, and 4000 in the completion). Please reduce the length of the messages.",
    ],
    [
      '119154 + 32000 > 131072',
      "This endpoint's maximum context length is 131072 tokens. However, you requested about 151154 tokens (118386 of text input, 768 of tool input, 32000 in the output).",
    ],
    [
      '15000 + 32000 > 40960',
      "'max_tokens' or 'max_completion_tokens' is too large: 32000. This model's maximum context length is 40960 tokens and your request has 15000 input tokens (32000 > 40960 - 15000).",
    ],
    [
      '24577 + 8192 > 32768',
      "This model's maximum context length is 32768 tokens. However, you requested 8192 output tokens and your prompt contains at least 24577 input tokens, for a total of at least 32769 tokens.",
    ],
  ])('has the words by which agents ask for a shorter answer where the input fits: %s', (counts, words) => {
    const error = new UnbrokenError('context_length_exceeded', `400: ${words}`);
    const expected = `input length and \`max_tokens\` exceed context limit: ${counts}, decrease input length or \`max_tokens\` and try again`;
    expect(toAnthropicError(error).error.message).toBe(expected);
  });

  test("keeps the vendor's own words for it, and compacts where the input alone is too long", () => {
    const messageOf = (message: string) =>
      toAnthropicError(new UnbrokenError('context_length_exceeded', message)).error.message;
    const own = '400: input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000';
    expect(messageOf(own)).toBe(own);
    const long =
      "This model's maximum context length is 8192 tokens. However, you requested 9300 tokens (9000 in the messages, 300 in the completion).";
    expect(messageOf(long)).toBe(`prompt is too long: ${long}`);
  });

  // Source: Anthropic API reference, "Errors"; https://github.com/api7/aisix/pull/352
  test.each([
    ['method_not_allowed', 'invalid_request_error'],
    ['cursor_expired', 'invalid_request_error'],
    ['generation_timeout', 'timeout_error'],
    ['service_unavailable', 'overloaded_error'],
    ['provider_unavailable', 'api_error'],
    ['internal', 'api_error'],
  ] as const)('has the type that its status has at the vendor: %s', (code, type) => {
    expect(toAnthropicError(new UnbrokenError(code, 'No.')).error.type).toBe(type);
  });

  test('names its request', () => {
    const error = new UnbrokenError('invalid_request', 'No.');
    expect(toAnthropicError(error, 'req_1').request_id).toBe('req_1');
    expect(toAnthropicError(error).request_id).toBeNull();
  });
});
