import { useCallback } from 'preact/hooks';
import { inputTokensOf, NO_USAGE, outputTokensOf } from '../../../../../contracts/money.ts';
import type { GenerationView } from '../../../../typescript/index.ts';
import { formatCost, formatCount, formatDuration, formatTime, shortId } from '../../format.ts';
import { linkTo } from '../../router.ts';
import { clientWith, temporalLink } from '../../session.ts';
import { usePolled } from '../../use-polled.ts';
import { Empty, ExternalLink, Failure, Status } from '../parts.tsx';

type Run = Omit<GenerationView, 'text'>;

const SHOWN = 50;

export function Runs() {
  const load = useCallback(() => clientWith().list({ limit: SHOWN }), []);
  const { data: runs, error } = usePolled(load);
  return (
    <section class="card" aria-labelledby="runs-title">
      <h1 id="runs-title">Runs</h1>
      {error !== null && <Failure error={error} />}
      {runs !== null && runs.length === 0 && (
        <Empty title="None yet.">
          <a href={linkTo('chat')}>Generate something.</a>
        </Empty>
      )}
      {runs !== null && runs.length > 0 && <RunTable runs={runs} />}
    </section>
  );
}

function RunTable({ runs }: { runs: readonly Run[] }) {
  return (
    <table class="list">
      <caption class="visually-hidden">The newest {SHOWN} runs</caption>
      <thead>
        <tr>
          <th scope="col">Run</th>
          <th scope="col">Status</th>
          <th scope="col">Model</th>
          <th scope="col">User</th>
          <th scope="col" class="number">
            Tokens
          </th>
          <th scope="col" class="number">
            Cost
          </th>
          <th scope="col">Started</th>
          <th scope="col" class="number">
            Duration
          </th>
          <th scope="col">
            <span class="visually-hidden">Workflow</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <RunRow key={run.id} run={run} />
        ))}
      </tbody>
    </table>
  );
}

function RunRow({ run }: { run: Run }) {
  const usage = run.usage ?? NO_USAGE;
  const link = temporalLink(run.id);
  return (
    <tr>
      <th scope="row">
        <a href={linkTo('runs', run.id)} title={run.id}>
          <code>{shortId(run.id)}</code>
        </a>
      </th>
      <td data-name="Status">
        <Status status={run.status} />
      </td>
      <td data-name="Model">
        {run.model === null ? '–' : `${run.provider}/${run.model}`}
        {run.cached && <span class="tag">cached</span>}
        {run.attempts > 1 && <span class="tag">{run.attempts} attempts</span>}
      </td>
      <td data-name="User">{run.user}</td>
      <td data-name="Tokens" class="number">
        {formatCount(inputTokensOf(usage))} <span class="muted">+</span> {formatCount(outputTokensOf(usage))}
      </td>
      <td data-name="Cost" class="number">
        {formatCost(run.costMicroUsd ?? 0)}
      </td>
      <td data-name="Started">
        <time dateTime={new Date(run.createdAt).toISOString()}>{formatTime(run.createdAt)}</time>
      </td>
      <td data-name="Duration" class="number">
        {run.endedAt === null ? '–' : formatDuration(run.endedAt - run.createdAt)}
      </td>
      <td data-name="Workflow">{link !== null && <ExternalLink href={link}>Temporal</ExternalLink>}</td>
    </tr>
  );
}
