import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createContinuationGuard } from '../../../activities/attempt/continuation-guard.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import { LIMITS } from '../../../contracts/limits.ts';

const DELIVERED = 'The river carries light over stone, and every morning a small boat leaves';
const REST = ' the harbour with letters, tea and maps.';

/** The text of a reader that had `delivered` and gets what the guard lets through. */
function readerText(delivered: string, deltas: readonly string[], reason: FinishReason = 'stop') {
  const guard = createContinuationGuard(delivered);
  let text = delivered;
  let resets = 0;
  for (const guarded of [...deltas.map((delta) => guard.push(delta)), guard.finish(reason)]) {
    if (guarded.reset) {
      text = '';
      resets += 1;
    }
    text += guarded.text;
  }
  return { text, resets };
}

describe('the text of a model that was asked to continue', () => {
  test('passes at once if it continues', () => {
    const guard = createContinuationGuard(DELIVERED);
    expect(guard.push(' the')).toEqual({ reset: false, text: ' the' });
    expect(guard.push(' harbour')).toEqual({ reset: false, text: ' harbour' });
  });

  test('is held back only while it may be the beginning', () => {
    const guard = createContinuationGuard(DELIVERED);
    expect(guard.push('The')).toEqual({ reset: false, text: '' });
    expect(guard.push(' ship')).toEqual({ reset: false, text: 'The ship' });
  });

  test('loses what it repeats if it repeats everything, with or without white space before it', () => {
    for (const space of ['', ' ', '\n\n']) {
      for (const pieces of [[space + DELIVERED + REST], [space, ...DELIVERED, ...REST]]) {
        expect(readerText(DELIVERED, pieces)).toEqual({ text: DELIVERED + REST, resets: 0 });
      }
    }
    expect(readerText(DELIVERED, [DELIVERED])).toEqual({ text: DELIVERED, resets: 0 });
    expect(readerText('Good morning', ['Good morning, all'])).toEqual({
      text: 'Good morning, all',
      resets: 0,
    });
  });

  test('is another answer if a long repeat then differs, and voids the old one', () => {
    const other = 'The river carries light over sand. That is all.';
    expect(readerText(DELIVERED, [...other])).toEqual({ text: other, resets: 1 });
    // One that ends inside what readers have is another answer, too.
    const short = DELIVERED.slice(0, 40);
    expect(readerText(DELIVERED, [short])).toEqual({ text: short, resets: 1 });
  });

  test('changes nothing if its cap ends it within the repeat', () => {
    expect(readerText(DELIVERED, [DELIVERED.slice(0, 40)], 'length')).toEqual({ text: DELIVERED, resets: 0 });
  });

  test('is trusted if the text repeats itself, as lists and refrains do', () => {
    const list = '- a boat with letters and tea, 1\n- a boat with letters and tea, 2\n';
    const rest = '- a boat with letters and tea, 3\n';
    expect(readerText(list, [...rest])).toEqual({ text: list + rest, resets: 0 });
    expect(readerText('ha ha ha', [' ha', ' ha'])).toEqual({ text: 'ha ha ha ha ha', resets: 0 });
  });

  test('loses the end of the answer where it begins with that again', () => {
    const ends = [DELIVERED.slice(-30), DELIVERED.slice(DELIVERED.indexOf('and every')), DELIVERED.slice(4)];
    for (const end of ends) {
      for (const before of ['', '\n\n', '\n']) {
        expect(readerText(DELIVERED, [...(before + end + REST)])).toEqual({
          text: DELIVERED + REST,
          resets: 0,
        });
      }
      expect(readerText(DELIVERED, [end])).toEqual({ text: DELIVERED, resets: 0 });
    }
    const sentences = 'It rained all night. The boat is gone.';
    expect(readerText(sentences, [...'The boat is gone. We wait.'])).toEqual({
      text: `${sentences} We wait.`,
      resets: 0,
    });
  });

  test('may say again what the answer says over and over', () => {
    for (const [delivered, rest] of [
      ['The row is 0, 0, 0, 0, 0, 0, 0, ', '0, 0, 0, 0, 0, 0, 0, 1.'],
      ['She said: a very, very, ', 'very, very long road.'],
      ['| a boat | 1 |\n| a boat | 1 |\n', '| a boat | 1 |\n| a boat | 1 |\n'],
    ] as const) {
      expect(readerText(delivered, [...rest])).toEqual({ text: delivered + rest, resets: 0 });
    }
  });

  test.each([
    'Sure, here is the rest:\n\n',
    'Sure! Continuing from where I left off:\n',
    "I apologize for the interruption. Here's the remaining part of the answer:\n\n",
    'Of course. Here is the full answer again:\n\n',
    'Continuing:\n\n',
    '(continued)\n',
  ])('loses the remark %j before it, whatever follows', (remark) => {
    for (const again of ['', DELIVERED, DELIVERED.slice(-30)]) {
      const whole = { text: DELIVERED + REST, resets: 0 };
      expect(readerText(DELIVERED, [...(remark + again + REST)])).toEqual(whole);
      expect(readerText(DELIVERED, [remark + again + REST])).toEqual(whole);
    }
    const other = 'The river carries light over sand. That is all.';
    expect(readerText(DELIVERED, [...(remark + other)])).toEqual({ text: other, resets: 1 });
  });

  test('keeps a sentence that only begins like a remark', () => {
    for (const rest of [
      ' sure of it. ',
      'Sure of it, the captain nodded:\nno.',
      'Okra and tea.',
      'Here is the key: 7.',
    ]) {
      expect(readerText(DELIVERED, [...rest])).toEqual({ text: DELIVERED + rest, resets: 0 });
    }
  });

  test('is another answer if it begins behind another opening, or in partly other words', () => {
    const long = `${DELIVERED} the harbour with letters, tea and maps for the people of the islands`;
    for (const other of [
      `# The harbour\n\n${long}. And so on.`,
      `A short story about the sea. ${long}, said the old man.`,
      `Each river carries light over stone, and every morning a small boat sails off to the harbour with letters.`,
      `\`\`\`text\n${long}, and more.\n\`\`\``,
    ]) {
      expect(readerText(long, [...other])).toEqual({ text: other, resets: 1 });
    }
  });

  test('is another answer if it repeats the title and then differs', () => {
    const other = '# A plan\n\nFirst we go south.';
    expect(readerText('# A plan\n\nWe go north, then', [...other])).toEqual({ text: other, resets: 1 });
  });

  test('loses the fence that opens a block which is open already', () => {
    const code = 'Here it is:\n\n```ts\nconst first = new Map<string, number>();\nconst second';
    const rest = ' = first.get(key);\n```\nThat is all.';
    for (const again of ['```ts\n', '```typescript\n', 'Sure, here is the rest:\n\n```ts\n']) {
      expect(readerText(code, [...(again + rest)])).toEqual({ text: code + rest, resets: 0 });
      expect(readerText(code, [again + rest])).toEqual({ text: code + rest, resets: 0 });
    }
    const closed = `${code} = 2;\n`;
    for (const next of ['```\nThat is all.', '```\n\n```ts\nconst third = 3;\n```']) {
      expect(readerText(closed, [...next])).toEqual({ text: closed + next, resets: 0 });
    }
    const prose = 'Two files are needed, and this is the first of them:\n\n';
    expect(readerText(prose, [...'```ts\nexport {};\n```'])).toEqual({
      text: `${prose}\`\`\`ts\nexport {};\n\`\`\``,
      resets: 0,
    });
  });

  test('is the rest, the whole answer again, or another answer, whatever its deltas are', () => {
    const words = fc.array(fc.constantFrom('river', 'stone', 'light', 'boat', '\n\n', 'naïve', '🚀'), {
      minLength: 8,
      maxLength: 40,
    });
    const plan = fc.record({
      delivered: words.map((list) => `${list.join(' ')} end`),
      rest: words.map((list) => list.join(' ')),
      sameShare: fc.double({ min: 0, max: 1, noNaN: true }),
      size: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(plan, ({ delivered, rest, sameShare, size }) => {
        const beginning = delivered.trimStart();
        // A text that repeats its beginning, as refrains do, is trusted.
        const start = beginning.slice(0, Math.min(24, Math.floor(beginning.length / 2)));
        fc.pre(beginning.length > 30 && beginning.indexOf(start, 1) === -1);
        // No word begins so: it continues.
        expect(readerText(delivered, inPieces(`; ${rest}`, size))).toEqual({
          text: `${delivered}; ${rest}`,
          resets: 0,
        });
        expect(readerText(delivered, inPieces(delivered + rest, size)).text).toBe(delivered + rest);
        const same = beginning.slice(0, 24 + Math.floor(sameShare * (beginning.length - 30)));
        const other = `${same}; and something else`;
        expect(readerText(delivered, inPieces(other, size))).toEqual({ text: other, resets: 1 });
      }),
    );
  });

  test('is whole however often it is interrupted, however each continuation disobeys, and however it is cut', () => {
    const letters = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz');
    const word = fc.string({ unit: letters, minLength: 3, maxLength: 9 });
    const sentence = fc.array(word, { minLength: 4, maxLength: 9 }).map((words) => {
      const text = words.join(' ');
      return `${text[0]?.toUpperCase()}${text.slice(1)}.`;
    });
    const plan = fc.record({
      sentences: fc.uniqueArray(sentence, { minLength: 6, maxLength: 12 }),
      interruptions: fc.array(
        fc.record({
          at: fc.double({ min: 0.1, max: 0.95, noNaN: true }),
          how: fc.constantFrom(
            'obeys',
            'restarts',
            'end',
            'last sentence',
            'remark',
            'remark, restarts',
            'remark, end',
          ),
          size: fc.integer({ min: 1, max: 12 }),
        }),
        { minLength: 1, maxLength: 5 },
      ),
    });
    fc.assert(
      fc.property(plan, ({ sentences, interruptions }) => {
        const whole = sentences.join(' ');
        let held = whole.slice(0, LIMITS.leastContinuedChars + 4);
        for (const { at, how, size } of interruptions) {
          const disobeyed = `${how.startsWith('remark') ? 'Sure, here is the rest:\n\n' : ''}${repeated(how, held)}`;
          const answer = disobeyed + whole.slice(held.length);
          const cutAt = Math.floor(at * answer.length);
          const guard = createContinuationGuard(held);
          for (const delta of inPieces(answer.slice(0, cutAt), size)) {
            const guarded = guard.push(delta);
            expect(guarded.reset).toBe(false);
            held += guarded.text;
          }
          // What was held back when the connection broke is lost, and nothing else.
          expect(whole.startsWith(held)).toBe(true);
        }
        expect(readerText(held, inPieces(held + whole.slice(held.length), 5))).toEqual({
          text: whole,
          resets: 0,
        });
      }),
      { numRuns: 150 },
    );
  });
});

const inPieces = (text: string, size: number) => text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];

/** What a model of this kind says again of the text that it was asked to continue. */
function repeated(how: string, held: string): string {
  if (how.endsWith('restarts')) return held;
  if (how.endsWith('end')) return held.slice(-LIMITS.leastContinuedChars);
  if (how !== 'last sentence') return '';
  const last = held.slice(held.lastIndexOf('. ') + 2);
  return last.length >= 8 && held.includes('. ') ? last : '';
}
