/** Items of reasoning as OpenAI takes them back, whatever their client has kept of them. */
import { expect, test } from '@jest/globals';
import type { Message } from '../../../contracts/content.ts';
import { buildOpenAiResponseRequest } from '../../../engine/providers/openai-responses/request.ts';
import { callOf } from './hear.ts';

const question: Message = { role: 'user', content: 'And?' };
const thoughts = (value: object): Message => ({
  role: 'assistant',
  content: [
    { type: 'native', format: 'openai-responses', value: { type: 'reasoning', ...value }, isReasoning: true },
    { type: 'text', text: 'So.' },
  ],
});
const sent = (...messages: Message[]) => {
  const call = callOf({ messages: [question, ...messages, question] });
  const { input } = buildOpenAiResponseRequest(call, { isBackground: false, reasons: true });
  return (input as { type?: string }[]).filter(({ type }) => type === 'reasoning');
};
const ITEM = { id: 'rs_1', summary: [], encrypted_content: 'gAAA' };

test.each([
  ['its status', { ...ITEM, status: 'completed' }, 'digitallyinduced/haskell-agent/pull/689'],
  ['a status of null', { ...ITEM, status: null }, 'openai/openai-agents-python/pull/3026'],
  ['content of null', { ...ITEM, content: null }, '1jehuang/jcode/issues/1028'],
  [
    'its plain thoughts',
    { ...ITEM, content: [{ type: 'reasoning_text', text: 'Hm.' }] },
    'musistudio/claude-code-router/issues/1783',
  ],
  ['no summary', { id: 'rs_1', encrypted_content: 'gAAA' }, 'newo-ether/Agora/issues/141'],
])('with %s it is the item that the vendor knows', (_with, value, _thread) => {
  expect(sent(thoughts(value))).toEqual([{ type: 'reasoning', ...ITEM }]);
});

// https://github.com/OpenRouterTeam/ai-sdk-provider/issues/254, https://github.com/VoltAgent/voltagent/issues/1121
test('an item that comes twice is sent once', () => {
  const other = { ...ITEM, id: 'rs_2' };
  expect(sent(thoughts(ITEM), thoughts(other), thoughts(ITEM))).toEqual([
    { type: 'reasoning', ...ITEM },
    { type: 'reasoning', ...other },
  ]);
});
