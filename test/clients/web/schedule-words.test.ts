import { expect, test } from '@jest/globals';
import { intervalOf, nameOf, timesOf } from '../../../clients/web/src/views/schedules/schedule-words.ts';

test('an interval is in the largest unit that divides it', () => {
  expect(intervalOf(10_000)).toBe('every 10 seconds');
  expect(intervalOf(60_000)).toBe('every minute');
  expect(intervalOf(90_000)).toBe('every 90 seconds');
  expect(intervalOf(3_600_000)).toBe('every hour');
  expect(intervalOf(2 * 86_400_000)).toBe('every 2 days');
  expect(intervalOf(10_500)).toBe('every 10500 ms');
});

test('the times of a schedule are its cron lines and its interval, with their time zone', () => {
  expect(timesOf({ times: { cron: ['0 6 * * 1-5', '@daily'], timeZone: 'Europe/Berlin' } })).toBe(
    '0 6 * * 1-5, @daily (Europe/Berlin)',
  );
  expect(timesOf({ times: { everyMs: 300_000 } })).toBe('every 5 minutes');
});

test('a schedule without a description is named by its id', () => {
  const id = `sched_${'ab'.repeat(16)}`;
  expect(nameOf({ id, description: 'the morning' })).toBe('the morning');
  expect(nameOf({ id, description: null })).toBe('sched_abab…abab');
});
