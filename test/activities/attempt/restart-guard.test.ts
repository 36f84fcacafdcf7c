import { expect, test } from '@jest/globals';
import { createRestartGuard } from '../../../activities/attempt/restart-guard.ts';

/** The text of a reader that had `delivered` before the restart and gets what the guard lets through. */
function readerText(delivered: string, deltas: readonly string[]): { text: string; resets: number } {
  const guard = createRestartGuard(delivered);
  let text = delivered;
  let resets = 0;
  for (const guarded of [...deltas.map((delta) => guard.push(delta)), guard.finish()]) {
    if (guarded.reset) {
      text = '';
      resets += 1;
    }
    text += guarded.text;
  }
  return { text, resets };
}

test('if nothing was delivered, everything passes at once', () => {
  const guard = createRestartGuard('');
  expect(guard.push('a')).toEqual({ reset: false, text: 'a' });
  expect(guard.finish()).toEqual({ reset: false, text: '' });
});

test('an equal beginning is held back, and the rest follows without a reset', () => {
  expect(readerText('one two', ['one ', 'two', ' three'])).toEqual({ text: 'one two three', resets: 0 });
  expect(readerText('one two', ['one two three'])).toEqual({ text: 'one two three', resets: 0 });
});

test('a different text voids the old one, once, and passes from its beginning', () => {
  expect(readerText('one two', ['one ', 'three', ' four'])).toEqual({ text: 'one three four', resets: 1 });
});

test('an answer that ends inside the delivered text voids it', () => {
  expect(readerText('one two', ['one'])).toEqual({ text: 'one', resets: 1 });
});

test('an identical answer changes nothing', () => {
  expect(readerText('one two', ['one', ' two'])).toEqual({ text: 'one two', resets: 0 });
});

test('the reader ends with exactly the new answer, whatever its deltas are', () => {
  const answers = ['abcabd', 'abcabdabc', 'abc', 'abx', 'xabcabd', ''];
  for (const answer of answers) {
    for (let size = 1; size <= 4; size += 1) {
      const pieces = answer.match(new RegExp(`.{1,${size}}`, 'g')) ?? [];
      expect(readerText('abcabd', pieces).text).toBe(answer);
    }
  }
});
