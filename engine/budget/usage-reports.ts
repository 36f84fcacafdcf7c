/** Reports of usage: sums in time and by group, latencies, failures. */
import { totalTokens } from '../../contracts/money.ts';
import {
  OTHER_NAMES,
  type UsageFailures,
  type UsageGroup,
  type UsageGroupSums,
  type UsageLatencies,
  type UsageSums,
  type UsageView,
} from '../../contracts/usage.ts';
import { percentilesOf } from '../../platform/quantile-sketch.ts';
import { beginnings, type UsagePeriod, UsageReader, type UsageRedis } from './usage-reader.ts';
import { addSums, emptySums, OTHER, type RowNames, type RowSums } from './usage-rows.ts';

/** Models and failures that one report lists. */
const MODELS_LISTED = 100;
const FAILURES_LISTED = 200;

export interface UsageQuery extends UsagePeriod {
  readonly by: UsageGroup | null;
  /** Names that a row must have; `prompt` may be a name, for all its versions. */
  readonly only: Partial<Record<UsageGroup, string | undefined>>;
  readonly limit: number;
  /** Groups before the ones that are wanted. */
  readonly skip: number;
}

interface Group {
  readonly sums: RowSums;
  readonly series: Map<number, RowSums>;
}

interface Failure {
  readonly model: string;
  readonly code: string;
  count: number;
  readonly series: Map<number, number>;
}

export class UsageReports {
  readonly #reader: UsageReader;

  constructor(redis: UsageRedis) {
    this.#reader = new UsageReader(redis);
  }

  async usage(tenant: string, query: UsageQuery): Promise<UsageView> {
    const { by, only, each, limit, skip } = query;
    const all = newGroup();
    const groups = new Map<string, Group>();
    await this.#reader.read(
      tenant,
      { period: query, source: sourceOf(query), user: only.user },
      (atMs, row) => {
        if (row.counts !== 'sums' || !isWanted(row.names, only)) return;
        addTo(all, atMs, row.sums);
        if (by !== null) addTo(groupIn(groups, row.names[by], newGroup), atMs, row.sums);
      },
    );
    const sorted = [...groups].sort(byCost);
    const page = sorted.slice(skip, skip + limit);
    return {
      from: query.from,
      until: query.until,
      each,
      by,
      totals: toSums(all.sums),
      series: beginnings(query).map((at) => ({ at, ...toSums(all.series.get(at) ?? emptySums()) })),
      groups: page.map(([name, group]) => toGroup(name, group)),
      next: sorted.length > skip + limit ? String(skip + limit) : null,
    };
  }

  async latencies(tenant: string, period: UsagePeriod, model: string | undefined): Promise<UsageLatencies> {
    const all = new Sketches();
    const byTime = new Map<number, Sketches>();
    const byModel = new Map<string, Sketches>();
    await this.#reader.read(
      tenant,
      { period, source: sourceOf({ ...period, by: null, only: {} }) },
      (atMs, row) => {
        if (row.counts !== 'first' && row.counts !== 'total') return;
        if (model !== undefined && row.model !== model) return;
        const { counts, bucket, count } = row;
        const [ofTime, ofModel] = [
          groupIn(byTime, atMs, newSketches),
          groupIn(byModel, row.model, newSketches),
        ];
        for (const sketches of [all, ofTime, ofModel]) sketches.add(counts, bucket, count);
      },
    );
    const models = [...byModel].map(([name, sketches]) => ({ name: nameOf(name) ?? '', ...sketches.view() }));
    return {
      from: period.from,
      until: period.until,
      each: period.each,
      totals: all.view(),
      series: beginnings(period).map((at) => ({ at, ...(byTime.get(at) ?? new Sketches()).view() })),
      models: models.sort((a, b) => b.answers - a.answers).slice(0, MODELS_LISTED),
    };
  }

  async failures(tenant: string, period: UsagePeriod): Promise<UsageFailures> {
    const failures = new Map<string, Failure>();
    await this.#reader.read(
      tenant,
      { period, source: sourceOf({ ...period, by: null, only: {} }) },
      (atMs, row) => {
        if (row.counts !== 'failure') return;
        const { model, code, count } = row;
        const failure = groupIn(failures, `${model} ${code}`, () => ({
          model,
          code,
          count: 0,
          series: new Map(),
        }));
        failure.count += count;
        failure.series.set(atMs, (failure.series.get(atMs) ?? 0) + count);
      },
    );
    const data = [...failures.values()].map(({ model, code, count, series }) => ({
      ...candidateOf(model),
      code: nameOf(code) ?? '',
      count,
      series: inOrder(series).map(([at, ofTime]) => ({ at, count: ofTime })),
    }));
    const { from, until, each } = period;
    return { from, until, each, data: data.sort((a, b) => b.count - a.count).slice(0, FAILURES_LISTED) };
  }
}

