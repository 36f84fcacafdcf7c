/** Usage in charts: spend, tokens, savings, latencies and failures of any retained period. */
import { useCallback, useMemo } from 'preact/hooks';
import type { UsageFailures, UsageLatencies, UsageView } from '../../../../../contracts/usage.ts';
import { Chart } from '../../charts/chart.tsx';
import { linkTo } from '../../router.ts';
import { getJson, session } from '../../session.ts';
import { usePolled } from '../../use-polled.ts';
import { Empty, Failure, Loading } from '../parts.tsx';
import { Downloads } from './download.tsx';
import { GroupTable } from './group-table.tsx';
import { type Dimension, GROUPINGS, type Grouping } from './groupings.ts';
import { FailureChart, FailureTable, LatencyCharts, LatencyTable } from './operations.tsx';
import { PeriodPicker } from './period-picker.tsx';
import { costPlan, savingsPlan, tokensPlan } from './plans.ts';
import { Tiles } from './tiles.tsx';
import {
  failuresPath,
  filters,
  grouping,
  latenciesPath,
  removeFilter,
  seesAll,
  usagePath,
} from './usage-query.ts';

/** A chart that moves every few seconds cannot be read. */
const RELOAD_MS = 60_000;

interface Answers {
  /** What the answers are divided by, which the choice may be ahead of. */
  readonly by: Grouping;
  readonly usage: UsageView;
  readonly latencies: UsageLatencies | null;
  readonly failures: UsageFailures | null;
}

export function Usage() {
  const [path, latencies, failures, by] = [
    usagePath.value,
    latenciesPath.value,
    failuresPath.value,
    grouping.value,
  ];
  // Who sees all users is known once the session is loaded.
  const isReady = session.value !== null;
  const isWhole = seesAll.value;
  const load = useCallback(async (): Promise<Answers | null> => {
    if (!isReady) return null;
    const [usage, ...others] = await Promise.all([
      getJson<UsageView>(path),
      isWhole ? getJson<UsageLatencies>(latencies) : null,
      isWhole ? getJson<UsageFailures>(failures) : null,
    ]);
    return { by, usage, latencies: others[0], failures: others[1] };
  }, [isReady, isWhole, path, latencies, failures, by]);
  const { data, error, reload } = usePolled(load, RELOAD_MS);
  return (
    <div class="stack usage">
      <header class="row">
        <h1>Usage</h1>
        {!isWhole && isReady && <span class="hint">of {session.value?.user}</span>}
        <div class="row end">
          <Downloads />
          <button type="button" class="small" onClick={reload}>
            Refresh
          </button>
        </div>
      </header>
      <PeriodPicker />
      <Filters />
      {error !== null && <Failure error={error} />}
      {data === null && error === null && <Loading what="usage" />}
      {data !== null && <Charts answers={data} />}
    </div>
  );
}

/** What the view is narrowed to; each can be taken away. */
function Filters() {
  const chosen = Object.entries(filters.value);
  if (chosen.length === 0) return null;
  return (
    <ul class="chips" aria-label="Only">
      {chosen.map(([dimension, name]) => (
        <li key={dimension}>
          <button type="button" class="small" onClick={() => removeFilter(dimension as Dimension)}>
            {GROUPINGS[dimension as Dimension].toLowerCase()} <strong>{name}</strong>{' '}
            <span aria-hidden="true">×</span>
            <span class="visually-hidden">: show all again</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Charts({ answers: { by, usage, latencies, failures } }: { answers: Answers }) {
  const cost = useMemo(() => costPlan(usage, by), [usage, by]);
  const tokens = useMemo(() => tokensPlan(usage, by), [usage, by]);
  const savings = useMemo(() => savingsPlan(usage), [usage]);
  const failed = failures?.data.length ?? 0;
  if (usage.totals.generations === 0 && failed === 0) {
    return (
      <section class="card">
        <Empty title="Nothing was generated in this period">
          Choose another period, or <a href={linkTo('chat')}>generate something</a>.
        </Empty>
      </section>
    );
  }
  const divided = by === 'none' ? '' : ` and ${GROUPINGS[by].toLowerCase()}`;
  const bucket = usage.each;
  return (
    <>
      <Tiles usage={usage} latencies={latencies} />
      <div class="charts">
        <Chart
          title={`Spend by ${bucket}${divided}`}
          plan={cost}
          whenEmpty="Nothing was spent in this period."
        />
        <Chart title={`Tokens by ${bucket}${divided}`} plan={tokens} whenEmpty="No tokens in this period." />
        <Chart
          title="Saved by the cache"
          note="what stored and shared answers would have cost"
          plan={savings}
          whenEmpty="Nothing was saved in this period. Requests with the cache on, and asked before, save their cost."
        />
        {failures !== null && <FailureChart usage={usage} failures={failures} />}
        {latencies !== null && <LatencyCharts usage={usage} latencies={latencies} />}
      </div>
      {by !== 'none' && <GroupTable key={usagePath.value} usage={usage} by={by} />}
      {latencies !== null && <LatencyTable latencies={latencies} />}
      {failures !== null && <FailureTable failures={failures} />}
    </>
  );
}
