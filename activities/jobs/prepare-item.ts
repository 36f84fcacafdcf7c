/**
 * Submits the generation of one item: fills its texts, chooses its models, creates its log. The id of the generation
 * is a hash of the job, step, item and attempt, so a repeated call finds what the first one did.
 */
import { createHash } from 'node:crypto';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationRequest } from '../../contracts/generation.ts';
import type { JobItem, PreparedItem, PrepareItem } from '../../contracts/job-steps.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { NO_USAGE } from '../../contracts/money.ts';
import { fillText, type PipelineValues } from '../../contracts/pipeline-values.ts';
import { type GenerationStep, isApproval } from '../../contracts/pipelines.ts';
import type { GenerationToOrder, JobDependencies } from './job-dependencies.ts';
import { elementAt, pointersIn, readValues, type SpecifiedJob, specifiedJob, stepOf } from './job-values.ts';

export function prepareItem({ jobs, orderGeneration, endStranded, jobKeptMs }: JobDependencies) {
  return async (item: PrepareItem): Promise<PreparedItem> => {
    const { job, step: name, attempt, leftMicroUsd, deadlineAtMs } = item;
    const opened = await specifiedJob(jobs, job.jobId);
    const step = stepOf(opened, name);
    if (isApproval(step)) throw new RangeError(`The step ${name} generates nothing.`);
    const place = step.foreach === undefined ? null : item.item;
    const event = { step: name, item: place, attempt };
    try {
      const leftMs = Math.min(deadlineAtMs - Date.now(), LIMITS.maxDeadlineMs);
      if (leftMs < LIMITS.minDeadlineMs)
        throw new UnbrokenError('job_timeout', `The time of the step ${name} is over.`);
      const values = await valuesFor(jobs, opened, step, place);
      const generation: GenerationToOrder = {
        owner: opened.spec.owner,
        generationId: generationIdOf(item),
        request: requestOf(opened, step, values, leftMs),
        keptMs: leftMs + jobKeptMs,
        leftMicroUsd,
      };
      const ordered = await orderGeneration(generation);
      if (ordered === null) return { next: 'over-budget' };
      const { generationId } = generation;
      await jobs.append(job.jobId, `open:${keyOf(item)}`, [
        { type: 'generation-open', ...event, generationId },
      ]);
      const { order, mostMicroUsd } = ordered;
      return order === null ? { next: 'ended', generationId } : { next: 'run', order, mostMicroUsd };
    } catch (error) {
      if (!(error instanceof UnbrokenError) || error.code === 'service_unavailable') throw error;
      // An attempt before this one may have submitted it, and nothing starts its run any more.
      await endStranded(generationIdOf(item));
      const failed = { generationId: null, status: 'failed', usage: NO_USAGE, costMicroUsd: 0 } as const;
      await jobs.append(job.jobId, `close:${keyOf(item)}`, [
        { type: 'generation-close', ...event, ...failed, error: error.toBody() },
      ]);
      return { next: 'fail', failure: { code: error.code } };
    }
  };
}

/** Names one attempt at an item. */
export function keyOf({ step, item, attempt }: Pick<JobItem, 'step' | 'item' | 'attempt'>): string {
  return `${step}/${item}/${attempt}`;
}

function generationIdOf(item: JobItem): string {
  const hash = createHash('sha256').update(`${item.job.tenant}\0${item.job.jobId}\0${keyOf(item)}`);
  return `gen_${hash.digest('hex').slice(0, 32)}`;
}

async function valuesFor(
  jobs: JobDependencies['jobs'],
  opened: SpecifiedJob,
  step: GenerationStep,
  place: number | null,
): Promise<PipelineValues> {
  const values = await readValues(jobs, opened, pointersIn(step));
  if (place === null) return values;
  return { ...values, item: await elementAt(jobs, opened, step, place), index: place };
}

function requestOf(
  { spec }: SpecifiedJob,
  step: GenerationStep,
  values: PipelineValues,
  deadlineMs: number,
): GenerationRequest {
  const {
    description: _description,
    needs: _needs,
    when: _when,
    foreach: _foreach,
    maxParallel: _maxParallel,
    maxCostMicroUsd: _maxCost,
    deadlineMs: _deadline,
    retries: _retries,
    onError: _onError,
    prompt,
    system,
    input,
    ...settings
  } = step;
  let mostChars: number = LIMITS.requestBodyBytes;
  const fill = (template: string) => {
    const text = fillText(template, values, mostChars);
    mostChars -= text.length;
    return text;
  };
  const variables = Object.entries(prompt?.variables ?? {}).map(([name, value]) => [
    name,
    typeof value === 'string' ? fill(value) : value,
  ]);
  return {
    ...settings,
    ...(prompt === undefined ? {} : { prompt: { ...prompt, variables: Object.fromEntries(variables) } }),
    ...(system === undefined ? {} : { system: fill(system) }),
    ...(input === undefined ? {} : { input: fill(input) }),
    ...(spec.priority === null ? {} : { priority: spec.priority }),
    deadlineMs,
  };
}
