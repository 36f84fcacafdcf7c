/** A conversation of many turns costs as much as it is long, whatever its turns and calls have in common. */
import { expect, test } from '@jest/globals';
import { Conversation } from '../../../api/wires/conversation.ts';
import type { Message, Part } from '../../../contracts/content.ts';
import { tailStart } from '../../../engine/compaction/plan-compaction.ts';
import { withUniqueCallIds } from '../../../engine/models/rules/call-ids.ts';
import { fitChatTurns } from '../../../engine/models/rules/chat-turns.ts';
import { withResultsAfterCalls } from '../../../engine/models/rules/tool-results.ts';
import { growthOf } from '../../harness/growth.ts';

const call = (id: string): Part => ({ type: 'tool-call', id, name: 'look', arguments: '{}' });
const asks = (id: string): Message => ({ role: 'assistant', content: [call(id)] });
const tells = (id: string): Message => ({
  role: 'user',
  content: [{ type: 'tool-result', id, content: 'a boat' }],
});
const ids = (count: number) => Array.from({ length: count }, (_, index) => `call_${index}`);

const pairs = (count: number) => ids(count).flatMap((id) => [asks(id), tells(id)]);
/** All calls, and then all results, from the last one on. */
const folded = (count: number) => [...ids(count).map(asks), ...ids(count).reverse().map(tells)];
const foldedApart = (count: number) => [
  ...ids(count).map(asks),
  { role: 'user', content: 'Wait.' } as const,
  ...ids(count).map(tells),
];
const sameId = (count: number) => ids(count).flatMap(() => [asks('call_0'), tells('call_0')]);
const alternate = (messages: readonly Message[]) =>
  fitChatTurns({ messages, maxOutputTokens: 1, capFrom: 'default' }, { turns: 'alternate' });

test.each<[string, (count: number) => readonly Message[], (messages: readonly Message[]) => unknown]>([
  ['results after their calls', pairs, withResultsAfterCalls],
  ['calls in many turns, before all results', folded, withResultsAfterCalls],
  ['an id that all calls share', sameId, withUniqueCallIds],
  ['turns of one side in a row', folded, alternate],
  ['calls that the end of a conversation needs', foldedApart, tailStart],
])('%s', (_what, conversationOf, work) => {
  const prepare = (count: number) => {
    const messages = conversationOf(count);
    return () => work(messages);
  };
  expect(growthOf(prepare, 4_000)).toBeLessThan(3);
});

test('results that come one by one form a turn', () => {
  const addAll = (count: number) => () => {
    const conversation = new Conversation();
    for (const id of ids(count)) conversation.addToolResult({ id, content: 'a boat' });
    return conversation.messages;
  };
  expect(addAll(3)()).toMatchObject([{ role: 'user', content: [{ id: 'call_0' }, {}, { id: 'call_2' }] }]);
  expect(growthOf(addAll, 4_000)).toBeLessThan(3);
});

test('the calls of an id get the same ids as before, and those with other ids keep theirs', () => {
  const named = withUniqueCallIds([asks('a'), asks('a_2'), asks('a'), asks('a'), tells('a')]);
  const own = named.map(({ content }) => (content as readonly { readonly id: string }[])[0]?.id);
  expect(own).toEqual(['a', 'a_2', 'a_3', 'a_4', 'a_4']);
});
