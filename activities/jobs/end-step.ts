/** Ends steps and jobs, and settles approvals. */
import { docPage, ERRORS, isErrorCode, UnbrokenError } from '../../contracts/errors.ts';
import { type FoldedJob, foldRead } from '../../contracts/fold-job.ts';
import type {
  DecidedStep,
  EndedJob,
  EndJob,
  EndStep,
  JobOutcome,
  JobStepName,
} from '../../contracts/job-steps.ts';
import type { JobEventBody } from '../../contracts/jobs.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { asText, fillText, pointersOf } from '../../contracts/pipeline-values.ts';
import { isApproval } from '../../contracts/pipelines.ts';
import type { JobSpec } from '../../engine/jobs/job-store.ts';
import type { JobDependencies } from './job-dependencies.ts';
import { neededBy, readValues, type SpecifiedJob, specifiedJob, stepOf } from './job-values.ts';
import { notifyJobEnded } from './notify-job.ts';
import { recordItem } from './record-item.ts';

type Jobs = Pick<JobDependencies, 'jobs'>;
type ErrorBody = Extract<JobEventBody, { type: 'job-error' }>['error'];

/** The place of the job's document among its values; no step has such a name. */
const DOCUMENT = '$document';

function folded({ jobs }: Jobs, jobId: string): Promise<FoldedJob> {
  return foldRead(jobs.events(jobId));
}

export function endStep({ jobs }: Jobs) {
  return async ({ job: { jobId }, step, status, failure }: EndStep): Promise<void> => {
    const error = failure === null ? null : errorIn(await folded({ jobs }, jobId), step, failure.code);
    await jobs.append(jobId, `end:${step}`, [
      { type: 'step-end', step, status, ...(error === null ? {} : { error }) },
    ]);
  };
}

/** What a person has decided; if the time is over without a decision, what the pipeline says. */
export function decideStep({ jobs }: Jobs) {
  return async ({ job: { jobId }, step: name }: JobStepName): Promise<DecidedStep> => {
    const step = stepOf(await specifiedJob(jobs, jobId), name);
    if (!isApproval(step)) throw new RangeError(`The step ${name} needs no approval.`);
    const decided = { approved: step.approve.onTimeout === 'approve', by: null, note: null };
    const values = new Map([[name, JSON.stringify(decided)]]);
    await jobs.append(jobId, `approval:${name}`, [{ type: 'approval', step: name, ...decided }], values);
    const decision = (await folded({ jobs }, jobId)).steps.get(name)?.decision;
    const isApproved = decision?.approved === true;
    return { isFatal: !isApproved && step.approve.onReject !== 'continue' };
  };
}

type Ending = Pick<JobDependencies, 'endStranded' | 'jobs' | 'log' | 'webhooks'>;

export function endJob(dependencies: Ending) {
  return async (ending: EndJob): Promise<EndedJob> => {
    const state = await withoutStranded(dependencies, ending.job);
    const outcome = endedAs(state) ?? (await appendEnd(dependencies, ending, state));
    const spec = await specOf(dependencies, ending.job.jobId);
    const deliveries = spec === null ? [] : await notifyJobEnded(dependencies, ending.job, spec, outcome);
    return { ...outcome, deliveries };
  };
}

/** How the job has ended already: by an attempt before this one, or before it had this run. null: it has not. */
function endedAs({ end, costMicroUsd }: FoldedJob): JobOutcome | null {
  if (end === null) return null;
  if (end.type === 'job-cancel') return { status: 'cancelled', costMicroUsd, errorCode: null };
  if (end.type === 'job-end') return { status: 'completed', costMicroUsd, errorCode: null };
  const code = end.error.details?.['cause'] ?? end.error.code;
  return { status: 'failed', costMicroUsd, errorCode: isErrorCode(code) ? code : 'internal' };
}

/**
 * Closes what is open: a worker died when it had opened a generation, and the job was cancelled before another one
 * started its run.
 * @returns the job, of which nothing is open.
 */
