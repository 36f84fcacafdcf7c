/** What each version costs: a chart of one measure, and a table of all. */
import { useState } from 'preact/hooks';
import type { PromptStatsView, VersionStats } from '../../../../../contracts/prompts.ts';
import { formatCost, formatCount, formatDuration } from '../../format.ts';
import { Bars } from './bars.tsx';

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

/** More bars than this cannot be compared; the table has all. */
const MOST_BARS = 20;

export function Statistics({ stats }: { stats: PromptStatsView }) {
  const [chosen, setChosen] = useState<Measure>('each');
  const measure = MEASURES[chosen];
  const used = stats.versions.filter(({ requests }) => requests > 0);
  if (used.length === 0) return <p class="muted">No generation has used this prompt yet.</p>;
  return (
    <>
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
      <Bars
        title={`${measure.name} by version`}
        bars={used.slice(-MOST_BARS).map((version) => ({
          label: `v${version.version}`,
          value: measure.of(version),
          shown: measure.format(measure.of(version)),
          isBase: version.version === stats.baseline,
        }))}
      />
      <VersionTable versions={used} baseline={stats.baseline} />
    </>
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

export function savingOf({ saving }: VersionStats): string {
  if (saving === null) return 'baseline';
  const { share, soFarMicroUsd, isCertain } = saving;
  const percent = share === null ? '' : `${Math.abs(Math.round(share * 100))} % `;
  const direction = soFarMicroUsd >= 0 ? 'less' : 'more';
  return `${percent}${direction}, ${formatCost(Math.abs(soFarMicroUsd))} so far${isCertain ? '' : ' (not significant)'}`;
}
