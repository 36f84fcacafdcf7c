/** Prompts: the cost of each version as a chart, and its other statistics as a table. */
import { useCallback, useState } from 'preact/hooks';
import type { PromptStatsView, PromptView, VersionStats } from '../../../../../contracts/prompts.ts';
import { formatCost, formatCount, formatDuration } from '../../format.ts';
import { linkTo, place } from '../../router.ts';
import { getJson } from '../../session.ts';
import { usePolled } from '../../use-polled.ts';
import { Failure } from '../parts.tsx';
import { Bars } from './bars.tsx';

/** `GET /v1/prompts`. */
interface PromptList {
  readonly data: readonly PromptView[];
}

const MEASURES = {
  each: {
    name: 'Cost per request',
    of: (version: VersionStats) => version.costPerRequestMicroUsd ?? 0,
    format: formatCost,
  },
  sum: {
    name: 'Total cost',
    of: (version: VersionStats) => version.costMicroUsd,
    format: formatCost,
  },
  tokens: {
    name: 'Output tokens per request',
    of: (version: VersionStats) => version.outputTokens / Math.max(1, version.requests),
    format: (tokens: number) => formatCount(Math.round(tokens)),
  },
} as const;
type Measure = keyof typeof MEASURES;

export function Prompts() {
  const load = useCallback(() => getJson<PromptList>('/v1/prompts'), []);
  const { data, error } = usePolled(load);
  const name = place.value.id ?? data?.data[0]?.name ?? null;
  return (
    <div class="stack">
      <h1>Prompts</h1>
      {error !== null && <Failure error={error} />}
      {data?.data.length === 0 && <p class="card muted">No prompts yet.</p>}
      {data !== null && data.data.length > 0 && (
        <nav class="choices" aria-label="Prompts">
          {data.data.map((prompt) => (
            <a
              key={prompt.name}
              href={linkTo('prompts', prompt.name)}
              aria-current={prompt.name === name ? 'page' : undefined}
            >
              {prompt.name} <span class="muted">{prompt.latest}</span>
            </a>
          ))}
        </nav>
      )}
      {name !== null && <Stats key={name} name={name} />}
    </div>
  );
}

function Stats({ name }: { name: string }) {
  const path = `/v1/prompts/${encodeURIComponent(name)}/stats`;
  const load = useCallback(() => getJson<PromptStatsView>(path), [path]);
  const { data, error } = usePolled(load);
  const [chosen, setChosen] = useState<Measure>('each');
  const measure = MEASURES[chosen];
  const used = data?.versions.filter(({ requests }) => requests > 0) ?? [];
  return (
    <section class="card" aria-labelledby="prompt-title">
      <header class="row">
        <h2 id="prompt-title">{name}</h2>
        <div class="row choose">
          <label for="measure">Measure</label>
          <select
            id="measure"
            value={chosen}
            onChange={(event) => {
              if (event.currentTarget.value in MEASURES) setChosen(event.currentTarget.value as Measure);
            }}
          >
            {Object.entries(MEASURES).map(([key, { name: label }]) => (
              <option key={key} value={key}>
                {label}
              </option>
            ))}
          </select>
        </div>
      </header>
      {error !== null && <Failure error={error} />}
      {data !== null && used.length === 0 && <p class="muted">No generation has used this prompt yet.</p>}
      {used.length > 0 && (
        <>
          <Bars
            title={`${measure.name} by version`}
            bars={used.map((version) => ({
              label: `v${version.version}`,
              value: measure.of(version),
              shown: measure.format(measure.of(version)),
              isBase: version.version === data?.baseline,
            }))}
          />
          <VersionTable versions={used} baseline={data?.baseline ?? null} />
        </>
      )}
    </section>
  );
}

function VersionTable({
  versions,
  baseline,
}: {
  versions: readonly VersionStats[];
  baseline: number | null;
}) {
  return (
    <table class="list">
      <caption class="visually-hidden">Versions</caption>
      <thead>
        <tr>
          <th scope="col">Version</th>
          <th scope="col" class="number">
            Requests
          </th>
          <th scope="col" class="number">
            Per request
          </th>
          <th scope="col" class="number">
            Total
          </th>
          <th scope="col">Compared with v{baseline}</th>
          <th scope="col" class="number">
            First token
          </th>
          <th scope="col" class="number">
            Feedback
          </th>
        </tr>
      </thead>
      <tbody>
        {versions.map((version) => (
          <tr key={version.version}>
            <th scope="row">v{version.version}</th>
            <td data-name="Requests" class="number">
              {formatCount(version.requests)}
            </td>
            <td data-name="Per request" class="number">
              {formatCost(version.costPerRequestMicroUsd ?? 0)}
            </td>
            <td data-name="Total" class="number">
              {formatCost(version.costMicroUsd)}
            </td>
            <td data-name={`Compared with v${baseline}`}>{savingOf(version)}</td>
            <td data-name="First token" class="number">
              {version.firstTokenMs === null ? '–' : formatDuration(version.firstTokenMs.p50)}
            </td>
            <td data-name="Feedback" class="number">
              {version.feedback.mean === null
                ? '–'
                : `${version.feedback.mean.toFixed(2)} of ${formatCount(version.feedback.count)}`}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function savingOf({ saving }: VersionStats): string {
  if (saving === null) return 'baseline';
  const { share, soFarMicroUsd, isCertain } = saving;
  const percent = share === null ? '' : `${Math.abs(Math.round(share * 100))} % `;
  const direction = soFarMicroUsd >= 0 ? 'less' : 'more';
  return `${percent}${direction}, ${formatCost(Math.abs(soFarMicroUsd))} so far${isCertain ? '' : ' (not significant)'}`;
}
