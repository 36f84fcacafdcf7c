/** Reads what the pointers of a step name: the input of the job, and what earlier steps have written. */
import { parseJson } from '../../contracts/json.ts';
import { parsePointer } from '../../contracts/json-pointer.ts';
import {
  type PipelineValues,
  pointersOf,
  pointersOfCondition,
  readValue,
  stepsIn,
} from '../../contracts/pipeline-values.ts';
import { type GenerationStep, isApproval, type PipelineStep } from '../../contracts/pipelines.ts';
import type { JobSpec, JobStore } from '../../engine/jobs/job-store.ts';

/** A job with what it was made from. */
export interface SpecifiedJob {
  readonly jobId: string;
  readonly spec: JobSpec;
}

export async function specifiedJob(jobs: JobStore, jobId: string): Promise<SpecifiedJob> {
  return { jobId, spec: await jobs.spec(jobId) };
}

export function stepOf({ spec, jobId }: SpecifiedJob, name: string): PipelineStep {
  const { steps } = spec.definition;
  const step = Object.hasOwn(steps, name) ? steps[name] : undefined;
  if (step === undefined) throw new RangeError(`The job ${jobId} has no step ${name}.`);
  return step;
}

/** Every pointer that a step reads for each of its items: not the list of its `foreach`. */
export function pointersIn(step: PipelineStep): readonly string[] {
  const ofWhen = step.when === undefined ? [] : pointersOfCondition(step.when);
  if (isApproval(step)) return [...ofWhen, ...pointersOf(step.approve.message ?? '')];
  const variables = Object.values(step.prompt?.variables ?? {});
  const texts = [step.system, step.input, ...variables].filter((text) => typeof text === 'string');
  return [...ofWhen, ...texts.flatMap(pointersOf)];
}

/** Every pointer that a step reads before it begins: its list, too. */
export function pointersToBegin(step: PipelineStep): readonly string[] {
  const list = isApproval(step) || step.foreach === undefined ? [] : [step.foreach];
  return [...pointersIn(step), ...list];
}

/** The steps that a step names or reads. */
export function neededBy(step: PipelineStep): readonly string[] {
  return [...new Set([...(step.needs ?? []), ...stepsIn(pointersToBegin(step))])];
}

export async function readValues(
  jobs: JobStore,
  job: SpecifiedJob,
  pointers: readonly string[],
): Promise<PipelineValues> {
  const names = stepsIn(pointers);
  const values = await Promise.all(
    names.map(async (name) => [name, await stepValue(jobs, job, name)] as const),
  );
  return { input: job.spec.input, steps: Object.fromEntries(values) };
}

/** What other steps read of this one; null if it was skipped or has failed. */
async function stepValue(jobs: JobStore, job: SpecifiedJob, name: string): Promise<unknown> {
  if (!isList(stepOf(job, name))) return parse((await jobs.values(job.jobId, [name]))[0]);
  const count = parse((await jobs.values(job.jobId, [countPlace(name)]))[0]);
  if (typeof count !== 'number') return null;
  return (
    await jobs.values(
      job.jobId,
      Array.from({ length: count }, (_, index) => itemPlace(name, index)),
    )
  ).map(parse);
}

/** The element of the list of a step's `foreach`. */
export async function elementAt(
  jobs: JobStore,
  job: SpecifiedJob,
  { foreach }: Pick<GenerationStep, 'foreach'>,
  index: number,
): Promise<unknown> {
  const pointer = foreach ?? '';
  const [root, name, ...rest] = parsePointer(pointer) ?? [];
  // Of a list of answers only the one is read: reading all for each would grow with the square.
  if (root === 'steps' && name !== undefined && rest.length === 0 && isList(stepOf(job, name))) {
    return parse((await jobs.values(job.jobId, [itemPlace(name, index)]))[0]);
  }
  const list = readValue(await readValues(jobs, job, [pointer]), pointer);
  return Array.isArray(list) ? list[index] : undefined;
}

/** Where the number of items of a step with `foreach` is kept. */
export function countPlace(step: string): string {
  return `${step}#`;
}

export function itemPlace(step: string, index: number): string {
  return `${step}/${index}`;
}

function isList(step: PipelineStep): boolean {
  return !isApproval(step) && step.foreach !== undefined;
}

function parse(json: string | null | undefined): unknown {
  return json === null || json === undefined ? null : parseJson(json);
}