/** How many answers had which latency. */
class Sketches {
  readonly #first = new Map<number, number>();
  readonly #total = new Map<number, number>();

  add(counts: 'first' | 'total', bucket: number, count: number): void {
    const sketch = counts === 'first' ? this.#first : this.#total;
    sketch.set(bucket, (sketch.get(bucket) ?? 0) + count);
  }

  view(): UsageLatencies['totals'] {
    const answers = [...this.#total.values()].reduce((sum, count) => sum + count, 0);
    return { answers, firstTokenMs: percentilesOf(this.#first), totalMs: percentilesOf(this.#total) };
  }
}

function newSketches(): Sketches {
  return new Sketches();
}

function sourceOf({ each, by, only }: Pick<UsageQuery, 'each' | 'by' | 'only'>) {
  if (each === 'hour') return 'hours';
  const hasUsers = by === 'user' || by === 'key' || only.user !== undefined || only.key !== undefined;
  return hasUsers ? 'users' : 'day';
}

function isWanted(names: RowNames, { user, team, key, model, prompt }: UsageQuery['only']): boolean {
  return (
    (user === undefined || names.user === user) &&
    (team === undefined || names.team === team) &&
    (key === undefined || names.key === key) &&
    (model === undefined || names.model === model) &&
    (prompt === undefined || names.prompt === prompt || names.prompt.startsWith(`${prompt}@`))
  );
}

/** Names last, so that pages do not overlap where sums are equal. */
function byCost([a, { sums }]: [string, Group], [b, { sums: others }]: [string, Group]): number {
  return others.costMicroUsd - sums.costMicroUsd || others.generations - sums.generations || (a < b ? -1 : 1);
}

function newGroup(): Group {
  return { sums: emptySums(), series: new Map() };
}

function addTo({ sums, series }: Group, atMs: number, more: RowSums): void {
  addSums(sums, more);
  addSums(groupIn(series, atMs, emptySums), more);
}

function groupIn<Name, Value>(groups: Map<Name, Value>, name: Name, create: () => Value): Value {
  const known = groups.get(name);
  if (known !== undefined) return known;
  const created = create();
  groups.set(name, created);
  return created;
}

function toSums(sums: RowSums): UsageSums {
  return { ...sums, tokens: totalTokens(sums) };
}

function toGroup(name: string, { sums, series }: Group): UsageGroupSums {
  return {
    name: nameOf(name),
    ...toSums(sums),
    series: inOrder(series).map(([at, ofTime]) => {
      const { generations, tokens, costMicroUsd } = toSums(ofTime);
      return { at, generations, tokens, costMicroUsd };
    }),
  };
}

function inOrder<Value>(series: ReadonlyMap<number, Value>): [number, Value][] {
  return [...series].sort(([a], [b]) => a - b);
}

function nameOf(name: string): string | null {
  if (name === '') return null;
  return name === OTHER ? OTHER_NAMES : name;
}

function candidateOf(name: string): { provider: string | null; model: string | null } {
  if (name === '') return { provider: null, model: null };
  if (name === OTHER) return { provider: OTHER_NAMES, model: null };
  const slash = name.indexOf('/');
  return { provider: name.slice(0, slash), model: name.slice(slash + 1) };
}
