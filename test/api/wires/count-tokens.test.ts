/** What `count_tokens` counts besides text. https://github.com/CherryHQ/cherry-studio/pull/17106 */
import { expect, test } from '@jest/globals';
import { countTokensSchema, mapMessagesInput } from '../../../api/wires/anthropic-messages/request.ts';
import { countInput } from '../../../api/wires/count-input.ts';

const IMAGE = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } };
const PDF = {
  type: 'document',
  source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0xLjQK'.repeat(1_000) },
};
const byLength = async (texts: readonly string[]) => texts.map(({ length }) => length);

function countOf(content: object[], role: 'user' | 'assistant' = 'user'): Promise<number> {
  const body = countTokensSchema.parse({ model: 'm', messages: [{ role, content }] });
  const { input, ...rest } = mapMessagesInput(body);
  return countInput(byLength, { ...rest, messages: Array.isArray(input) ? input : [] });
}

test('images and documents, also in the results of tools', async () => {
  const text = { type: 'text', text: 'Here.' };
  const result = (...content: object[]) => ({ type: 'tool_result', tool_use_id: 'a', content });
  const plain = await countOf([result(text)]);
  expect((await countOf([result(text, IMAGE)])) - plain).toBeGreaterThan(1_000);
  expect((await countOf([result(text, PDF)])) - plain).toBeGreaterThan(1_000);
  expect(await countOf([PDF])).toBeGreaterThan(1_000);
});

test('thoughts, but not what signs them', async () => {
  const thinking = { type: 'thinking', thinking: 'Hm.', signature: 'c2ln'.repeat(1_000) };
  expect(await countOf([thinking], 'assistant')).toBeLessThan(50);
});
