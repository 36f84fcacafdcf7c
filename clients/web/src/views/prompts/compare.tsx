/** Two versions side by side: what differs in their texts, and what each costs. */
import { useEffect, useState } from 'preact/hooks';
import type {
  PromptStatsView,
  PromptVersionView,
  PromptView,
  VersionStats,
} from '../../../../../contracts/prompts.ts';
import { formatCost, formatCount, formatDuration, formatTime } from '../../format.ts';
import { getJson } from '../../session.ts';
import { Failure, Loading } from '../parts.tsx';
import { DiffTable } from './diff-table.tsx';
import { loadVersion } from './load-version.ts';
import { savingOf } from './statistics.tsx';

/** A select with more options than this cannot be used. */
const MOST_OPTIONS = 200;

interface Comparison {
  readonly left: PromptVersionView;
  readonly right: PromptVersionView;
  readonly stats: PromptStatsView;
}

export function Compare({ prompt }: { prompt: PromptView }) {
  const { name, latest } = prompt;
  const [versions, setVersions] = useState({ left: Math.max(1, latest - 1), right: latest });
  const [comparison, setComparison] = useState<Comparison | null>(null);
  const [error, setError] = useState<Error | null>(null);
  useEffect(() => {
    let isOver = false;
    setError(null);
    loadComparison(name, versions).then(
      (loaded) => {
        if (!isOver) setComparison(loaded);
      },
      (cause: unknown) => {
        if (!isOver) setError(cause instanceof Error ? cause : new Error(String(cause)));
      },
    );
    return () => {
      isOver = true;
    };
  }, [name, versions]);
  return (
    <section class="card" aria-labelledby="compare-title">
      <header class="row">
        <h2 id="compare-title">{latest === 1 ? 'Content' : 'Compare versions'}</h2>
        {latest > 1 && (
          <div class="row choose">
            <VersionField
              label="Before"
              latest={latest}
              version={versions.left}
              onChange={(left) => setVersions({ ...versions, left })}
            />
            <VersionField
              label="After"
              latest={latest}
              version={versions.right}
              onChange={(right) => setVersions({ ...versions, right })}
            />
          </div>
        )}
      </header>
      {error !== null && <Failure error={error} />}
      {comparison === null && error === null && <Loading what="versions" />}
      {comparison !== null && (
        <>
          <Facts comparison={comparison} />
          <DiffTable left={comparison.left} right={comparison.right} />
        </>
      )}
    </section>
  );
}

interface VersionFieldProperties {
  readonly label: string;
  readonly latest: number;
  readonly version: number;
  readonly onChange: (version: number) => void;
}

function VersionField({ label, latest, version, onChange }: VersionFieldProperties) {
  const id = `compare-${label.toLowerCase()}`;
  const choose = (value: string) => {
    const chosen = Number(value);
    if (Number.isInteger(chosen) && chosen >= 1 && chosen <= latest) onChange(chosen);
  };
  const versions = Array.from({ length: Math.min(latest, MOST_OPTIONS) }, (_, index) => latest - index);
  return (
    <>
      <label for={id}>{label}</label>
      {latest <= MOST_OPTIONS ? (
        <select id={id} value={version} onChange={(event) => choose(event.currentTarget.value)}>
          {versions.map((each) => (
            <option key={each} value={each}>
              v{each}
            </option>
          ))}
        </select>
      ) : (
        <input
          id={id}
          type="number"
          min={1}
          max={latest}
          value={version}
          onChange={(event) => choose(event.currentTarget.value)}
        />
      )}
    </>
  );
}

/** Who made the versions and when, and how their use differs. */
function Facts({ comparison: { left, right, stats } }: { comparison: Comparison }) {
  const columns = left.version === right.version ? [right] : [left, right];
  const rows = columns.map((view) => ({
    view,
    use: stats.versions.find(({ version }) => version === view.version),
  }));
  return (
    <table class="list">
      <caption class="visually-hidden">Use of the compared versions</caption>
      <thead>
        <tr>
          <th scope="col">Version</th>
          <th scope="col">Added</th>
          {['Requests', 'Per request', 'Output tokens', 'First token'].map((name) => (
            <th key={name} scope="col" class="number">
              {name}
            </th>
          ))}
          {columns.length > 1 && <th scope="col">Compared with v{left.version}</th>}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ view, use }) => (
          <tr key={view.version}>
            <th scope="row">v{view.version}</th>
            <td data-name="Added">
              {formatTime(view.createdAt)} <span class="muted">with {view.createdBy}</span>
            </td>
            <UseCells use={use} />
            {columns.length > 1 && (
              <td data-name={`Compared with v${left.version}`}>
                {use === undefined || use.requests === 0 ? '–' : savingOf(use)}
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function UseCells({ use }: { use: VersionStats | undefined }) {
  const requests = use?.requests ?? 0;
  return (
    <>
      <td data-name="Requests" class="number">
        {formatCount(requests)}
      </td>
      <td data-name="Per request" class="number">
        {use?.costPerRequestMicroUsd == null ? '–' : formatCost(use.costPerRequestMicroUsd)}
      </td>
      <td data-name="Output tokens" class="number">
        {requests === 0 ? '–' : formatCount(Math.round((use?.outputTokens ?? 0) / requests))}
      </td>
      <td data-name="First token" class="number">
        {use?.firstTokenMs == null ? '–' : formatDuration(use.firstTokenMs.p50)}
      </td>
    </>
  );
}

async function loadComparison(
  name: string,
  { left, right }: { readonly left: number; readonly right: number },
): Promise<Comparison> {
  const statsPath = `/v1/prompts/${encodeURIComponent(name)}/stats?baseline=${left}`;
  const [before, after, stats] = await Promise.all([
    loadVersion(name, left),
    loadVersion(name, right),
    getJson<PromptStatsView>(statsPath),
  ]);
  return { left: before, right: after, stats };
}
