import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compareConversations } from '../../../engine/cache/verifier/compare-conversations.ts';
import { createVerifier } from '../../../engine/cache/verifier/verify.ts';
import { cpuMsOf, growthOf } from '../../harness/growth.ts';
import { readLabelledPairs } from './labelled-pairs.ts';
import { verdictOf as verdictOfPair } from './without-model.ts';

const verifier = createVerifier();
const { verify, signatureOf } = verifier;
const verdictOf = (prompt: string, other: string) => verdictOfPair(verifier, prompt, other);

describe('the verifier', () => {
  test.each([
    ['How do I enable 2FA?', "What's the way to turn on two-factor authentication?"],
    ['Who was king of France in 1789?', 'In 1789, who was the French king?'],
    ['How do plants produce oxygen?', 'How is oxygen produced by plants?'],
    ['What is the difference between TCP and UDP?', 'UDP vs TCP'],
    ['How much is 100 US dollars in euros?', 'Convert $100 to EUR.'],
  ])('lets other words ask the same: %s - %s', (prompt, other) => {
    expect(verify(prompt, other)).toEqual({ verdict: 'aligned' });
    expect(verify(other, prompt)).toEqual({ verdict: 'aligned' });
    expect(signatureOf(prompt)).toBe(signatureOf(other));
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
    ['roles', 'I put diesel in my petrol car, what now?', 'I put petrol in my diesel car, what now?'],
    ['roles', 'Ask the head chef to train Mia on pastry.', 'Ask Mia to train the head chef on pastry.'],
    ['roles', 'My tin is round, the recipe says square.', 'My tin is square, the recipe says round.'],
    ['roles', 'Do I need stickers for a UK car in France?', 'Do I need stickers for a French car in the UK?'],
    ['antonym', 'How do I enable notifications?', 'How do I disable notifications?'],
    ['scope', 'Send it to all members.', 'Send it to some members.'],
    ['version', "What's new in Python 3.12?", "What's new in Python 3.11?"],
    ['format', 'List the planets as JSON.', 'List the planets as CSV.'],
    ['language', 'Write a sort in Python.', 'Write a sort in Rust.'],
    ['question', 'How do I cancel my order?', 'Why do I cancel my order?'],
    ['question', 'Write a haiku.', 'What is a haiku?'],
    ['tense', 'What is the inflation rate?', 'What was the inflation rate?'],
    [
      'order',
      'How do I sort a list by author, then by title?',
      'How do I sort a list by title, then by author?',
    ],
    ['entity', 'How do I freeze the top rows of a sheet?', 'How do I freeze the top columns of a sheet?'],
    ['entity', 'What does a vet charge for a horse?', 'What does a vet charge for a dog?'],
  ])('tells a difference of %s: %s - %s', (kind, prompt, other) => {
    expect(verify(prompt, other)).toMatchObject({ verdict: 'different', difference: { kind } });
    expect(verify(other, prompt)).toMatchObject({ verdict: 'different', difference: { kind } });
  });

  test.each([
    ['Are winter tyres mandatory in Germany?', 'In Germany, is it mandatory to have winter tyres?'],
    ['Which Go version introduced generics?', 'Generics were introduced in which version of Go?'],
    ['Is heat or oil best for a seized bolt?', 'For a seized bolt, is oil or heat best?'],
    ['Should I paint the wall in May with a roller?', 'Should I paint the wall with a roller in May?'],
    ['My Rf is 0.9, which solvent is next?', 'My Rf is .9, which solvent is next?'],
    ['Which allergens must a menu in the UK name?', 'Which allergens must a menu in the U.K. name?'],
    ['Say it politely: "Pay now."', '"Pay now." Can you say it politely?'],
  ])('finds no difference in what is moved or written in another way: %s - %s', (prompt, other) => {
    const [ruled] = compareConversations(verifier, [prompt], [[other]], Number.POSITIVE_INFINITY);
    expect(ruled?.ruling).not.toBe('different');
  });

  test('reads .9 as a number below one', () => {
    expect(verdictOf('What does a slope of .9 mean?', 'What does a slope of 9 mean?')).toBe('different');
    expect(verdictOf('What does a slope of .9 mean?', 'What does a slope of 0.9 mean?')).not.toBe(
      'different',
    );
  });

  test('is not sure that two ways to write a date are one where the writing is in question', () => {
    expect(verdictOf('A regex for dates like 2024-03-31', 'A regex for dates like 31-03-2024')).not.toBe(
      'same',
    );
  });

  test('is unsure of a word that it knows no counterpart for, and says which', () => {
    const verdict = verify('How do I paint the gate?', 'How do I paint the gate outdoors?');
    expect(verdict).toEqual({ verdict: 'unsure', words: ['outdoors'] });
  });

  test.each([
    ['How do I fix a leaking tap?', 'How do I fix a leaking faucet?'],
    ['When was this movie made?', 'When was this film made?'],
    ['Which cooker is best for rice?', 'Which cooking is best for rice?'],
    ['How long does a battery last in a torch?', 'How long does a battry last in a torch?'],
  ])('does not call a word that has to do with the other one a difference: %s - %s', (prompt, other) => {
    expect(verify(prompt, other)).not.toMatchObject({ difference: { kind: 'entity' } });
  });

  test('a prompt without its own words is never the same as another', () => {
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
    const taken = asks.flatMap((prompt, index) =>
      asks.slice(index + 1).filter((other) => verdictOf(prompt, other) === 'same'),
    );
    expect(asks.length).toBeGreaterThan(200);
    expect(taken).toEqual([]);
  });

  test('reads any long text in a short time', () => {
    const hostile = [
      'a '.repeat(2_000),
      'how do i '.repeat(400),
      `${'in what way '.repeat(300)}: `,
      '"'.repeat(4_000),
    ];
    for (const text of hostile) {
      expect(cpuMsOf(() => verify(text, `${text} b`))).toBeLessThan(1_000);
    }
  });
});

