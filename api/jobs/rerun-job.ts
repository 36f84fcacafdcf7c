/** Runs a job again from a step, as another job. What the steps before it made is copied and costs nothing. */
import { UnbrokenError } from '../../contracts/errors.ts';
import type { FoldedStep } from '../../contracts/fold-job.ts';
import type { JobEventBody, RerunRequest } from '../../contracts/jobs.ts';
import type { CheckedPipeline } from '../../engine/jobs/check-pipeline.ts';
import type { JobHead } from '../../engine/jobs/job-store.ts';
import type { Caller } from '../access/api-keys.ts';
import { hashRequest } from '../generations/generation-id.ts';
import { placesOf } from './job-value.ts';
import { foldedJob } from './job-view.ts';
import { planJob } from './plan-job.ts';
import { type JobStartDependencies, jobIdFor, type ReusedSteps, startJob } from './start-job.ts';

/** @returns the id of the new job. @throws job_conflict, invalid_request */
export async function rerunJob(
  dependencies: JobStartDependencies,
  caller: Caller,
  {
    head,
    request,
    idempotencyKey,
  }: { head: JobHead; request: RerunRequest; idempotencyKey: string | undefined },
): Promise<string> {
  const { jobs } = dependencies;
  const spec = await jobs.spec(head.jobId);
  const folded = await foldedJob(dependencies, head);
  if (folded.end === null) {
    throw new UnbrokenError('job_conflict', `The job ${head.jobId} has not ended; cancel it first.`);
  }
  const jobId = jobIdFor(caller, idempotencyKey);
  const { tenant, user } = head;
  const planned = await planJob(
    dependencies,
    { tenant, user },
    { definition: spec.definition, steps: request.steps },
  );
  const again = stepsToRun(planned.checked, request.from, folded.steps);
  const kept = [...folded.steps.values()].filter(({ name }) => !again.has(name));
  const reused: ReusedSteps = {
    rerunOf: { jobId: head.jobId, from: request.from },
    events: kept.map((step) => reuseOf(step, head.jobId)),
    values: await valuesOf(jobs, head.jobId, kept),
  };
  // Its user pays, by the key of this request: that of the earlier job may be revoked, or have spent its budget.
  await startJob(dependencies, caller, {
    jobId,
    isRepeatable: idempotencyKey !== undefined,
    requestHash: hashRequest([head.jobId, request]),
    user,
    planned: { ...planned, pipeline: head.pipeline },
    input: spec.input,
    request: {
      maxCostMicroUsd: request.maxCostMicroUsd ?? head.maxCostMicroUsd ?? undefined,
      deadlineMs: request.deadlineMs,
      metadata: { ...head.metadata },
      priority: spec.priority ?? undefined,
    },
    reused,
    ...(spec.webhook === undefined ? {} : { webhook: spec.webhook }),
  });
  return jobId;
}

/** The step, those that need it, and those that the earlier job has not finished. @throws invalid_request */
function stepsToRun(
  { steps }: CheckedPipeline,
  from: string,
  earlier: ReadonlyMap<string, FoldedStep>,
): ReadonlySet<string> {
  if (!steps.some(({ name }) => name === from)) {
    const names = steps.map(({ name }) => name).join(', ');
    throw new UnbrokenError('invalid_request', `from: there is no step "${from}"; the steps are ${names}.`);
  }
  const again = new Set([from]);
  // In the order in which they run, so what a step needs is decided before it.
  for (const { name, needs } of steps) {
    const isOver = ['completed', 'skipped', 'reused'].includes(earlier.get(name)?.status ?? '');
    if (!isOver || needs.some((need) => again.has(need))) again.add(name);
  }
  return again;
}

function reuseOf({ name: step, status, items }: FoldedStep, jobId: string): JobEventBody {
  return status === 'skipped' ? { type: 'step-skip', step } : { type: 'step-reuse', step, jobId, items };
}

async function valuesOf(
  jobs: JobStartDependencies['jobs'],
  jobId: string,
  steps: readonly FoldedStep[],
): Promise<ReadonlyMap<string, string>> {
  const places = steps.flatMap(placesOf);
  const values = await jobs.values(jobId, places);
  return new Map(
    places.flatMap((place, index) => (values[index] == null ? [] : [[place, values[index]] as const])),
  );
}
