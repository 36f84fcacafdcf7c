import { expect, test } from '@jest/globals';
import { readSentInput } from '../../../activities/attempt/sent-input.ts';

const MESSAGES = [{ role: 'user', content: 'A long context.' }] as const;

/** What is sent where the input asks for compression, or not, and this much of it is left. */
function sent(input: object | null, shortened: object | null) {
  const log = { readInput: async () => input };
  const compression = { read: async () => shortened };
  const context = { read: async (_tenant: string, { messages }: { messages: unknown }) => messages };
  const dependencies = { log, compression, context } as unknown as Parameters<typeof readSentInput>[0];
  return readSentInput(dependencies, { generationId: 'gen_1', tenant: 'acme' });
}

test('a lost compressed input is not replaced by the whole one, which costs more than was reserved', async () => {
  const compressed = { messages: MESSAGES, maxOutputTokens: 1, compression: { ratio: 0.5 } };
  expect(await sent(compressed, null)).toBeNull();
  const short = [{ role: 'user', content: 'A context.' }];
  expect(await sent(compressed, { messages: short })).toMatchObject({ messages: short });
  const plain = { messages: MESSAGES, maxOutputTokens: 1 };
  expect(await sent(plain, null)).toEqual(plain);
  expect(await sent(null, null)).toBeNull();
});