describe('what the verifier cannot read', () => {
  test.each([
    [
      'Is the sentiment of this review positive: the food 👎',
      'Is the sentiment of this review positive: the food 👍',
    ],
    [
      'Is it true that x ≤ y for all numbers in the list?',
      'Is it true that x ≥ y for all numbers in the list?',
    ],
    ['Is A ∪ B empty?', 'Is A ∩ B empty?'],
    ['Does this hold ∀ x?', 'Does this hold ∃ x?'],
    ['Does [abc] match b?', 'Does {abc} match b?'],
    ['What is x → y?', 'What is x ← y?'],
    ['How do I compute √2?', 'How do I compute ∛2?'],
    ['What does _init do?', 'What does init do?'],
    ['What does \\n mean?', 'What does n mean?'],
    ['What is in C:\\temp?', 'What is in C:temp?'],
    ['How do I write ₹?', 'How do I write ₿?'],
    ['Is 🇩🇪 in the EU?', 'Is 🇫🇷 in the EU?'],
    ['Is ⠓⠊ a word?', 'Is ⠓⠑ a word?'],
    ['What does [[[]]] mean?', 'What does [[]] mean?'],
    ['What is this....?', 'What is this..?'],
    ['What is 5!', 'What is 5?'],
    ['What is 5²?', 'What is 52?'],
    ['Compute (2+3)*4.', 'What is 2+(3*4)?'],
    ['What is the ratio 3:2?', 'What is the ratio 3 2?'],
    ['What does ~ do?', 'What does - do?'],
    ['Please translate "please" into French', 'Translate "hello" to French'],
    ['Count the letters of "can\'t"', 'Count the letters of "can not"'],
    ['Explain `a b`.', 'Explain `a_b`.'],
    ['Is ❤ a heart?', 'Is ❤\ufe0f a heart?'],
    ['Is "a\u00adb" a word?', 'Is "ab" a word?'],
    ['What is ٣ plus 1?', 'What is ٤ plus 1?'],
    ['Is it safe to mix bleach and vinegar?', 'Is it safe to mix bleach and vinegar?\u{e0053}\u{e0041}'],
  ])('makes prompts different: %s - %s', (prompt, other) => {
    expect(verdictOf(prompt, other)).not.toBe('same');
    expect(verdictOf(other, prompt)).not.toBe('same');
    expect(verdictOf(prompt, prompt)).toBe('same');
  });

  test.each([
    ['How do I log 👍 in Python?', 'What is the way to log 👍 in Python?'],
    ['How do I print "%s"?', 'What is the way to print "%s"?'],
    ['In Greece, is 👍 rude?', 'Is 👍 rude in Greece?'],
  ])('leaves room for other words around the same signs: %s - %s', (prompt, other) => {
    expect(verdictOf(prompt, other)).toBe('same');
    expect(signatureOf(prompt)).toBe(signatureOf(other));
  });

  const prompts = readLabelledPairs().flatMap(({ ask, other }) => [ask, other]);
  const character = fc
    .oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 1 }),
      fc.constantFrom(
        ...'👍≤≥[]{}\\_~"\'`’|§¶·…—“«²½①٣\u200b\u200d\ufe0f\u00ad\u2060\u{e0041}\u{f0041}\ue000\u{1f1e6}',
      ),
    )
    .filter((prompt) => !/^\s*$/.test(prompt));
  const place = fc
    .constantFrom(...prompts)
    .chain((prompt) => fc.tuple(fc.constant(prompt), fc.integer({ min: 0, max: prompt.length })));

  const isSentenceMark = (before: string, inserted: string, after: string) =>
    // 5! is not 5.
    (/^[.,:;?]$/.test(inserted) || (inserted === '!' && !/\p{N}$/u.test(before))) &&
    /[\p{L}\p{N}]$/u.test(before) &&
    /^ /.test(after);

  test('any character but a space or a letter, inserted anywhere into a prompt, makes it another prompt', () => {
    fc.assert(
      fc.property(
        place,
        // A letter more may be a typing error, if no dictionary has the word.
        character.filter((inserted) => !/\p{L}/u.test(inserted)),
        ([prompt, at], inserted) => {
          const [before, after] = [prompt.slice(0, at), prompt.slice(at)];
          fc.pre(!isSentenceMark(before, inserted, after));
          const other = before + inserted + after;
          expect(verdictOf(prompt, other)).not.toBe('same');
          expect(verdictOf(other, prompt)).not.toBe('same');
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test.each([
    ['How do I reverse a list in Python?', 'How do I reverse a list, in Python?'],
    ['How do I reverse a list in Python?', 'How do? I reverse a list in Python?'],
    ['Which process uses port 8080 on Linux?', 'Which process uses port 8080, on Linux?'],
  ])('but a mark between two words is how somebody writes: %s - %s', (prompt, other) => {
    expect(verdictOf(prompt, other)).toBe('same');
    expect(verdictOf(other, prompt)).toBe('same');
  });

  test('signs that only one prompt has make it another, also beside other ways to ask', () => {
    const same = readLabelledPairs().filter(
      ({ ask, other, differs }) => differs === null && verdictOf(ask, other) === 'same',
    );
    // 2 and 4 may stand for `to` and `for`.
    const sign = character.filter((prompt) => !/[\p{L}\p{M}.,:;?!24-]/u.test(prompt));
    fc.assert(
      fc.property(fc.constantFrom(...same), fc.nat(), sign, ({ ask, other }, word, inserted) => {
        const words = other.split(' ');
        words.splice(word % (words.length + 1), 0, inserted);
        expect(verdictOf(ask, words.join(' '))).not.toBe('same');
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('how a prompt is written', () => {
  const isNever = (_kind: string, prompt: string, other: string) => {
    expect(verdictOf(prompt, other)).not.toBe('same');
    expect(verdictOf(other, prompt)).not.toBe('same');
  };

  test.each([
    ['country', 'Is it legal for US to leave the treaty?', 'Is it legal for us to leave the treaty?'],
    ['disease', 'Explain AIDS to a child.', 'Explain aids to a child.'],
    ['unit', 'Convert 5 mW to watts.', 'Convert 5 MW to watts.'],
    ['unit', 'How many bits are in 10 Mb?', 'How many bits are in 10 MB?'],
    ['option', 'What does grep -V print?', 'What does grep -v print?'],
    ['people', 'How do I learn polish quickly?', 'How do I learn Polish quickly?'],
    ['land', 'How do I buy china plates?', 'How do I buy China plates?'],
    ['operator', 'What is the IN operator?', 'What is the operator?'],
    ['call', 'What does getElementByID do?', 'What does getElementById do?'],
    ['path', 'Read file a.txt', 'Read file a.TXT'],
    ['text', 'How many capitals are in Hello World?', 'How many capitals are in hello world?'],
  ])('is a part of what it asks, where the case of letters tells words apart (%s): %s - %s', isNever);

  test.each([
    ['indent', 'Is this valid:\nif x:\n  y()\nz()', 'Is this valid:\nif x:\n  y()\n  z()'],
    ['spaces', 'How many spaces are in: a  b', 'How many spaces are in: a b'],
    ['lines', 'How many lines are in: a\nb', 'How many lines are in: a b'],
    ['tab', 'What does a\tb separate?', 'What does a b separate?'],
  ])('is a part of what it asks, where white space is more than a space (%s): %j - %j', isNever);

  test.each([
    ['Translate big to French.', 'Translate large to French.'],
    ['What rhymes with big?', 'What rhymes with large?'],
    ['Spell big.', 'Spell large.'],
    ['How do you spell 20?', 'How do you spell twenty?'],
    ['What is the past tense of go?', 'What is the past tense of went?'],
    ['What is the plural of child?', 'What is the plural of children?'],
    ['Correct the grammar: she go to school', 'Correct the grammar: she goes to school'],
    ['Proofread: their going home', "Proofread: they're going home"],
    ['Count the words in: I am happy', "Count the words in: I'm happy"],
    ['How many vowels are in the word begin?', 'How many vowels are in the word start?'],
    ['How do you say big in French?', 'How do you say large in French?'],
    ['What is the md5 of abc?', 'What is the md5 of ABC?'],
    ['Edit: he buys it', 'Edit: he purchases it'],
    ['Sort by length: big small', 'Sort by length: large small'],
    ['Is it right to say the dog dog dog?', 'Is it right to say the dog dog?'],
    ['What is the length of "abc"?', 'What is the length of "abc "?'],
  ])('is all of it, where the prompt is about a text: %s - %s', (prompt, other) =>
    isNever('', prompt, other),
  );

  test.each([
    ['What does si mean in Spanish?', 'What does sí mean in Spanish?'],
    ['What does resume mean?', 'What does résumé mean?'],
    ['What is agent 007?', 'What is agent 7?'],
    ['What is 5%2 in C?', 'What is 5 percent 2 in C?'],
  ])('counts marks, zeros and signs: %s - %s', (prompt, other) => isNever('', prompt, other));

  test.each([
    ['How do I sort a list in Python?', 'how do i sort a list in python?'],
    ['What is the capital of France?', 'what is the capital of france?'],
    ['Who was the first president of the United States?', 'Who was the first US president?'],
  ])('leaves room for those who write no capitals: %s - %s', (prompt, other) => {
    expect(verdictOf(prompt, other)).toBe('same');
  });
});

describe('what a comparison costs', () => {
  const long = (words: number) => Array.from({ length: words }, (_, index) => `word${index}`).join(' ');

  test('is bounded: a prompt of more than 250 words is found by the same words only', () => {
    expect(verdictOf(`How do I sort ${long(200)}?`, `What is the way to sort ${long(200)}?`)).toBe('unsure');
    expect(verdictOf(`How do I sort ${long(260)}?`, `What is the way to sort ${long(260)}?`)).toBe(
      'different',
    );
    expect(verdictOf(long(260), long(260))).toBe('same');
  });

  test.each([
    ['signs', (chars: number, tail: string) => `${'+'.repeat(chars / 2)} ${tail} ${'+'.repeat(chars / 2)}`],
    ['digits', (chars: number, tail: string) => `${'1 '.repeat(chars / 2)}${tail}`],
    ['names', (chars: number, tail: string) => `${'a@'.repeat(chars / 2)} ${tail}`],
    ['letters', (chars: number, tail: string) => `${'a '.repeat(chars / 2)}${tail}`],
    ['opening quotes', (chars: number, tail: string) => `${'“ '.repeat(chars / 2)}${tail}`],
    ['marks', (chars: number, tail: string) => `${'!?'.repeat(chars / 2)}${tail}`],
    ['letters without spaces', (chars: number, tail: string) => `${'ab'.repeat(chars / 2)} ${tail}`],
  ])('does not grow with the length of prompts of many %s', (_name, textOf) => {
    let count = 0;
    const growth = growthOf((chars) => {
      const others = Array.from({ length: 4 }, (_, index) => textOf(chars, `alpha${index} beta`));
      return () => {
        // Readings are remembered: each must be of a prompt that is new.
        count += 1;
        for (const other of others) {
          const pair = verifier.writeAlike(`${other} ${count}`, textOf(chars, `beta alpha ${count}`));
          verify(...pair);
        }
      };
    }, 4_000);
    expect(growth).toBeLessThan(2.5);
  });

  test('ends in time: a conversation after the deadline is not the same, however similar', () => {
    const conversation = ['How do I turn on dark mode?'];
    const compare = (untilMs: number) =>
      compareConversations(verifier, conversation, [conversation, conversation], untilMs).map(
        ({ ruling }) => ruling,
      );
    expect(compare(Number.POSITIVE_INFINITY)).toEqual(['same', 'same']);
    expect(compare(0)).toEqual(['different', 'different']);
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
