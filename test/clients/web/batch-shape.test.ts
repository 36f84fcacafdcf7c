import { expect, test } from '@jest/globals';
import { doneOf, pollEvery, waitSentence } from '../../../clients/web/src/views/batches/batch-shape.ts';

test('a list is read often only while one of its batches has not ended', () => {
  const often = pollEvery([{ status: 'completed' }, { status: 'in_progress' }]);
  const rarely = pollEvery([{ status: 'completed' }, { status: 'cancelled' }]);
  expect(often).toBeLessThan(rarely);
  expect(rarely).toBeGreaterThanOrEqual(30_000);
  expect(pollEvery([])).toBe(rarely);
});

test('a line that was never sent is not waited for any more', () => {
  const request_outcomes = { completed: 3, failed: 1, cancelled: 2, expired: 4 };
  expect(doneOf({ request_outcomes })).toBe(10);
});

test('a batch that waits says how far its vendors are, and until when it waits', () => {
  const counts = { lines: 1_200, answered: 30 };
  expect(waitSentence({ ...counts, live_at: null })).toBe(
    '1,200 lines wait at their vendors, which have answered 30.',
  );
  expect(waitSentence({ ...counts, live_at: 1_800_000_000 })).toMatch(/ What is left is called at .*\d\.$/);
});
