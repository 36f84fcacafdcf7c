/** One job: its steps as a graph, what waits for a person, a step in detail, and its document. */
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { type FoldedJob, itemsOf, jobStatusOf } from '../../../../../contracts/fold-job.ts';
import type { JobView } from '../../../../../contracts/jobs.ts';
import { HOUR_MS } from '../../../../../contracts/time.ts';
import { formatCost, formatDuration, formatTime, formatTokens, shortId } from '../../format.ts';
import { linkTo } from '../../router.ts';
import { clientWith, temporalLink } from '../../session.ts';
import { usePolled } from '../../use-polled.ts';
import { CopyButton } from '../copy-button.tsx';
import { ExternalLink, Fact, Failure, Loading } from '../parts.tsx';
import { Approvals } from './approvals.tsx';
import { JobComparisonCard } from './job-comparison.tsx';
import { JobControls } from './job-controls.tsx';
import { JobFollower } from './job-follower.ts';
import { JobStatusBadge } from './job-status.tsx';
import { StepGraph } from './step-graph.tsx';
import { StepPanel } from './step-panel.tsx';

export function JobPage({ id }: { id: string }) {
  const follower = useMemo(() => new JobFollower(id), [id]);
  useEffect(() => () => follower.stop(), [follower]);
  const job = follower.job.value;
  const isOver = job.end !== null;
  // What its events do not have: who started it, and its document. Both are final once it has ended.
  const load = useCallback(() => clientWith().jobs.get(id), [id, isOver]);
  const { data: view, error } = usePolled(load, HOUR_MS);
  const [chosen, setChosen] = useState<string | null>(null);
  const shown = chosen ?? mostInteresting(job);
  const step = shown === null ? undefined : job.steps.get(shown);
  const link = temporalLink(id);
  const failure = follower.error.value ?? error;
  return (
    <div class="stack wide">
      <p class="back">
        <a href={linkTo('jobs')}>All jobs</a>
      </p>
      <header class="row title">
        <h1>
          Job <code title={id}>{shortId(id)}</code>
        </h1>
        {job.steps.size > 0 && <JobStatusBadge status={jobStatusOf(job)} />}
        <div class="row actions">
          {link !== null && <ExternalLink href={link}>Temporal</ExternalLink>}
          {job.steps.size > 0 && <JobControls id={id} job={job} />}
        </div>
      </header>
      {failure !== null && <Failure error={failure} />}
      {job.steps.size === 0 && failure === null && <Loading what="the job" />}
      {job.steps.size > 0 && (
        <section class="card" aria-labelledby="steps-title">
          <h2 id="steps-title">Steps</h2>
          <StepGraph job={job} shown={shown} onShow={setChosen} />
          <p role="status">{sentenceOf(job)}</p>
          <Facts job={job} view={view} />
        </section>
      )}
      <Approvals id={id} job={job} />
      {step !== undefined && <StepPanel key={step.name} id={id} step={step} job={job} />}
      {view?.output != null && <Document text={view.output} />}
      {isOver && <JobComparisonCard id={id} other={job.rerunOf?.jobId ?? null} />}
    </div>
  );
}

/** What a viewer looks for first: what waits for a person, what failed, what runs, then the last that ended. */
function mostInteresting({ steps }: FoldedJob): string | null {
  const all = [...steps.values()];
  const wanted = ['waiting', 'failed', 'running'] as const;
  const found = wanted.map((status) => all.find((step) => step.status === status));
  const step =
    found.find((each) => each !== undefined) ?? all.findLast(({ endedAt }) => endedAt !== null) ?? all[0];
  return step?.name ?? null;
}

/** For those who do not see the graph. */
function sentenceOf(job: FoldedJob): string {
  switch (jobStatusOf(job)) {
    case 'completed':
      return 'The job is complete.';
    case 'failed':
      return job.end?.type === 'job-error' ? `It failed: ${job.end.error.message}` : 'It failed.';
    case 'cancelled':
      return 'It was cancelled; what it had written is charged.';
    case 'paused':
      return 'It is paused: no further generation begins.';
    case 'waiting':
      return 'It waits for a person.';
    case 'running': {
      const running = [...job.steps.values()].filter(({ status }) => status === 'running');
      const names = running.map((step) => {
        return step.items === null ? step.name : `${step.name} (${itemsOf(step).done} of ${step.items})`;
      });
      return names.length === 0 ? 'It begins.' : `It runs: ${names.join(', ')}.`;
    }
  }
}

function Facts({ job, view }: { job: FoldedJob; view: JobView | null }) {
  const { end, rerunOf } = job;
  return (
    <dl class="facts">
      {view?.pipeline != null && (
        <Fact name="Pipeline">
          {view.pipeline.name}@{view.pipeline.version}
        </Fact>
      )}
      <Fact name="Cost">
        {formatCost(job.costMicroUsd)}
        {view?.maxCostMicroUsd != null && ` of at most ${formatCost(view.maxCostMicroUsd)}`}
      </Fact>
      <Fact name="Tokens">{formatTokens(job.usage)}</Fact>
      {view !== null && <Fact name="User">{view.user}</Fact>}
      {view !== null && <Fact name="Started">{formatTime(view.createdAt)}</Fact>}
      {view !== null && end !== null && (
        <Fact name="Duration">{formatDuration(end.at - view.createdAt)}</Fact>
      )}
      {view !== null && end === null && <Fact name="Deadline">{formatTime(view.deadlineAt)}</Fact>}
      {rerunOf != null && (
        <Fact name={`Repeats, from ${rerunOf.from} on`}>
          <a href={linkTo('jobs', rerunOf.jobId)} title={rerunOf.jobId}>
            <code>{shortId(rerunOf.jobId)}</code>
          </a>
        </Fact>
      )}
    </dl>
  );
}

function Document({ text }: { text: string }) {
  return (
    <section class="card" aria-labelledby="document-title">
      <header class="row">
        <h2 id="document-title">Document</h2>
        <CopyButton what="document" text={() => text} />
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard must reach it */}
      <section class="output" aria-label="Text of the document" tabIndex={0}>
        {text}
      </section>
    </section>
  );
}
