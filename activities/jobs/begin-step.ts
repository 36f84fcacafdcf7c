/** Begins a step: whether it is skipped, how many items it has, or what a person is asked. */

import { type ErrorCode, UnbrokenError } from '../../contracts/errors.ts';
import type { BegunStep, JobStepName } from '../../contracts/job-steps.ts';
import type { JobEventBody } from '../../contracts/jobs.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { fillText, isMet, type PipelineValues, readValue } from '../../contracts/pipeline-values.ts';
import { type ApprovalStep, type GenerationStep, isApproval } from '../../contracts/pipelines.ts';
import type { JobDependencies } from './job-dependencies.ts';
import { countPlace, pointersToBegin, readValues, specifiedJob, stepOf } from './job-values.ts';
import { notifyApprovalRequired } from './notify-job.ts';

export function beginStep(dependencies: Pick<JobDependencies, 'jobs' | 'webhooks'>) {
  const { jobs } = dependencies;
  return async ({ job: jobName, step: name }: JobStepName): Promise<BegunStep> => {
    const { jobId } = jobName;
    const job = await specifiedJob(jobs, jobId);
    const step = stepOf(job, name);
    const begun = async (event: JobEventBody, values?: ReadonlyMap<string, string>) => {
      const outcome = await jobs.append(jobId, `begin:${name}`, [event], values);
      // It was ended before it had this run, as its events say.
      if (outcome === 'ended') throw new UnbrokenError('cancelled', 'The job has ended.');
    };
    try {
      const values = await readValues(jobs, job, pointersToBegin(step));
      if (step.when !== undefined && !isMet(step.when, values)) {
        await begun({ type: 'step-skip', step: name });
        return { next: 'skip' };
      }
      if (isApproval(step)) {
        const timeoutAtMs = await askPerson(step, values, begun, name);
        const approval = { step: name, timeoutAtMs };
        const deliveries = await notifyApprovalRequired(dependencies, jobName, job.spec, approval);
        return { next: 'wait', timeoutAtMs, deliveries };
      }
      const items = step.foreach === undefined ? null : itemsIn(step.foreach, values);
      const count = items === null ? [] : [[countPlace(name), String(items)] as const];
      await begun({ type: 'step-start', step: name, items }, new Map(count));
      return { next: 'generate', items: items ?? 1, deadlineAtMs: deadlineOf(step) };
    } catch (error) {
      if (!(error instanceof UnbrokenError) || error.code === 'service_unavailable') throw error;
      const code: ErrorCode = error.code;
      await jobs.append(jobId, `end:${name}`, [
        { type: 'step-end', step: name, status: 'failed', error: error.toBody() },
      ]);
      return { next: 'fail', failure: { code } };
    }
  };
}

async function askPerson(
  { approve }: ApprovalStep,
  values: PipelineValues,
  begun: (event: JobEventBody) => Promise<unknown>,
  step: string,
): Promise<number | null> {
  const timeoutAt = approve.timeoutMs === undefined ? null : Date.now() + approve.timeoutMs;
  const message = approve.message === undefined ? null : fillText(approve.message, values);
  await begun({ type: 'approval-request', step, message, timeoutAt });
  return timeoutAt;
}

/** @throws invalid_request */
function itemsIn(pointer: string, values: PipelineValues): number {
  const list = readValue(values, pointer);
  if (list === null) return 0;
  if (!Array.isArray(list)) {
    throw new UnbrokenError('invalid_request', `foreach: ${pointer} is no list in this job.`);
  }
  if (list.length > LIMITS.itemsPerStep) {
    const most = LIMITS.itemsPerStep;
    throw new UnbrokenError(
      'job_too_large',
      `foreach: ${pointer} has ${list.length} elements of at most ${most}.`,
    );
  }
  return list.length;
}

function deadlineOf({ deadlineMs }: GenerationStep): number {
  return Date.now() + (deadlineMs ?? LIMITS.longestJobMs);
}