async function withoutStranded(dependencies: Ending, job: EndJob['job']): Promise<FoldedJob> {
  const state = await folded(dependencies, job.jobId);
  let isChanged = false;
  for (const { name: step, generations } of state.steps.values()) {
    for (const { status, generationId, item, attempt } of generations) {
      if (status !== 'running' || generationId === null) continue;
      await dependencies.endStranded(generationId);
      await recordItem(dependencies)({ job, step, item: item ?? 0, attempt, generationId });
      isChanged = true;
    }
  }
  return isChanged ? folded(dependencies, job.jobId) : state;
}

/** null: the job was lost, or erased; its run ends all the same. */
async function specOf({ jobs }: Jobs, jobId: string): Promise<JobSpec | null> {
  try {
    return await jobs.spec(jobId);
  } catch (error) {
    if (error instanceof UnbrokenError && error.code === 'not_found') return null;
    throw error;
  }
}

async function appendEnd(
  { jobs }: Jobs,
  { job: { jobId }, as, failure }: EndJob,
  state: FoldedJob,
): Promise<JobOutcome> {
  const { usage, costMicroUsd } = state;
  const progress = { usage, costMicroUsd };
  if (as === 'cancelled') {
    await jobs.append(jobId, 'end', [{ type: 'job-cancel', ...progress }]);
    return { status: 'cancelled', costMicroUsd, errorCode: null };
  }
  if (failure !== null) {
    const error = jobError(state, failure);
    await jobs.append(jobId, 'end', [{ type: 'job-error', error, ...progress }]);
    return { status: 'failed', costMicroUsd, errorCode: failure.code };
  }
  try {
    const document = await documentOf({ jobs }, await specifiedJob(jobs, jobId));
    const values = new Map([[DOCUMENT, JSON.stringify(document)]]);
    const kept = await jobs.append(jobId, 'end', [{ type: 'job-end', ...progress }], values);
    if (kept === 'full')
      throw new UnbrokenError('job_too_large', 'The document is larger than a job may keep.');
    return { status: 'completed', costMicroUsd, errorCode: null };
  } catch (error) {
    if (!(error instanceof UnbrokenError)) throw error;
    await jobs.append(jobId, 'end', [{ type: 'job-error', error: error.toBody(), ...progress }]);
    return { status: 'failed', costMicroUsd, errorCode: error.code };
  }
}

/** The error of the step that failed, with its name; of the whole job otherwise. */
function jobError(state: FoldedJob, { code, step }: NonNullable<EndJob['failure']>): ErrorBody {
  if (step === null) return { code, message: ERRORS[code].fix, doc: docPage(code) };
  const { message, details = {} } = errorIn(state, step, code);
  return {
    code: 'job_step_failed',
    message: `The step ${step} failed: ${message}`,
    doc: docPage('job_step_failed'),
    details: { ...details, step, cause: code },
  };
}

function errorIn({ steps }: FoldedJob, name: string, code: EndStepCode): ErrorBody {
  const step = steps.get(name);
  const failed = step?.generations.findLast(({ error }) => error?.code === code);
  return step?.error ?? failed?.error ?? { code, message: ERRORS[code].fix, doc: docPage(code) };
}

type EndStepCode = NonNullable<EndStep['failure']>['code'];

/** Without an `output`, the values of the generating steps that no other step needs. */
async function documentOf({ jobs }: Jobs, job: SpecifiedJob): Promise<string> {
  const { output, steps } = job.spec.definition;
  if (output !== undefined) {
    return fillText(output, await readValues(jobs, job, pointersOf(output)), LIMITS.jobOutputBytes);
  }
  const needed = new Set(Object.values(steps).flatMap(neededBy));
  const last = Object.keys(steps).filter((name) => !needed.has(name));
  const values = await readValues(
    jobs,
    job,
    last.map((name) => `/steps/${name}`),
  );
  const [only] = last;
  return asText(last.length === 1 && only !== undefined ? values.steps[only] : values.steps);
}
