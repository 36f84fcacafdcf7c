/** A job as the API shows it. */

import {
  type FoldedJob,
  type FoldedStep,
  foldRead,
  itemsOf,
  jobStatusOf,
  stepStatusOf,
} from '../../contracts/fold-job.ts';
import type { JobStepDetail, JobStepView, JobView } from '../../contracts/jobs.ts';
import { parseJson } from '../../contracts/json.ts';
import type { JobHead } from '../../engine/jobs/job-store.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { stepValue } from './job-value.ts';

type Jobs = Pick<ApiDependencies, 'jobs'>;

export function foldedJob({ jobs }: Jobs, { jobId }: JobHead): Promise<FoldedJob> {
  return foldRead(jobs.events(jobId));
}

/** @param withOutput whether the document is part of it. */
export async function jobView(
  dependencies: Jobs,
  head: JobHead,
  { withOutput }: { readonly withOutput: boolean },
): Promise<JobView> {
  const summary = await summaryOf(dependencies, head);
  const isDocumented = withOutput && summary.status === 'completed';
  return { ...summary, output: isDocumented ? await documentOf(dependencies, head.jobId) : null };
}

type Summary = Omit<JobView, 'output'>;

/** Of the code that makes summaries: one that was kept by other code is made again. */
const SUMMARY_FORM = 1;

/** A job has up to ten thousand events. Once it has ended, they are read once more, and never for a list again. */
async function summaryOf({ jobs }: Jobs, head: JobHead): Promise<Summary> {
  const kept = head.summary === null ? null : (parseJson(head.summary) as { form: number; job: Summary });
  if (kept?.form === SUMMARY_FORM) return kept.job;
  const folded = await foldedJob({ jobs }, head);
  const job = summarize(head, folded);
  if (folded.end !== null) await jobs.keepSummary(head.jobId, JSON.stringify({ form: SUMMARY_FORM, job }));
  return job;
}

function summarize(head: JobHead, folded: FoldedJob): Summary {
  return {
    id: head.jobId,
    status: jobStatusOf(folded),
    pipeline: head.pipeline,
    user: head.user,
    createdAt: head.createdAt,
    endedAt: folded.end?.at ?? null,
    deadlineAt: head.deadlineAtMs,
    maxCostMicroUsd: head.maxCostMicroUsd,
    costMicroUsd: folded.costMicroUsd,
    usage: folded.usage,
    steps: [...folded.steps.values()].map((step) => stepView(step, folded)),
    error: folded.end?.type === 'job-error' ? folded.end.error : null,
    rerunOf: folded.rerunOf ?? null,
    metadata: { ...head.metadata },
  };
}

async function documentOf({ jobs }: Jobs, jobId: string): Promise<string | null> {
  const [json] = await jobs.values(jobId, ['$document']);
  return json == null ? null : String(JSON.parse(json));
}

export async function stepDetail(
  dependencies: Jobs,
  { jobId }: JobHead,
  folded: FoldedJob,
  step: FoldedStep,
): Promise<JobStepDetail> {
  return {
    ...stepView(step, folded),
    generations: step.generations.map(({ item, attempt, generationId, status, costMicroUsd, error }) => {
      return { item, attempt, generationId, status, costMicroUsd, error };
    }),
    value: (await stepValue(dependencies, jobId, step)) ?? null,
  };
}

function stepView(step: FoldedStep, folded: FoldedJob): JobStepView {
  const { name, needs, items, costMicroUsd, usage, startedAt, endedAt, approval, error } = step;
  const status = stepStatusOf(step, folded);
  return {
    name,
    needs: needs === null ? null : [...needs],
    status,
    items,
    ...itemsOf(step),
    costMicroUsd,
    usage,
    startedAt,
    endedAt,
    approval: status === 'waiting' ? approval : null,
    error,
  };
}
