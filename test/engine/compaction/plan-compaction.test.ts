/** Which turns are summarised, which are left out, and that no call is parted from its result. */
import { describe, expect, test } from '@jest/globals';
import { compactionPart } from '../../../contracts/compaction.ts';
import type { Message } from '../../../contracts/generation.ts';
import { withCompactions } from '../../../engine/compaction/compacted-context.ts';
import { omittedToFit, withoutFirst } from '../../../engine/compaction/fit-window.ts';
import {
  calledTools,
  openCallStart,
  summaryInput,
  tailStart,
} from '../../../engine/compaction/plan-compaction.ts';
import { createRandom } from '../../harness/random.ts';

const user = (content: string): Message => ({ role: 'user', content });
const says = (content: string): Message => ({ role: 'assistant', content });
const developer = (content: string): Message => ({ role: 'developer', content });
const calls = (...ids: string[]): Message => ({
  role: 'assistant',
  content: ids.map((id) => ({ type: 'tool-call', id, name: 'look', arguments: '{}' })),
});
const results = (...ids: string[]): Message => ({
  role: 'user',
  content: ids.map((id) => ({ type: 'tool-result', id, content: 'seen' })),
});

describe('what stays as it is', () => {
  test.each<[string, readonly Message[], number]>([
    ['the question', [user('a'), says('b'), user('c')], 2],
    ['all that the user has just said', [user('a'), says('b'), user('c'), user('d')], 2],
    ['the calls whose results have come', [user('a'), calls('1'), results('1'), calls('2'), results('2')], 3],
    ['the beginning of an answer', [user('a'), says('b'), user('c'), says('d')], 2],
    ['a single question', [user('a')], 0],
    [
      'calls that the user has interrupted',
      [user('a'), calls('1'), user('wait'), results('1'), user('c')],
      4,
    ],
  ])('%s', (_what, messages, from) => {
    expect(tailStart(messages)).toBe(from);
  });

  test('no call is parted from its result, wherever the results stand', () => {
    expect(tailStart([user('a'), calls('1', '2'), results('1'), says('b'), results('2')])).toBe(1);
  });

  test('calls that wait for their results', () => {
    expect(openCallStart([user('a'), calls('1'), results('1'), calls('2')])).toBe(3);
    expect(openCallStart([user('a'), calls('1'), results('1')])).toBe(3);
  });
});

test('the model that summarises gets the conversation, its tools, which it may not call, and the request at the end', () => {
  const messages = [user('a'), calls('1'), results('1')];
  const tools = calledTools(messages);
  const input = summaryInput({ system: 'S', tools, maxOutputTokens: 9 }, messages, 321);
  expect(tools.map((tool) => 'name' in tool && tool.name)).toEqual(['look']);
  expect(input).toMatchObject({ system: 'S', tools, toolChoice: 'none', capFrom: 'default' });
  expect(input.messages.slice(0, 3)).toEqual(messages);
  expect(input.messages.at(-1)?.content).toContain('321 words');
  expect(summaryInput({ maxOutputTokens: 9 }, [user('a')], 9)).not.toHaveProperty('toolChoice');
});

describe('a compaction', () => {
  const opened = (keepsUserMessages: boolean) =>
    new Map([
      ['ubc1_x', { summary: 'S', lead: [developer('L')], tail: [], keepsUserMessages }],
      ['ubc1_old', { summary: 'OLD', lead: [], tail: [], keepsUserMessages }],
    ]);
  const item = (sealed: string): Message => ({ role: 'assistant', content: [compactionPart(sealed)] });
  const conversation = [
    developer('L'),
    developer('new'),
    item('ubc1_old'),
    user('a'),
    calls('1'),
    results('1'),
    item('ubc1_x'),
    user('b'),
  ];

  test('stands for all turns before it but the instructions that it does not have', () => {
    const sent = withCompactions(conversation, opened(false));
    expect(sent.map(({ content }) => content)).toEqual(['L', 'new', expect.stringMatching(/\n\nS$/), 'b']);
  });

  test('leaves the user messages, where it says so', () => {
    const sent = withCompactions(conversation, opened(true));
    expect(sent.map(({ content }) => content)).toEqual([
      'L',
      'new',
      'a',
      expect.stringMatching(/\n\nS$/),
      'b',
    ]);
  });
});

describe('a conversation that is too large', () => {
  const sizes = (messages: readonly Message[]) => messages.map(() => 10);

  test.each<[string, readonly Message[], number, number | null]>([
    ['fits', [user('a'), says('b')], 20, 0],
    ['loses its first turns', [user('a'), says('b'), user('c'), says('d'), user('e')], 30, 2],
    ['keeps its instructions', [developer('x'), user('a'), says('b'), user('c')], 20, 2],
    ['begins with words of a user', [user('a'), says('b'), says('c'), user('d')], 30, 3],
    ['has no half of a pair', [user('a'), calls('1'), results('1'), calls('2'), results('2')], 30, 3],
    ['keeps its last turn, or is refused', [developer('x'), user('a')], 10, null],
    ['is refused rather than parted', [user('a'), calls('1'), results('1')], 10, null],
  ])('%s', (_what, messages, room, omitted) => {
    expect(omittedToFit(messages, sizes(messages), room)).toBe(omitted);
  });

  test('never loses an instruction, its last turn or one half of a pair, whatever its order', () => {
    const random = createRandom(7);
    for (let round = 0; round < 500; round += 1) {
      const messages = conversationOf(random.between(1, 12), random.between);
      const room = random.between(0, messages.length * 10);
      const omitted = omittedToFit(messages, sizes(messages), room);
      if (omitted === null) continue;
      const sent = withoutFirst(messages, omitted);
      expect(sent.length * 10).toBeLessThanOrEqual(room);
      expect(sent.at(-1)).toBe(messages.at(-1));
      const instructions = (all: readonly Message[]) => all.filter(({ role }) => role === 'developer');
      expect(instructions(sent)).toEqual(instructions(messages));
      for (const id of idsOf(sent, 'tool-result')) expect(idsOf(sent, 'tool-call')).toContain(id);
    }
  });

  function conversationOf(length: number, between: (low: number, high: number) => number): Message[] {
    const messages: Message[] = [];
    for (let turn = 0; turn < length; turn += 1) {
      const kind = between(0, 3);
      if (kind === 0) messages.push(user(`u${turn}`));
      else if (kind === 1) messages.push(developer(`d${turn}`));
      else if (kind === 2) messages.push(says(`a${turn}`));
      else messages.push(calls(`${turn}`), results(`${turn}`));
    }
    return [...messages, user('the last')];
  }

  function idsOf(messages: readonly Message[], type: 'tool-call' | 'tool-result'): string[] {
    return messages.flatMap(({ content }) =>
      typeof content === 'string' ? [] : content.flatMap((part) => (part.type === type ? [part.id] : [])),
    );
  }
});
