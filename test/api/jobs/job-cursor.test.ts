import { expect, test } from '@jest/globals';
import { parseJobCursor, writeJobCursor } from '../../../api/jobs/job-cursor.ts';
import { LIMITS } from '../../../contracts/limits.ts';

test('a cursor is read as it was written', () => {
  const cursor = {
    after: 12,
    generations: new Map([
      [9, 41],
      [10, 7],
    ]),
  };
  expect(writeJobCursor(cursor)).toBe('12~9:41~10:7');
  expect(parseJobCursor('12~9:41~10:7')).toEqual(cursor);
  expect(parseJobCursor(undefined)).toEqual({ after: -1, generations: new Map() });
  // Of a generation that has only been opened there is nothing to remember.
  expect(writeJobCursor({ after: 3, generations: new Map([[3, -1]]) })).toBe('3');
});

test.each(['x', '1~', '1~2', '1~2:3:4', '-2', '1e3', '1'.repeat(20)])('%j is refused', (text) => {
  expect(() => parseJobCursor(text)).toThrow('cursor');
});

test('a cursor of more generations than can be open is refused', () => {
  const parts = Array.from({ length: LIMITS.parallelPerJob + 1 }, (_, index) => `~${index}:1`);
  expect(() => parseJobCursor(`5${parts.join('')}`)).toThrow('cursor');
});
