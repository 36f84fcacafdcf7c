/** Requests of Responses as clients of both formats write them: what reaches the model. */
import { expect, test } from '@jest/globals';
import { mapInputItems } from '../../../api/wires/openai-responses/items.ts';
import { mapResponseCreate, responseCreateSchema } from '../../../api/wires/openai-responses/request.ts';
import { foreignFields } from '../../../engine/models/native-fields.ts';
import { buildOpenAiChatRequest } from '../../../engine/providers/openai-chat/request.ts';
import { buildOpenAiResponseRequest } from '../../../engine/providers/openai-responses/request.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';
import { callOf } from '../../engine/providers/hear.ts';

const config = loadConfig({ OPENAI_API_KEY: 'k' });
const PNG = 'data:image/png;base64,iVBORw0KGgo=';
const PDF = 'data:application/pdf;base64,JVBERi0=';
const SCHEMA = { type: 'object', properties: {} };

const mapped = (fields: object) => {
  const body = responseCreateSchema.parse({ model: 'openai/gpt-5.1', input: 'Hi', ...fields });
  return mapResponseCreate(config, body, { messages: [], tools: [] }).request;
};
const messagesOf = (...input: object[]) => {
  const { input: items } = responseCreateSchema.parse({ input });
  return typeof items === 'object' ? mapInputItems(items) : [];
};

// https://github.com/promptfoo/promptfoo/pull/10592
test('parts of messages as chat completions have them are parts like the others', () => {
  const content = [
    { type: 'text', text: 'Look:' },
    { type: 'image_url', image_url: { url: PNG, detail: 'low' } },
  ];
  const own = [
    { type: 'input_text', text: 'Look:' },
    { type: 'input_image', image_url: PNG, detail: 'low' },
  ];
  const parts = [
    { type: 'text', text: 'Look:' },
    { type: 'image', url: PNG, detail: 'low' },
  ];
  for (const written of [content, own]) {
    expect(messagesOf({ role: 'user', content: written })).toEqual([{ role: 'user', content: parts }]);
  }
  expect(messagesOf({ role: 'assistant', content: [{ type: 'text', text: 'So.' }] })).toEqual([
    { role: 'assistant', content: [{ type: 'text', text: 'So.' }] },
  ]);
});

// https://github.com/BerriAI/litellm/pull/39977
test('a document that comes as a picture is a document', () => {
  expect(messagesOf({ role: 'user', content: [{ type: 'input_image', image_url: PDF }] })).toEqual([
    { role: 'user', content: [{ type: 'file', url: PDF }] },
  ]);
});

// https://github.com/BerriAI/litellm/issues/40654
test.each([
  ['its summary', { summary: [{ type: 'summary_text', text: 'Short.' }] }, 'Short.'],
  ['its content', { summary: [], content: [{ type: 'reasoning_text', text: 'Long.' }] }, 'Long.'],
])('the reasoning of an earlier turn is read from %s', (_from, fields, text) => {
  expect(messagesOf({ type: 'reasoning', id: 'rs_1', ...fields })).toEqual([
    { role: 'assistant', content: [{ type: 'reasoning', text }] },
  ]);
});

test('a conversation continues behind a call whose arguments its cap has cut', () => {
  const call = { type: 'function_call', call_id: 'a', name: 'look', arguments: '{"town": "Li' };
  const [turn] = messagesOf(call, { type: 'function_call_output', call_id: 'a', output: 'Write JSON.' });
  expect(turn?.content).toEqual([
    { type: 'tool-call', id: 'a', name: 'look', arguments: JSON.stringify({ INVALID_JSON: call.arguments }) },
  ]);
});

test('tools and their choice as chat completions have them are tools like the others', () => {
  const own = { name: 'look', description: 'Looks.', parameters: SCHEMA, strict: true };
  const nested = mapped({
    tools: [{ type: 'function', function: own }],
    tool_choice: { type: 'function', function: { name: 'look' } },
  });
  expect([nested.tools, nested.toolChoice]).toEqual([[own], { name: 'look' }]);
});

// OpenAI, "Function calling", "Strict mode": without the field, Responses are strict and chat completions are not.
test.each([undefined, null])('a tool whose strict is %s is as strict as the vendor makes it', (strict) => {
  const tool = { type: 'function', name: 'look', parameters: SCHEMA };
  const { tools = [] } = mapped({ tools: [{ ...tool, strict }] });
  const call = callOf({ tools });
  expect(buildOpenAiResponseRequest(call, { isBackground: false, reasons: false }).tools).toEqual([tool]);
  const { type: _type, ...own } = tool;
  expect(buildOpenAiChatRequest(call).tools).toEqual([{ type: 'function', function: own }]);
  const input = { tools, messages: [], maxOutputTokens: 1 };
  expect(foreignFields(input, 'openai-chat', 'vllm')).toEqual({ refused: [], dropped: [] });
});

test('a tool of chat completions without strict is not strict at Responses', () => {
  const call = callOf({ tools: [{ name: 'look', parameters: SCHEMA }] });
  expect(buildOpenAiResponseRequest(call, { isBackground: false, reasons: false }).tools).toEqual([
    { type: 'function', name: 'look', parameters: SCHEMA, strict: false },
  ]);
  expect(JSON.stringify(buildOpenAiChatRequest(call).tools)).not.toContain('strict');
});

// https://github.com/openclaw/openclaw/pull/88558
test.each([
  ['any tool', 'required'],
  ['a tool', { type: 'function', name: 'look' }],
])('a request that demands %s and has none is refused', (_what, choice) => {
  expect(() => mapped({ tool_choice: choice })).toThrow(/^tool_choice: /);
  expect(mapped({ tool_choice: 'auto' }).toolChoice).toBeUndefined();
});

test('a tool without a name is refused by its field', () => {
  const refused = responseCreateSchema.safeParse({ tools: [{ type: 'function', parameters: SCHEMA }] });
  expect(JSON.stringify(refused.error?.issues)).toContain('"name"');
});
