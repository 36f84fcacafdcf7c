/** The list of runs as a table. */
import { inputTokensOf, NO_USAGE, outputTokensOf } from '../../../../../contracts/money.ts';
import type { GenerationView } from '../../../../typescript/index.ts';
import { formatCost, formatCount, formatDuration, shortId } from '../../format.ts';
import { linkTo } from '../../router.ts';
import { temporalLink } from '../../session.ts';
import { ExternalLink, Status, Time } from '../parts.tsx';

export type Run = Omit<GenerationView, 'text'>;

export function RunTable({ runs }: { runs: readonly Run[] }) {
  return (
    <table class="list">
      <caption class="visually-hidden">Runs, newest first</caption>
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
        {run.prompt !== null && (
          <span class="tag plain">
            {run.prompt.name}@{run.prompt.version}
          </span>
        )}
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
        <Time at={run.createdAt} />
      </td>
      <td data-name="Duration" class="number">
        {run.endedAt === null ? '–' : formatDuration(run.endedAt - run.createdAt)}
      </td>
      <td data-name="Workflow">{link !== null && <ExternalLink href={link}>Temporal</ExternalLink>}</td>
    </tr>
  );
}
