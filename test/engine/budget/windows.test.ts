import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { budgetLimitSchema, rollingMs } from '../../../contracts/budgets.ts';
import { neededFrom, periodOf, resetOf, spanOf, windowId } from '../../../engine/budget/windows.ts';

const HOUR_MS = 3_600_000;
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Apia',
];
const moments = fc.integer({ min: Date.UTC(2011, 0, 1), max: Date.UTC(2040, 0, 1) });
const zones = fc.constantFrom(...ZONES);

describe('a calendar window', () => {
  test.each([
    ['day[Europe/Berlin]', Date.UTC(2026, 2, 29, 12), '2026-03-28T23:00:00.000Z', 23],
    ['day[Europe/Berlin]', Date.UTC(2026, 9, 25, 12), '2026-10-24T22:00:00.000Z', 25],
    ['day[Asia/Kathmandu]', Date.UTC(2026, 0, 1, 12), '2025-12-31T18:15:00.000Z', 24],
    // Clocks go back from midnight to 23:00: the day has an hour more and begins once.
    ['day[America/Havana]', Date.UTC(2026, 10, 1, 12), '2026-11-01T04:00:00.000Z', 25],
    // Midnight does not exist: the day begins at 01:00.
    ['day[Africa/Cairo]', Date.UTC(2026, 3, 24, 12), '2026-04-23T22:00:00.000Z', 23],
    ['month[America/New_York]', Date.UTC(2026, 10, 15), '2026-11-01T04:00:00.000Z', 30 * 24 + 1],
    ['month[UTC]', Date.UTC(2028, 1, 29), '2028-02-01T00:00:00.000Z', 29 * 24],
  ])('%s begins and ends as the clocks there do', (id, at, from, hours) => {
    const period = periodOf(id, at);
    expect(new Date(period.from).toISOString()).toBe(from);
    expect((period.until - period.from) / HOUR_MS).toBe(hours);
  });

  test('leaves no moment out and counts none twice, in any time zone', () => {
    fc.assert(
      fc.property(moments, zones, fc.constantFrom('day', 'month'), (at, zone, window) => {
        const id = windowId(window, zone);
        const { from, until } = periodOf(id, at);
        expect(from <= at && at < until).toBe(true);
        expect(periodOf(id, from)).toEqual({ from, until });
        expect(periodOf(id, until - 1)).toEqual({ from, until });
        expect(periodOf(id, until).from).toBe(until);
        expect(resetOf(id, at, null)).toBe(until);
      }),
    );
  });
});

describe('a rolling window', () => {
  test('sums every bucket that it touches, at most one too many', () => {
    fc.assert(
      fc.property(moments, fc.constantFrom('1h', '5h', '24h', '7d', '31d'), fc.nat(), (at, window, ago) => {
        const lengthMs = rollingMs(window) ?? 0;
        const { first, last, stepMs } = spanOf(window, at);
        const isSummed = (ms: number) => {
          const { from } = periodOf(window, ms);
          return from >= first && from <= last;
        };
        expect(isSummed(at) && isSummed(at - (ago % lengthMs))).toBe(true);
        expect(isSummed(at - lengthMs - stepMs)).toBe(false);
        expect((last - first) / stepMs).toBeLessThanOrEqual(50);
      }),
    );
  });

  test('has room again when its oldest use has left it, and not before', () => {
    const at = Date.UTC(2026, 10, 24, 12);
    const { from } = periodOf('24h', at);
    const reset = resetOf('24h', at, from);
    expect(spanOf('24h', reset).first).toBeGreaterThan(from);
    expect(spanOf('24h', reset - 1).first).toBe(from);
  });

  test('that is booked on in the past sums all from then to now', () => {
    const now = Date.UTC(2026, 10, 24, 12);
    const booked = now - 2 * HOUR_MS;
    const { first, last, at } = spanOf('1h', now, booked);
    expect(at).toBe(periodOf('1h', booked).from);
    expect(first).toBe(periodOf('1h', booked - HOUR_MS).from);
    expect(last).toBeGreaterThan(now);
  });
});

test('what an audit needs is never dropped', () => {
  fc.assert(
    fc.property(moments, fc.constantFrom('day[UTC]', 'month[UTC]', '1h', '24h', '31d'), (at, id) => {
      expect(neededFrom(id, at)).toBeGreaterThan(spanOf(id, at).keepFrom);
    }),
  );
});

test.each([
  ['a window that is none', { window: 'week' }],
  ['a rolling window of more than 31 days', { window: '32d' }],
  ['a rolling window of nothing', { window: '0h' }],
  ['a time zone that does not exist', { window: 'day', timeZone: 'Europe/Atlantis' }],
  ['a negative amount', { window: 'day', amount: -1 }],
  ['a name that no key can have', { window: 'day', id: 'a/b' }],
])('a limit with %s is refused', (_, fields) => {
  expect(budgetLimitSchema.safeParse({ per: 'user', amount: 1, ...fields }).success).toBe(false);
});
