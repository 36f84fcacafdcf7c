/** Times that Temporal takes and reads otherwise than their sender are refused before a schedule is made of them. */
import { describe, expect, test } from '@jest/globals';
import { backfillSchema, scheduleRequestSchema } from '../../contracts/schedules.ts';

const pathsOf = (times: object) =>
  scheduleRequestSchema
    .safeParse({ times, generation: { input: 'The morning.' } })
    .error?.issues.map(({ path }) => path.join('.')) ?? [];

describe('a cron line', () => {
  test.each(['0 6 * * 1-5', '*/15 * * * *', ' 0  6 1,15 JAN-MAR MON ', '0\t6 * * 7', '@daily', '@hourly'])(
    'of five fields, or with a name, is taken: %j',
    (line) => {
      expect(pathsOf({ cron: [line] })).toEqual([]);
    },
  );

  // https://github.com/open-octo/octo-agent/pull/2284, https://github.com/kamu-data/kamu-cli/issues/459
  test.each(['@every 1s', '@every 1h', '* * * * * * *', '*/2 * * * * * *', '0 6 * * * 2027'])(
    'cannot come more often than an interval may: %j',
    (line) => {
      expect(pathsOf({ cron: [line] })).toEqual(['times.cron.0']);
    },
  );

  // https://github.com/mariusbancila/croncpp/issues/18: Temporal starts a comment there.
  test.each(['0 0 * * 5#3', '0 0 * * 5 # Fridays', '#0 0 * * 5'])('has no #: %j', (line) => {
    expect(pathsOf({ cron: ['@daily', line] })).toEqual(['times.cron.1']);
  });

  test.each(['CRON_TZ=Asia/Tokyo 0 6 * * *', 'TZ=Asia/Tokyo 0 6 * * *', '0 6 * *', '@reboot', '', ' '])(
    'is nothing else: %j',
    (line) => {
      expect(pathsOf({ cron: [line] })).toContain('times.cron.0');
    },
  );
});

// https://github.com/temporalio/temporal/pull/10382: with a part of a second, a schedule ticks once and never again.
test('an interval and its offset are whole seconds, and there is no offset without an interval', () => {
  expect(pathsOf({ everyMs: 60_000, offsetMs: 5_000 })).toEqual([]);
  expect(pathsOf({ everyMs: 10_500 })).toEqual(['times.everyMs']);
  expect(pathsOf({ everyMs: 60_000, offsetMs: 500 })).toEqual(['times.offsetMs']);
  expect(pathsOf({ cron: ['@daily'], offsetMs: 5_000 })).toEqual(['times.offsetMs']);
});

// https://github.com/kestra-io/kestra/pull/19097, https://github.com/apache/airflow/pull/66874
test('a backfill ends no earlier than it begins, in whatever zones its times are', () => {
  const backfill = (from: string, until: string) => backfillSchema.safeParse({ from, until }).success;
  expect(backfill('2026-06-01T00:00:00Z', '2026-06-01T01:00:00Z')).toBe(true);
  expect(backfill('2026-06-01T00:00:00Z', '2026-06-01T01:00:00+02:00')).toBe(false);
  expect(backfill('2026-06-10T00:00:00Z', '2026-06-01T00:00:00Z')).toBe(false);
});
