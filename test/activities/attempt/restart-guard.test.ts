import { expect, test } from '@jest/globals';
import { createRestartGuard } from '../../../activities/attempt/restart-guard.ts';

/** What a reader holds who had `delivered` before the restart and was given what the guard let through. */
function readerText(delivered: string, pieces: readonly string[]): { text: string; resets: number } {
  const guard = createRestartGuard(delivered);
  let text = delivered;
  let resets = 0;
  for (const given of [...pieces.map((piece) => guard.push(piece)), guard.finish()]) {
    if (given.reset) {
      text = '';
      resets += 1;
    }
    text += given.text;
  }
  return { text, resets };
}

test('nothing was delivered: all goes through at once', () => {
  const guard = createRestartGuard('');
  expect(guard.push('a')).toEqual({ reset: false, text: 'a' });
  expect(guard.finish()).toEqual({ reset: false, text: '' });
});

test('the same beginning is held back, and the rest goes on without a reset', () => {
  expect(readerText('one two', ['one ', 'two', ' three'])).toEqual({ text: 'one two three', resets: 0 });
  expect(readerText('one two', ['one two three'])).toEqual({ text: 'one two three', resets: 0 });
});

test('another text voids the old one, once, and is given from its beginning', () => {
  expect(readerText('one two', ['one ', 'three', ' four'])).toEqual({ text: 'one three four', resets: 1 });
});

test('an answer that ends inside the delivered text voids it', () => {
  expect(readerText('one two', ['one'])).toEqual({ text: 'one', resets: 1 });
});

test('the very same answer again changes nothing', () => {
  expect(readerText('one two', ['one', ' two'])).toEqual({ text: 'one two', resets: 0 });
});

test('however the new answer is cut into pieces, the reader ends with exactly it', () => {
  const answers = ['abcabd', 'abcabdabc', 'abc', 'abx', 'xabcabd', ''];
  for (const answer of answers) {
    for (let size = 1; size <= 4; size += 1) {
      const pieces = answer.match(new RegExp(`.{1,${size}}`, 'g')) ?? [];
      expect(readerText('abcabd', pieces).text).toBe(answer);
    }
  }
});
