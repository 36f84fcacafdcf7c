/** What follows from a row of events, without a library. */
import { expect, test } from '@jest/globals';
import { textDeltas, textOf } from '../../contracts/fold-events.ts';

test('a text split into deltas is the same text again, and no emoji is torn', () => {
  const text = 'A😀B👩‍👩‍👧C\n\nD';
  const deltas = textDeltas(text, 2);
  expect(textOf(deltas)).toBe(text);
  for (const delta of deltas) expect('text' in delta && delta.text.isWellFormed()).toBe(true);
  expect(textDeltas('', 2)).toEqual([]);
});
