import { expect, test } from '@jest/globals';
import { isOfEarlierLog } from '../../../api/generations/ask-temporal.ts';

const createdAt = Date.UTC(2026, 10, 24, 12);
const at = (ms: number) => new Date(createdAt + ms);

test('a run wrote an earlier log of its id only if it ended before this log was created', () => {
  expect(isOfEarlierLog({ closeTime: at(-1) }, { createdAt })).toBe(true);
  expect(isOfEarlierLog({ closeTime: at(5_000) }, { createdAt })).toBe(false);
  expect(isOfEarlierLog({}, { createdAt })).toBe(false);
});

test('readers of a terminated run do not wait for ever if the clock of Temporal is slow', () => {
  const run = { startTime: at(-20), closeTime: at(5_000) };
  expect(isOfEarlierLog(run, { createdAt })).toBe(false);
});
