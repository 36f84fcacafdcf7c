import { expect, test } from '@jest/globals';
import { doneOf, pollEvery } from '../../../clients/web/src/views/batches/batch-shape.ts';

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
