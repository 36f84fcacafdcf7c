import { describe, expect, test } from '@jest/globals';
import { createVerifier } from '../../cache/verifier/verify.ts';
import { readLabelledPairs } from './labelled-pairs.ts';

const { verify, signatureOf } = createVerifier();
const verdictOf = (one: string, other: string) => verify(one, other).verdict;

describe('the verifier', () => {
  test.each([
    ['How do I enable 2FA?', "What's the way to turn on two-factor authentication?"],
    ['Who was king of France in 1789?', 'In 1789, who was the French king?'],
    ['How do plants produce oxygen?', 'How is oxygen produced by plants?'],
    ['What is the difference between TCP and UDP?', 'UDP vs TCP'],
    ['How much is 100 US dollars in euros?', 'Convert $100 to EUR.'],
  ])('lets other words ask the same: %s - %s', (one, other) => {
    expect(verify(one, other)).toEqual({ verdict: 'same' });
    expect(verify(other, one)).toEqual({ verdict: 'same' });
    expect(signatureOf(one)).toBe(signatureOf(other));
  });

  test.each([
    ['negation', 'Can I bake bread with yeast?', 'Can I bake bread without yeast?'],
    ['number', 'What is the square root of 144?', 'What is the square root of 169?'],
    ['number', 'Convert 20 degrees Celsius to Fahrenheit.', 'Convert -20 degrees Celsius to Fahrenheit.'],
    ['unit', 'Is a refund possible within 30 days?', 'Is a refund possible within 30 hours?'],
    ['date', 'Where is the invoice for March?', 'Where is the invoice for April?'],
    ['entity', 'What is the capital of Austria?', 'What is the capital of Australia?'],
    ['roles', 'Does the cat chase the dog?', 'Does the dog chase the cat?'],
    ['roles', 'How do I move from Basic to Pro?', 'How do I move from Pro to Basic?'],
    ['roles', 'Is sound faster in water than in air?', 'Is sound faster in air than in water?'],
    ['antonym', 'How do I enable notifications?', 'How do I disable notifications?'],
    ['scope', 'Send it to all members.', 'Send it to some members.'],
    ['version', "What's new in Python 3.12?", "What's new in Python 3.11?"],
    ['format', 'List the planets as JSON.', 'List the planets as CSV.'],
    ['language', 'Write a sort in Python.', 'Write a sort in Rust.'],
    ['question', 'How do I cancel my order?', 'Why do I cancel my order?'],
    ['question', 'Write a haiku.', 'What is a haiku?'],
    ['question', 'What is the inflation rate?', 'What was the inflation rate?'],
  ])('tells a difference of %s: %s - %s', (kind, one, other) => {
    expect(verify(one, other)).toMatchObject({ verdict: 'different', difference: { kind } });
    expect(verify(other, one)).toMatchObject({ verdict: 'different', difference: { kind } });
  });

  test('is unsure of a word that it knows no counterpart for, and says which', () => {
    const verdict = verify('How do I unlock the gate?', 'How do I paint the gate?');
    expect(verdict).toEqual({ verdict: 'unsure', words: ['unlock', 'paint'] });
  });

  test('a prompt without any word of its own is never the same as another', () => {
    expect(verdictOf('?', '!')).not.toBe('same');
    expect(verdictOf('What is it?', 'What is this?')).not.toBe('same');
  });

  test('what is quoted must be the same, letter by letter and in its order', () => {
    const task = (text: string) => `Change to the passive voice: "${text}"`;
    expect(verdictOf(task('The dog bit the man.'), `Please: ${task('The dog bit the man')}`)).toBe('same');
    expect(verdictOf(task('The dog bit the man.'), task('The man bit the dog.'))).toBe('different');
  });

  test('no prompt of the labelled pairs is taken for one of another group', () => {
    const groups = Map.groupBy(readLabelledPairs(), ({ domain, group }) => `${domain} ${group}`);
    const asks = [...groups.values()].flatMap(([first]) => (first === undefined ? [] : [first.ask]));
    const taken = asks.flatMap((one, index) =>
      asks.slice(index + 1).filter((other) => verdictOf(one, other) === 'same'),
    );
    expect(asks.length).toBeGreaterThan(200);
    expect(taken).toEqual([]);
  });

  test('reads a long text in a time that is short, whatever is in it', () => {
    const hostile = [
      'a '.repeat(2_000),
      'how do i '.repeat(400),
      `${'in what way '.repeat(300)}: `,
      '"'.repeat(4_000),
    ];
    for (const text of hostile) {
      const begunAt = performance.now();
      verify(text, `${text} b`);
      expect(performance.now() - begunAt).toBeLessThan(1_000);
    }
  });
});

describe('the labelled pairs', () => {
  const pairs = readLabelledPairs();

  test('are at least 400 in each part that is reported or tuned on, of every kind of difference', () => {
    for (const part of ['tune', 'report'] as const) {
      expect(pairs.filter((pair) => pair.part === part).length).toBeGreaterThan(400);
    }
    expect(new Set(pairs.map(({ differs }) => differs)).size).toBe(13);
  });

  test('no prompt is in both parts', () => {
    const textsOf = (part: string) =>
      new Set(pairs.filter((pair) => pair.part === part).flatMap(({ ask, other }) => [ask, other]));
    const tuned = textsOf('tune');
    expect([...textsOf('report')].filter((text) => tuned.has(text))).toEqual([]);
  });
});
