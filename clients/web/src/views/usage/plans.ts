/** Turns the answers of the API into charts. */
import type {
  OTHER_NAMES,
  UsageFailures,
  UsageGroupSums,
  UsageLatencies,
  UsageSums,
  UsageView,
} from '../../../../../contracts/usage.ts';
import { type ChartPlan, SERIES_COLOURS, sumOf } from '../../charts/chart-plan.ts';
import { formatCost, formatCostShort, formatCount, formatCountShort, formatDuration } from '../../format.ts';
import type { Grouping } from './groupings.ts';
import { labelOf } from './period.ts';

const MONEY = { format: formatCost, formatShort: formatCostShort } as const;
const COUNT = { format: formatCount, formatShort: formatCountShort } as const;
const TIME = { format: formatDuration, formatShort: formatDuration } as const;

const WITHOUT: Readonly<Record<Grouping, string>> = {
  none: 'all',
  user: 'no user',
  team: 'no team',
  key: 'no key',
  model: 'no model',
  prompt: 'no prompt',
};
const OTHERS = 'others';
/** How the API names all that exceeded its daily limit of names. */
const BEYOND_LIMIT: typeof OTHER_NAMES = '(other)';

export function nameOf({ name }: Pick<UsageGroupSums, 'name'>, by: Grouping): string {
  if (name === null) return WITHOUT[by];
  return name === BEYOND_LIMIT ? OTHERS : name;
}

/** Whether the group can be asked for by its name. */
export function isNamed(name: string | null): name is string {
  return name !== null && name !== BEYOND_LIMIT;
}

export function costPlan(usage: UsageView, by: Grouping): ChartPlan {
  const series =
    by === 'none'
      ? [{ name: 'Spend', values: usage.series.map(({ costMicroUsd }) => costMicroUsd) }]
      : groupSeries(usage, by, 'costMicroUsd');
  return { ...barsOf(usage), ...MONEY, series };
}

export function tokensPlan(usage: UsageView, by: Grouping): ChartPlan {
  return {
    ...barsOf(usage),
    ...COUNT,
    series: by === 'none' ? tokenKinds(usage) : groupSeries(usage, by, 'tokens'),
  };
}

/** The kinds are disjoint, so their stack is the ledger's sum. */
function tokenKinds({ series }: UsageView): ChartPlan['series'] {
  const of = (name: string, field: keyof UsageSums, colour: number) => ({
    name,
    colour,
    values: series.map((bucket) => bucket[field]),
  });
  return [
    of('Input', 'inputTokens', 0),
    of('Input from the provider’s cache', 'cachedInputTokens', 4),
    of('Input written to the provider’s cache', 'cacheWriteTokens', 3),
    of('Output', 'outputTokens', 2),
    of('Reasoning', 'reasoningTokens', 1),
  ].filter(({ values }, index) => index === 0 || values.some((value) => value > 0));
}

export function savingsPlan(usage: UsageView): ChartPlan {
  const values = usage.series.map(({ savedMicroUsd }) => savedMicroUsd);
  return { ...barsOf(usage), ...MONEY, series: [{ name: 'Saved', values }] };
}

export function latencyPlan(
  usage: UsageView,
  latencies: UsageLatencies,
  field: 'firstTokenMs' | 'totalMs',
): ChartPlan {
  const of = (name: 'p50' | 'p95' | 'p99', colour: number) => ({
    name,
    colour,
    values: valuesAt(usage, latencies.series, (bucket) => bucket[field]?.[name] ?? null),
  });
  return { ...barsOf(usage), ...TIME, kind: 'lines', series: [of('p50', 0), of('p95', 1), of('p99', 3)] };
}

export function failuresPlan(usage: UsageView, failures: UsageFailures): ChartPlan {
  const providers = new Map<string, Map<number, number>>();
  for (const { provider, series } of failures.data) {
    const name = provider ?? 'no provider';
    const counts = providers.get(name) ?? new Map<number, number>();
    for (const { at, count } of series) counts.set(at, (counts.get(at) ?? 0) + count);
    providers.set(name, counts);
  }
  const series = [...providers].map(([name, counts]) => ({
    name,
    values: usage.series.map(({ at }) => counts.get(at) ?? 0),
  }));
  const most = series.toSorted((a, b) => sumOf(b.values) - sumOf(a.values));
  const [shown, rest] = [most.slice(0, SERIES_COLOURS), most.slice(SERIES_COLOURS)];
  const others = usage.series.map((_, index) => sumOf(rest.map(({ values }) => values[index] ?? 0)));
  return { ...barsOf(usage), ...COUNT, series: withOthers(shown, others) };
}

function barsOf(usage: UsageView) {
  return {
    kind: 'bars',
    labelName: usage.each === 'day' ? 'Day (UTC)' : 'Hour (UTC)',
    labels: usage.series.map(({ at }) => labelOf(at, usage.each, usage)),
  } as const;
}

/** What the named groups do not hold belongs to the others, so that the stack is always the whole. */
function groupSeries(usage: UsageView, by: Grouping, field: 'tokens' | 'costMicroUsd'): ChartPlan['series'] {
  const shown = usage.groups
    .filter(({ name }) => name !== BEYOND_LIMIT)
    .map((group) => ({
      name: nameOf(group, by),
      values: valuesAt(usage, group.series, (bucket) => bucket[field]).map((value) => value ?? 0),
    }));
  const others = usage.series.map(
    (bucket, index) => bucket[field] - sumOf(shown.map(({ values }) => values[index] ?? 0)),
  );
  return withOthers(shown, others);
}

function withOthers(shown: ChartPlan['series'], others: readonly number[]): ChartPlan['series'] {
  if (others.every((value) => value === 0)) return shown;
  return [...shown, { name: OTHERS, values: others, colour: 'rest' }];
}

/** The values of a sparse series at the buckets of the period. */
function valuesAt<Bucket extends { readonly at: number }>(
  usage: UsageView,
  sparse: readonly Bucket[],
  read: (bucket: Bucket) => number | null,
): (number | null)[] {
  const byTime = new Map(sparse.map((bucket) => [bucket.at, bucket]));
  return usage.series.map(({ at }) => {
    const bucket = byTime.get(at);
    return bucket === undefined ? null : read(bucket);
  });
}
