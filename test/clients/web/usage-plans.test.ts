import { describe, expect, test } from '@jest/globals';
import { readLabel, sumOf } from '../../../clients/web/src/charts/chart-plan.ts';
import { faultOf, labelOf, PRESETS } from '../../../clients/web/src/views/usage/period.ts';
import { costPlan, failuresPlan, tokensPlan } from '../../../clients/web/src/views/usage/plans.ts';
import { csvOf } from '../../../clients/web/src/views/usage/usage-csv.ts';
import type { UsageGroupSums, UsageView } from '../../../contracts/usage.ts';

const DAYS = ['2026-11-27', '2026-11-28'].map((day) => Date.parse(day));
const sums = (tokens: number, costMicroUsd: number) => ({
  generations: 3,
  completed: 3,
  failed: 0,
  cancelled: 0,
  cacheHits: 0,
  inputTokens: tokens - 30,
  cachedInputTokens: 10,
  cacheWriteTokens: 0,
  outputTokens: 15,
  reasoningTokens: 5,
  tokens,
  costMicroUsd,
  savedTokens: 0,
  savedMicroUsd: 0,
});
const group = (name: string | null, costs: Record<number, number>): UsageGroupSums => ({
  name,
  ...sums(100, 0),
  series: Object.entries(costs).map(([day, costMicroUsd]) => ({
    at: DAYS[Number(day)] ?? 0,
    generations: 1,
    tokens: 40,
    costMicroUsd,
  })),
});
const USAGE: UsageView = {
  from: '2026-11-27',
  until: '2026-11-28',
  each: 'day',
  by: null,
  totals: sums(300, 90),
  series: DAYS.map((at, index) => ({ at, ...sums(150, index === 0 ? 40 : 50) })),
  groups: [group('ann', { 0: 30, 1: 20 }), group(null, { 1: 5 }), group('(other)', { 1: 25 })],
  next: null,
};

describe('a chart of groups', () => {
  test('stacks up to the sums of the period: what no named group holds belongs to the others', () => {
    const { series, labels } = costPlan(USAGE, 'team');
    expect(labels).toEqual(['Nov 27', 'Nov 28']);
    expect(series.map(({ name, values }) => [name, ...values])).toEqual([
      ['ann', 30, 20],
      ['no team', 0, 5],
      ['others', 10, 25],
    ]);
    expect(sumOf(series.flatMap(({ values }) => values))).toBe(90);
  });

  test('without groups shows the kinds of tokens, which add up to all tokens', () => {
    const { series } = tokensPlan(USAGE, 'none');
    expect(series.map(({ name }) => name)).toEqual([
      'Input',
      'Input from the provider’s cache',
      'Output',
      'Reasoning',
    ]);
    expect(sumOf(series.flatMap(({ values }) => values))).toBe(300);
  });

  test('of failures adds up the models and codes of a provider', () => {
    const failure = (provider: string | null, code: string, counts: number[]) => ({
      provider,
      model: 'm',
      code,
      count: sumOf(counts),
      series: counts.map((count, index) => ({ at: DAYS[index] ?? 0, count })),
    });
    const { series } = failuresPlan(USAGE, {
      from: USAGE.from,
      until: USAGE.until,
      each: 'day',
      data: [failure('a', 'x', [1, 2]), failure(null, 'y', [0, 1]), failure('a', 'z', [3, 0])],
    });
    expect(series.map(({ name, values }) => [name, ...values])).toEqual([
      ['a', 4, 2],
      ['no provider', 0, 1],
    ]);
  });

  test('is read label by label', () => {
    expect(readLabel(costPlan(USAGE, 'team'), 1)).toBe(
      'Nov 28: ann $0.000020, no team $0.000005, others $0.000025; together $0.000050',
    );
  });
});

describe('the file for a spreadsheet', () => {
  test('has a line per day, or per day and group', () => {
    const lines = csvOf(USAGE, 'none').trimEnd().split('\r\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^day,generations,/);
    expect(lines[1]).toMatch(/^2026-11-27,3,/);
    expect(csvOf(USAGE, 'team').trimEnd().split('\r\n')).toEqual([
      'day,team,generations,tokens,costMicroUsd',
      '2026-11-27,ann,1,40,30',
      '2026-11-28,ann,1,40,20',
      '2026-11-28,,1,40,5',
      '2026-11-28,(other),1,40,25',
    ]);
  });

  test.each(['=HYPERLINK("http://x")', '@SUM(1)', '-1+2', '+1'])('runs no name as a formula: %s', (name) => {
    const [, line = ''] = csvOf({ ...USAGE, groups: [group(name, { 0: 1 })] }, 'user').split('\r\n');
    expect(line).toMatch(/^2026-11-27,"?'/);
  });
});

describe('a period', () => {
  test('has presets that end today, and months of the calendar', () => {
    expect(PRESETS.week.of('2026-03-03')).toEqual({ from: '2026-02-25', until: '2026-03-03' });
    expect(PRESETS.thisMonth.of('2026-03-03')).toEqual({ from: '2026-03-01', until: '2026-03-03' });
    expect(PRESETS.lastMonth.of('2026-03-03')).toEqual({ from: '2026-02-01', until: '2026-02-28' });
    expect(PRESETS.lastMonth.of('2026-01-31')).toEqual({ from: '2025-12-01', until: '2025-12-31' });
  });

  test('is refused with what is wrong', () => {
    const today = '2026-11-28';
    expect(faultOf({ from: today, until: today }, today)).toBeNull();
    expect(faultOf({ from: today, until: '2026-11-27' }, today)).toContain('not be after');
    expect(faultOf({ from: today, until: '2026-11-29' }, today)).toContain('future');
    expect(faultOf({ from: '2025-01-01', until: today }, today)).toContain('at most 400 days');
    expect(faultOf({ from: '', until: today }, today)).toContain('both days');
  });

  test('labels each day once, also over a year', () => {
    const period = PRESETS.year.of('2026-11-28');
    const days = Array.from({ length: 365 }, (_, index) => Date.parse(period.from) + index * 86_400_000);
    expect(new Set(days.map((at) => labelOf(at, 'day', period))).size).toBe(365);
  });
});
