/** A job as the API shows it. */

import {
  type FoldedJob,
  type FoldedStep,
  foldJob,
  itemsOf,
  jobStatusOf,
  stepStatusOf,
} from '../../contracts/fold-job.ts';
import type { JobStepDetail, JobStepView, JobView } from '../../contracts/jobs.ts';
import type { JobHead } from '../../engine/jobs/job-store.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { stepValue } from './job-value.ts';

type Jobs = Pick<ApiDependencies, 'jobs'>;

export async function foldedJob({ jobs }: Jobs, { jobId }: JobHead): Promise<FoldedJob> {
  return foldJob(await jobs.read(jobId, -1));
}

/** @param withOutput whether the document is part of it. */
export async function jobView(
  dependencies: Jobs,
  head: JobHead,
  { withOutput }: { readonly withOutput: boolean },
): Promise<JobView> {
  const folded = await foldedJob(dependencies, head);
  const output =
    withOutput && folded.end?.type === 'job-end' ? await documentOf(dependencies, head.jobId) : null;
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
    output,
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
