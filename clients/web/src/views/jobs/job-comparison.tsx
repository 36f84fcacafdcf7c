/** Two jobs side by side: what each step cost, and where their texts differ. */
import { useId, useMemo, useState } from 'preact/hooks';
import type { JobComparison } from '../../../../../contracts/jobs.ts';
import { formatCost, shortId } from '../../format.ts';
import { clientWith } from '../../session.ts';
import { DiffRow } from '../diff/diff-row.tsx';
import { diffTexts } from '../diff/line-diff.ts';
import { Failure } from '../parts.tsx';

/** @param other the job that is offered for comparison */
export function JobComparisonCard({ id, other }: { id: string; other: string | null }) {
  const fieldId = useId();
  const [comparison, setComparison] = useState<JobComparison | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const compare = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const wanted = String(new FormData(event.currentTarget).get('other')).trim();
    setError(null);
    try {
      // The older one stands on the left.
      setComparison(await clientWith().jobs.compare(wanted, id));
    } catch (cause) {
      setComparison(null);
      setError(cause instanceof Error ? cause : new Error(String(cause)));
    }
  };
  return (
    <section class="card" aria-labelledby="comparison-title">
      <header class="row">
        <h2 id="comparison-title">Compare</h2>
        <form class="row choose" onSubmit={compare}>
          <label for={fieldId}>With the job</label>
          <input id={fieldId} name="other" required defaultValue={other ?? ''} placeholder="job_…" />
          <button type="submit">Compare</button>
        </form>
      </header>
      {error !== null && <Failure error={error} />}
      {comparison !== null && <Comparison comparison={comparison} />}
    </section>
  );
}

function Comparison({ comparison: { jobs, steps } }: { comparison: JobComparison }) {
  const [left, right] = jobs.map(({ jobId }) => shortId(jobId));
  return (
    <>
      <table class="list">
        <caption class="visually-hidden">Cost of both jobs</caption>
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col" class="number">
              {left}
            </th>
            <th scope="col" class="number">
              {right}
            </th>
            <th scope="col">Text</th>
          </tr>
        </thead>
        <tbody>
          {steps.map(({ name, isSame, sides }) => (
            <CostRow key={name} name={name} sides={sides} difference={isSame ? 'the same' : 'differs'} />
          ))}
          <CostRow name="All" sides={jobs} difference="" />
        </tbody>
      </table>
      {steps
        .filter(({ isSame }) => !isSame)
        .map(({ name, sides }) => (
          <TextDiff key={name} name={name} texts={sides.map(({ text }) => text ?? '')} />
        ))}
    </>
  );
}

interface CostRowProperties {
  readonly name: string;
  readonly sides: readonly { readonly status: string; readonly costMicroUsd: number }[];
  readonly difference: string;
}

function CostRow({ name, sides, difference }: CostRowProperties) {
  return (
    <tr>
      <th scope="row">{name}</th>
      {sides.map(({ status, costMicroUsd }, index) => (
        <td key={index} data-name={index === 0 ? 'Before' : 'After'} class="number">
          {formatCost(costMicroUsd)} <span class="muted">{status}</span>
        </td>
      ))}
      <td data-name="Text">{difference}</td>
    </tr>
  );
}

function TextDiff({ name, texts: [left = '', right = ''] }: { name: string; texts: readonly string[] }) {
  const lines = useMemo(() => diffTexts(left, right), [left, right]);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard must reach it */}
      <section class="table-scroll" tabIndex={0} aria-label={`Texts of ${name}`}>
        <table class="diff">
          <thead>
            <tr>
              <th scope="col">{name}, before</th>
              <th scope="col">{name}, after</th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line, index) => (
              <DiffRow key={index} line={line} />
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}
