/** One step: what it wrote, its generations, and another job that begins with it. */
import { useCallback, useState } from 'preact/hooks';
import { type FoldedJob, type FoldedStep, itemsOf, stepStatusOf } from '../../../../../contracts/fold-job.ts';
import type { JobStepDetail } from '../../../../../contracts/jobs.ts';
import { HOUR_MS } from '../../../../../contracts/time.ts';
import { formatCost, formatCount, formatDuration, shortId } from '../../format.ts';
import { linkTo } from '../../router.ts';
import { clientWith } from '../../session.ts';
import { usePolled } from '../../use-polled.ts';
import { CopyButton } from '../copy-button.tsx';
import { ExternalLink, Fact, Failure } from '../parts.tsx';
import { StepStatusBadge } from './job-status.tsx';
import { RerunDialog } from './rerun-dialog.tsx';

const MOST_GENERATIONS = 200;

interface StepPanelProperties {
  readonly id: string;
  readonly step: FoldedStep;
  readonly job: FoldedJob;
}

export function StepPanel({ id, step, job }: StepPanelProperties) {
  const { name, generations, startedAt, endedAt } = step;
  const status = stepStatusOf(step, job);
  const { done, failed } = itemsOf(step);
  // Its value changes when one of its items ends; the state of its generations is known from the events.
  const load = useCallback(() => clientWith().jobs.step(id, name), [id, name, status, done, failed]);
  const { data, error } = usePolled(load, HOUR_MS);
  const [isAsking, setAsking] = useState(false);
  return (
    <section class="card" aria-labelledby="step-title">
      <header class="row">
        <h2 id="step-title">{name}</h2>
        <StepStatusBadge status={status} />
        {job.end !== null && (
          <button type="button" class="small end" onClick={() => setAsking(true)}>
            Run again from here
          </button>
        )}
      </header>
      {step.error !== null && <StepError error={step.error} />}
      {error !== null && <Failure error={error} />}
      <dl class="facts">
        {step.items !== null && (
          <Fact name="Items">
            {formatCount(done)} of {formatCount(step.items)}
            {failed > 0 && `, ${formatCount(failed)} failed`}
          </Fact>
        )}
        <Fact name="Cost">{status === 'reused' ? 'none, reused' : formatCost(step.costMicroUsd)}</Fact>
        {startedAt !== null && endedAt !== null && (
          <Fact name="Duration">{formatDuration(endedAt - startedAt)}</Fact>
        )}
        {step.decision !== null && (
          <Fact name={step.decision.approved ? 'Approved by' : 'Rejected by'}>
            {step.decision.by ?? 'nobody in time'}
            {step.decision.note !== null && `: ${step.decision.note}`}
          </Fact>
        )}
      </dl>
      <Value detail={data} />
      {generations.length > 0 && <Generations generations={generations} />}
      {isAsking && <RerunDialog id={id} from={name} onClose={() => setAsking(false)} />}
    </section>
  );
}

function StepError({ error }: { error: NonNullable<FoldedStep['error']> }) {
  return (
    <p class="fault">
      {error.message} <ExternalLink href={error.doc}>{error.code}</ExternalLink>
    </p>
  );
}

function Value({ detail }: { detail: JobStepDetail | null }) {
  if (detail?.value == null) return null;
  const { value } = detail;
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  return (
    <>
      <div class="row">
        <h3>Value</h3>
        <CopyButton what="value" text={() => text} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard must reach it */}
      <section class="output" aria-label="Value" tabIndex={0}>
        {text}
      </section>
    </>
  );
}

function Generations({ generations }: Pick<FoldedStep, 'generations'>) {
  return (
    <>
      <table class="list">
        <caption class="visually-hidden">Generations of this step</caption>
        <thead>
          <tr>
            <th scope="col">Generation</th>
            <th scope="col">Item</th>
            <th scope="col">Attempt</th>
            <th scope="col">Status</th>
            <th scope="col" class="number">
              Cost
            </th>
          </tr>
        </thead>
        <tbody>
          {generations.slice(0, MOST_GENERATIONS).map((generation, index) => (
            <tr key={index}>
              <th scope="row">
                {generation.generationId === null ? (
                  <span class="muted">not begun</span>
                ) : (
                  <a href={linkTo('runs', generation.generationId)} title={generation.generationId}>
                    <code>{shortId(generation.generationId)}</code>
                  </a>
                )}
              </th>
              <td data-name="Item">{generation.item === null ? '–' : formatCount(generation.item + 1)}</td>
              <td data-name="Attempt">{generation.attempt}</td>
              <td data-name="Status">
                <StepStatusBadge status={generation.status} />
                {generation.error !== null && <span class="hint block">{generation.error.message}</span>}
              </td>
              <td data-name="Cost" class="number">
                {formatCost(generation.costMicroUsd)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {generations.length > MOST_GENERATIONS && (
        <p class="hint">
          The first {MOST_GENERATIONS} of {formatCount(generations.length)}.
        </p>
      )}
    </>
  );
}
