import { expect, test } from '@jest/globals';
import { foldAnswer } from '../../../api/wires/answer.ts';
import { wholeChat } from '../../../api/wires/openai-chat/project.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import { endWith, USAGE } from '../../harness/script.ts';

test('the usage of a chat completion has what was read from the cache of the vendor, and what was written', () => {
  const usage = { ...USAGE, cachedInputTokens: 30, cacheWriteTokens: 20 };
  const log = [
    { type: 'generation-start', seq: 0, at: 0, generationId: 'gen_1', route: 'default', user: 'ann' },
    { ...endWith(), seq: 1, at: 0, usage },
  ] as GenerationEvent[];
  expect(wholeChat({ model: 'm', usesFunctions: false }, [foldAnswer(log)]).usage).toMatchObject({
    prompt_tokens: 61,
    prompt_tokens_details: { cached_tokens: 30, cache_write_tokens: 20 },
  });
});
