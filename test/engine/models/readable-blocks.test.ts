/** Blocks of Anthropic's format that any model can read reach the others as text. */
import { expect, test } from '@jest/globals';
import type { Message, NativePart } from '../../../contracts/content.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import { CalledModels } from '../../../engine/models/called-model.ts';
import { foreignFields } from '../../../engine/models/native-fields.ts';
import { findInputRefusal } from '../../../engine/models/refuse-input.ts';
import { fitInput } from '../../../engine/models/rules/vendor-rules.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';

const models = new CalledModels(loadConfig({}));

function callOf(name: string, messages: readonly Message[]) {
  const [provider = '', model = ''] = name.split('/');
  const input: GenerationInput = { messages, maxOutputTokens: 4_000 };
  const call = models.find({ provider, model }, input);
  if (call === null) throw new Error(`no provider ${provider}`);
  return call;
}

const block = (value: Record<string, unknown>): NativePart => ({
  type: 'native',
  format: 'anthropic-messages',
  value,
});
const inResult = (part: NativePart): Message[] => [
  { role: 'user', content: 'Find it.' },
  { role: 'assistant', content: [{ type: 'tool-call', id: 'a', name: 'ToolSearch', arguments: '{}' }] },
  { role: 'user', content: [{ type: 'tool-result', id: 'a', content: [part] }] },
];

const REFERENCE = block({ type: 'tool_reference', tool_name: 'WebFetch' });
const FOUND = block({
  type: 'search_result',
  source: 'https://example.com/a',
  title: 'A',
  content: [{ type: 'text', text: 'Boats.' }],
  citations: { enabled: true },
});
const DOCUMENT = block({
  type: 'document',
  title: 'B',
  source: { type: 'content', content: [{ type: 'text', text: 'Ships.' }] },
});
const CASES = [
  [REFERENCE, 'Tool available: WebFetch'],
  [FOUND, 'A\n\nhttps://example.com/a\n\nBoats.'],
  [DOCUMENT, 'B\n\nShips.'],
] as const;

// https://github.com/LeenHawk/gproxy/issues/239, https://github.com/caigee-cmd/cli2api/pull/152
test.each(['openai/gpt-5.1', 'openai-chat/gpt-4.1', 'google/gemini-3-flash', 'cohere/command-a-03-2025'])(
  '%s reads them in the results of tools and elsewhere',
  (name) => {
    for (const [part, text] of CASES) {
      const call = callOf(name, inResult(part));
      expect([name, findInputRefusal(call)?.message]).toEqual([name, undefined]);
      expect(fitInput(call).input.messages.at(-1)?.content).toEqual([
        { type: 'tool-result', id: 'a', content: [{ type: 'text', text }] },
      ]);
      const alone = callOf(name, [{ role: 'user', content: [part] }]);
      expect(findInputRefusal(alone)).toBeNull();
      expect(fitInput(alone).input.messages).toEqual([{ role: 'user', content: [{ type: 'text', text }] }]);
    }
  },
);

test('their own vendor gets them as they are, and the caller learns what others lack', () => {
  const messages = inResult(FOUND);
  expect(fitInput(callOf('anthropic/claude-sonnet-4-5', messages)).input.messages).toEqual(messages);
  expect(foreignFields({ messages }, 'openai-chat', 'openai').dropped).toEqual(['search_result.citations']);
});

test('a document with a picture in it is still refused', () => {
  const content = [{ type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } }];
  const part = block({ type: 'document', source: { type: 'content', content } });
  expect(findInputRefusal(callOf('openai/gpt-5.1', inResult(part)))?.code).toBe('unsupported_by_model');
});
