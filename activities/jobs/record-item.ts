/** Records how the generation of an item ended, and keeps its answer as a value for other steps. */
import { docPage, ERRORS, type ErrorCode, isErrorCode, UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import { isTerminal, textOf } from '../../contracts/fold-events.ts';
import type { RecordedItem, RecordItem } from '../../contracts/job-steps.ts';
import type { JobEventBody } from '../../contracts/jobs.ts';
import { parseJson } from '../../contracts/json.ts';
import { NO_USAGE } from '../../contracts/money.ts';
import { type GenerationStep, isApproval } from '../../contracts/pipelines.ts';
import type { JobDependencies } from './job-dependencies.ts';
import { itemPlace, specifiedJob, stepOf } from './job-values.ts';
import { keyOf } from './prepare-item.ts';

/** What another generation with the same request cannot change. */
const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'invalid_request',
  'body_too_large',
  'prompt_not_found',
  'prompt_variables_invalid',
  'model_not_found',
  'unsupported_by_model',
  'context_length_exceeded',
  'budget_exceeded',
  'storage_exceeded',
  'job_budget_exceeded',
  'job_timeout',
  'job_too_large',
  'generation_timeout',
  'forbidden',
  'cancelled',
]);

type Close = Extract<JobEventBody, { type: 'generation-close' }>;
type Ending = Pick<Close, 'status' | 'usage' | 'costMicroUsd' | 'error'> & { readonly value: string | null };

export function recordItem({ jobs, log }: Pick<JobDependencies, 'jobs' | 'log'>) {
  return async (recorded: RecordItem): Promise<RecordedItem> => {
    const { job, step: name, attempt, generationId, failure = null } = recorded;
    const step = stepOf(await specifiedJob(jobs, job.jobId), name);
    if (isApproval(step)) throw new RangeError(`The step ${name} generates nothing.`);
    const item = step.foreach === undefined ? null : recorded.item;
    const ended =
      generationId === null
        ? notBegun(failure?.code ?? 'internal')
        : endingOf(step, await log.readMerged(generationId));
    const { value, ...ending } = ended;
    const values = new Map([[item === null ? name : itemPlace(name, item), value ?? 'null']]);
    const close: Close = { type: 'generation-close', step: name, item, attempt, generationId, ...ending };
    const key = `close:${keyOf(recorded)}`;
    let last = ending;
    if ((await jobs.append(job.jobId, key, [close], values)) === 'full') {
      const error = new UnbrokenError(
        'job_too_large',
        'The values of this job are larger than it may keep.',
      ).toBody();
      last = { ...ending, status: 'failed', error };
      await jobs.append(job.jobId, key, [{ ...close, status: 'failed', error }]);
    }
    return resultOf(last);
  };
}

function resultOf({ status, costMicroUsd, error }: Omit<Ending, 'value'>): RecordedItem {
  if (error === undefined) return { status, costMicroUsd, failure: null, mayRetry: false };
  const code = isErrorCode(error.code) ? error.code : 'internal';
  return { status, costMicroUsd, failure: { code }, mayRetry: !FINAL.has(code) };
}

function notBegun(code: ErrorCode): Ending {
  const error = { code, message: ERRORS[code].fix, doc: docPage(code) };
  return { status: 'failed', usage: NO_USAGE, costMicroUsd: 0, error, value: null };
}

function endingOf(step: GenerationStep, events: readonly GenerationEvent[]): Ending {
  const end = events.at(-1);
  if (end === undefined || !isTerminal(end)) return notBegun('internal');
  const { usage, costMicroUsd } = end;
  if (end.type === 'generation-cancel') {
    const error = new UnbrokenError('cancelled', 'The generation was cancelled.').toBody();
    return { status: 'cancelled', usage, costMicroUsd, error, value: null };
  }
  if (end.type === 'generation-error')
    return { status: 'failed', usage, costMicroUsd, error: end.error, value: null };
  const text = textOf(events);
  const json = step.output === undefined ? JSON.stringify(text) : asJson(text);
  if (json !== null) return { status: 'completed', usage, costMicroUsd, value: json };
  const why = end.finishReason === 'length' ? ' It was cut at its length limit.' : '';
  const error = new UnbrokenError('provider_malformed', `The answer is no JSON.${why}`).toBody();
  return { status: 'failed', usage, costMicroUsd, error, value: null };
}

function asJson(text: string): string | null {
  try {
    return JSON.stringify(parseJson(text));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
