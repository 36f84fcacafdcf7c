import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createContinuationGuard } from '../../../activities/attempt/continuation-guard.ts';
import type { FinishReason } from '../../../contracts/generation.ts';

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
        fc.pre(delivered.trimStart().indexOf(delivered.trimStart().slice(0, 24), 1) === -1);
        const inPieces = (text: string) => text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
        // No word begins so: it continues.
        expect(readerText(delivered, inPieces(`; ${rest}`))).toEqual({
          text: `${delivered}; ${rest}`,
          resets: 0,
        });
        expect(readerText(delivered, inPieces(delivered + rest)).text).toBe(delivered + rest);
        const same = delivered.trimStart().slice(0, 24 + Math.floor(sameShare * (delivered.length - 30)));
        const other = `${same}; and something else`;
        expect(readerText(delivered, inPieces(other))).toEqual({ text: other, resets: 1 });
      }),
    );
  });
});
