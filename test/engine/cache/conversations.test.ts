import { describe, expect, test } from '@jest/globals';
import type { Message } from '../../../contracts/content.ts';
import type { CacheQuestion } from '../../../engine/cache/answer-cache.ts';
import { cacheKey, partitionOf } from '../../../engine/cache/cache-key.ts';
import { compareConversations } from '../../../engine/cache/verifier/compare-conversations.ts';
import { quotesConversation, refersToNothing } from '../../../engine/cache/verifier/references.ts';
import { createVerifier } from '../../../engine/cache/verifier/verify.ts';
import { withoutModel } from './without-model.ts';

const verifier = createVerifier();

/** In both orders; the user's turns. */
function agreementOf(turns: readonly string[], others: readonly string[]): string {
  const [forwards = ''] = compareConversations(verifier, turns, [others], Number.POSITIVE_INFINITY).map(
    withoutModel,
  );
  const [backwards = ''] = compareConversations(verifier, others, [turns], Number.POSITIVE_INFINITY).map(
    withoutModel,
  );
  return forwards === backwards ? forwards : `${forwards} or ${backwards}`;
}

function talk(...contents: readonly string[]): CacheQuestion {
  const messages: Message[] = contents.map((content, at) => ({
    role: at % 2 === 0 ? 'user' : 'assistant',
    content,
  }));
  return {
    tenant: 'acme',
    onlyUser: null,
    candidates: [{ provider: 'p', model: 'm' }],
    input: { messages, maxOutputTokens: 100 },
  };
}

const PLANS = 'How do I move from Basic to Pro?';

describe('a conversation', () => {
  test.each([
    ['another question before', [PLANS, 'Cancel it.'], ['How do I move from Pro to Basic?', 'Cancel it.']],
    ['a turn less', ['Cancel it.'], [PLANS, 'Cancel it.']],
    ['a turn more', [PLANS, 'Thanks.', 'Cancel it.'], [PLANS, 'Cancel it.']],
    ['the same turns in another order', [PLANS, 'What is 2FA?', 'Why?'], ['What is 2FA?', PLANS, 'Why?']],
    ['a first turn of other numbers', ['Book 2 seats.', 'Do it.'], ['Book 3 seats.', 'Do it.']],
    [
      'yes for no',
      ['Is it a lab?', 'No, it is one of no size.'],
      ['Is it a lab?', 'Yes, it is one of no size.'],
    ],
  ])('with %s is another one, whatever its last words are', (_, turns, others) => {
    expect(agreementOf(turns, others)).toBe('different');
  });

  test('with other answers, images or results of tools has another partition', () => {
    const own = talk(PLANS, 'In the settings.', 'Cancel it.');
    expect(partitionOf(talk(PLANS, 'By mail.', 'Cancel it.'))).not.toBe(partitionOf(own));
    expect(partitionOf(talk('Cancel it.'))).not.toBe(partitionOf(own));
    expect(partitionOf(talk(PLANS, 'In the settings.', 'Thanks.', 'Sure.', 'Cancel it.'))).not.toBe(
      partitionOf(own),
    );
  });

  test('whose beginning is longer than what is embedded differs by that beginning', () => {
    const filler = 'The order has one lamp. '.repeat(150);
    const [first, other] = [`It is for Ann. ${filler}`, `It is for Bob. ${filler}`];
    expect(cacheKey(talk(first, 'Noted.', 'Cancel it.'))).not.toBe(
      cacheKey(talk(other, 'Noted.', 'Cancel it.')),
    );
    expect(agreementOf([first, 'Cancel it.'], [other, 'Cancel it.'])).toBe('different');
  });

  test('whose system prompt has the history differs by that', () => {
    const withSystem = (system: string) => {
      const { input, ...question } = talk('Cancel it.');
      return { ...question, input: { ...input, system } };
    };
    expect(partitionOf(withSystem('User: a lamp'))).not.toBe(partitionOf(withSystem('User: a chair')));
  });

  test('chooses the same of what was named, however that is written', () => {
    const talks = ['How do I cook the first one?', 'how do i cook the 1st?'].map((turn) => [
      'A cheap steak?',
      turn,
    ]);
    expect(agreementOf(talks[0] ?? [], talks[1] ?? [])).not.toBe('different');
  });

  test('in other words asks the same, turn by turn', () => {
    const others = ['What is the way to move from Basic to Pro?', 'How much does it cost?'];
    expect(agreementOf([PLANS, 'How much does it cost?'], others)).toBe('same');
  });
});

describe('a later turn that refers back', () => {
  const before = 'Compare Python and Ruby.';
  test.each([
    ['the first', 'the second', 'Tell me more about the first one.', 'Tell me more about the second one.'],
    ['the former', 'the latter', 'Explain the former.', 'Explain the latter.'],
    ['this', 'that', 'Delete this one.', 'Delete that one.'],
    ['one', 'several', 'Delete it.', 'Delete them.'],
    ['him', 'her', 'Is he older?', 'Is she older?'],
    ['from', 'to', 'And from Berlin?', 'And to Berlin?'],
    ['before', 'after', 'And before lunch?', 'And after lunch?'],
    ['with', 'without', 'And with milk?', 'And without milk?'],
    ['yes', 'no', 'Yes please.', 'No thanks.'],
    ['here', 'there', 'Is it cold here?', 'Is it cold there?'],
  ])('to %s is not one to %s', (_, __, turn, other) => {
    expect(agreementOf([before, turn], [before, other])).toBe('different');
  });

  test('by order needs the same words before: the second of two that changed places is another', () => {
    const turned = 'Compare Ruby and Python.';
    const second = 'Tell me more about the second one.';
    expect(agreementOf([before], [turned])).toBe('same');
    expect(agreementOf([before, second], [turned, second])).toBe('different');
    expect(agreementOf([before, second], [before, second])).toBe('same');
  });
});

describe('a first turn that refers to nothing present', () => {
  test.each([
    'Cancel it.',
    'continue',
    'Yes, please!',
    'try again',
    'And in Berlin?',
    'What about the other one?',
    'do the same for the second one',
    'Explain that again',
    'How do I fix this?',
    'Tell me more about it',
    'translate that',
    'shorter please',
    'Why?',
    'When was he born?',
    'and now in French',
  ])('%s: is found by the same words only', (turn) => {
    expect(refersToNothing(turn)).toBe(true);
    expect(agreementOf([turn], [`Please ${turn}`])).toBe('different');
    expect(agreementOf([turn], [turn])).toBe('same');
  });

  test.each([
    'How do I cancel my order?',
    'Is it safe to swim after eating?',
    'My laptop is slow, how do I fix it?',
    'How long does it take to boil an egg?',
    'What time is it in Tokyo?',
    'Is Pluto a planet, or is it something else?',
    'Who was the first woman in space?',
    'What is the difference between this and that in JavaScript?',
  ])('%s: names what it is about', (turn) => {
    expect(refersToNothing(turn)).toBe(false);
  });
});

test('a conversation that is pasted into one turn is found by the same words only', () => {
  const pasted = (first: string) => `User: ${first}\nAssistant: Sure.\nUser: Cancel it.`;
  expect(quotesConversation(pasted('a lamp'))).toBe(true);
  expect(quotesConversation('Answer: yes or no?')).toBe(false);
  expect(agreementOf([pasted('Buy a lamp.')], [pasted('Purchase a lamp.')])).toBe('different');
  expect(agreementOf([pasted('Buy a lamp.')], [pasted('Buy a lamp.')])).toBe('same');
});
