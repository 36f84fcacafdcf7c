/** The items that a request had as its input, as they are listed, and as a conversation keeps them. */
import { expect, test } from '@jest/globals';
import { mapInputItems } from '../../../api/wires/openai-responses/items.ts';
import { toResponseItems } from '../../../api/wires/openai-responses/response-items.ts';

test('an item of reasoning stays before the message that came of it, as its vendors demand', () => {
  const reasoning = { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }] } as const;
  const message = { role: 'assistant', content: 'I look.' } as const;
  const call = { type: 'function_call', call_id: 'a', name: 'look', arguments: '{}' } as const;
  const [turn] = mapInputItems([reasoning, message, call]);
  const items = turn === undefined ? [] : toResponseItems(turn, 'msg_1');
  expect(items.map(({ type, id }) => [type, id])).toEqual([
    ['reasoning', 'msg_1_0'],
    ['message', 'msg_1'],
    ['function_call', 'msg_1_1'],
  ]);
  expect(mapInputItems(items as never)).toMatchObject([
    { content: [{ type: 'reasoning' }, { type: 'text', text: 'I look.' }, { type: 'tool-call' }] },
  ]);
});
