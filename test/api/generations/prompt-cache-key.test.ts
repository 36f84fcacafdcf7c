import { describe, expect, test } from '@jest/globals';
import { promptCacheKeyOf } from '../../../api/generations/prompt-cache-key.ts';
import type { GenerationInput, Message } from '../../../contracts/generation.ts';

const mark = { format: 'anthropic-messages' as const, fields: { cache_control: { type: 'ephemeral' } } };
const first: Message = { role: 'user', content: [{ type: 'text', text: 'Read the file.', native: mark }] };
const input: GenerationInput = {
  system: 'You are an agent.',
  messages: [first],
  maxOutputTokens: 100,
  tools: [{ name: 'read', description: 'Reads a file.', parameters: { type: 'object' } }],
};
const later: GenerationInput = {
  ...input,
  messages: [
    { role: 'user', content: 'Read the file.' },
    { role: 'assistant', content: 'Done.' },
    { role: 'user', content: [{ type: 'text', text: 'And now?', native: mark }] },
  ],
};
const keyOf = (of: GenerationInput, tenant = 'acme', tokens = 5_000) => promptCacheKeyOf(tenant, of, tokens);

describe('the key of a conversation for prompt caches', () => {
  test('is the same at every turn, wherever the client moves its marks', () => {
    expect(keyOf(input)).toMatch(/^[0-9a-f]{32}$/);
    expect(keyOf(later)).toBe(keyOf(input));
    expect(keyOf({ ...later, maxOutputTokens: 7, temperature: 1 })).toBe(keyOf(input));
  });

  test('is another for another tenant, system text, tool or first message', () => {
    const others = [
      keyOf(input, 'other'),
      keyOf({ ...input, system: 'You are another agent.' }),
      keyOf({ ...input, tools: [] }),
      keyOf({ ...input, messages: [{ role: 'user', content: 'Read the other file.' }] }),
      keyOf({ ...input, messages: [{ role: 'system', content: 'Be brief.' }, first] }),
      // Texts that are the same when joined.
      keyOf({
        ...input,
        system: 'You are an agent.Read',
        messages: [{ role: 'user', content: ' the file.' }],
      }),
    ];
    expect(new Set([...others, keyOf(input)]).size).toBe(others.length + 1);
  });

  test('is absent where no vendor would cache, and where prompt caching is off', () => {
    expect(keyOf(input, 'acme', 511)).toBeUndefined();
    expect(keyOf(input, 'acme', 512)).toBeDefined();
    expect(keyOf({ ...input, promptCaching: 'off' })).toBeUndefined();
  });
});
