/** Where the results of tools stand: directly after the turn that called them, as every vendor wants it. */
import { expect, test } from '@jest/globals';
import type { Message, Part } from '../../../contracts/content.ts';
import { toolResultViolations, withResultsAfterCalls } from '../../../engine/models/rules/tool-results.ts';

const call = (id: string): Part => ({ type: 'tool-call', id, name: 'look', arguments: '{}' });
const result = (id: string): Part => ({ type: 'tool-result', id, content: 'a boat' });
const text = (own: string): Part => ({ type: 'text', text: own });
const assistant = (...content: Part[]): Message => ({ role: 'assistant', content });
const user = (...content: Part[]): Message => ({ role: 'user', content });

// https://github.com/openai/codex/pull/6962
test('what the assistant says between a call and its result is of the turn with the call', () => {
  const wait: Message = { role: 'assistant', content: 'Wait.' };
  const messages = [
    user(text('Look.')),
    assistant(text('I look.'), call('a')),
    { ...wait, native: { format: 'openai-responses' as const, fields: { phase: 'commentary' } } },
    assistant(call('b')),
    user(result('a'), result('b')),
  ];
  const ordered = withResultsAfterCalls(messages);
  expect(ordered).toEqual([
    user(text('Look.')),
    {
      ...assistant(text('I look.'), call('a'), text('\n\nWait.'), call('b')),
      native: { format: 'openai-responses', fields: { phase: 'commentary' } },
    },
    user(result('a'), result('b')),
  ]);
  expect([...toolResultViolations(ordered)]).toEqual([]);
});

test('turns of the assistant stay apart where no call waits for its result', () => {
  const messages = [
    assistant(call('a')),
    user(result('a')),
    assistant(text('Seen.')),
    assistant(text('And now?')),
    user(text('Yes.')),
  ];
  expect(withResultsAfterCalls(messages)).toEqual(messages);
});
