/** Latencies and failures: of the whole tenant, for callers who see all of its users. */
import { useMemo } from 'preact/hooks';
import type { UsageFailures, UsageLatencies, UsageView } from '../../../../../contracts/usage.ts';
import { Chart } from '../../charts/chart.tsx';
import { formatCount, formatDuration } from '../../format.ts';
import { failuresPlan, latencyPlan } from './plans.ts';

const NO_ANSWERS = 'No whole answer of a model in this period. Answers from the cache do not count.';

export function LatencyCharts({ usage, latencies }: { usage: UsageView; latencies: UsageLatencies }) {
  const firstToken = useMemo(() => latencyPlan(usage, latencies, 'firstTokenMs'), [usage, latencies]);
  const total = useMemo(() => latencyPlan(usage, latencies, 'totalMs'), [usage, latencies]);
  return (
    <>
      <Chart title="Time to first token" note="percentiles" plan={firstToken} whenEmpty={NO_ANSWERS} />
      <Chart title="Time to the whole answer" note="percentiles" plan={total} whenEmpty={NO_ANSWERS} />
    </>
  );
}

export function LatencyTable({ latencies }: { latencies: UsageLatencies }) {
  if (latencies.models.length === 0) return null;
  const columns = ['Answers', 'First token', 'p95', 'p99', 'Whole answer', 'p95 ', 'p99 '];
  return (
    <section class="card" aria-labelledby="latencies-title">
      <h2 id="latencies-title">Latency by model</h2>
      <table class="list">
        <caption class="visually-hidden">Latency by model: medians, p95 and p99</caption>
        <thead>
          <tr>
            <th scope="col">Model</th>
            {columns.map((name) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {latencies.models.map(({ name, answers, firstTokenMs, totalMs }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td data-name="Answers" class="number">
                {formatCount(answers)}
              </td>
              {[
                ['First token', firstTokenMs?.p50],
                ['First token, p95', firstTokenMs?.p95],
                ['First token, p99', firstTokenMs?.p99],
                ['Whole answer', totalMs?.p50],
                ['Whole answer, p95', totalMs?.p95],
                ['Whole answer, p99', totalMs?.p99],
              ].map(([label, value]) => (
                <td key={label} data-name={label} class="number">
                  {typeof value === 'number' ? formatDuration(value) : '–'}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function FailureChart({ usage, failures }: { usage: UsageView; failures: UsageFailures }) {
  const plan = useMemo(() => failuresPlan(usage, failures), [usage, failures]);
  return (
    <Chart
      title="Failures by provider"
      note="calls that failed, even if a retry or a fallback then answered"
      plan={plan}
      whenEmpty="No call failed in this period."
    />
  );
}

export function FailureTable({ failures }: { failures: UsageFailures }) {
  if (failures.data.length === 0) return null;
  return (
    <section class="card" aria-labelledby="failures-title">
      <h2 id="failures-title">Failures by code</h2>
      <table class="list">
        <caption class="visually-hidden">Failures by provider, model and code</caption>
        <thead>
          <tr>
            <th scope="col">Code</th>
            <th scope="col">Provider</th>
            <th scope="col">Model</th>
            <th scope="col" class="number">
              Count
            </th>
          </tr>
        </thead>
        <tbody>
          {failures.data.map(({ provider, model, code, count }) => (
            <tr key={`${provider}/${model}/${code}`}>
              <th scope="row">
                <a href={`/docs/errors/${encodeURIComponent(code)}`} target="_blank" rel="noreferrer">
                  {code}
                </a>
              </th>
              <td data-name="Provider">{provider ?? <span class="muted">none was called</span>}</td>
              <td data-name="Model">{model ?? '–'}</td>
              <td data-name="Count" class="number">
                {formatCount(count)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
