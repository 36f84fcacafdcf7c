/**
 * Calls in a conversation by names that no tool has: https://github.com/vercel/ai/issues/9173,
 * https://github.com/continuedev/continue/issues/9784.
 */
import { expect, test } from '@jest/globals';
import { messageSchema } from '../../contracts/content.ts';

test.each([
  ['checkErrors" />', 'checkErrors" />'],
  ['get weather\n', 'get weather\n'],
  ['n'.repeat(300), 'n'.repeat(300)],
  ['', 'unnamed'],
  [' ', 'unnamed'],
])('%j stays in its conversation', (written, name) => {
  const call = { type: 'tool-call', id: 'a', name: written, arguments: '{}' };
  expect(messageSchema.parse({ role: 'assistant', content: [call] }).content).toEqual([{ ...call, name }]);
});
