/** Turns a request into a job that can start: its pipeline, with the changes of the request, checked. */
import { candidateName } from '../../contracts/candidate.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { PlannedStep } from '../../contracts/job-steps.ts';
import type { JobRequest } from '../../contracts/jobs.ts';
import { DEFAULTS, LIMITS } from '../../contracts/limits.ts';
import {
  type GenerationStep,
  isApproval,
  type PipelineContent,
  type PipelineStep,
  pipelineContentSchema,
  type StepChange,
} from '../../contracts/pipelines.ts';
import { type CheckedPipeline, checkPipeline, checkPrompts } from '../../engine/jobs/check-pipeline.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { parseWith } from '../http/read-request.ts';

export type PlanDependencies = Pick<ApiDependencies, 'pipelines' | 'prompts' | 'routes'>;

interface Owner {
  readonly tenant: string;
  readonly user: string;
}

export interface PlannedJob {
  readonly definition: PipelineContent;
  readonly pipeline: { readonly name: string; readonly version: number } | null;
  readonly checked: CheckedPipeline;
}

/** @throws pipeline_not_found, invalid_request, model_not_found */
export async function planJob(
  { pipelines, prompts, routes }: PlanDependencies,
  owner: Owner,
  { pipeline, definition, steps = {} }: Pick<JobRequest, 'pipeline' | 'definition' | 'steps'>,
): Promise<PlannedJob> {
  const stored = pipeline === undefined ? null : await pipelines.resolve(owner.tenant, pipeline);
  const content = stored?.content ?? definition;
  if (content === undefined) throw new UnbrokenError('invalid_request', 'pipeline: expected a name.');
  const changed = withChanges(content, steps);
  const checked = checkPipeline(changed);
  await checkPrompts(prompts, owner, changed);
  for (const { name, step } of checked.steps) if (!isApproval(step)) modelsOf(routes, owner, name, step);
  return {
    definition: changed,
    pipeline: stored === null ? null : { name: stored.name, version: stored.version },
    checked,
  };
}

/** The models that a step would go to, for a text of no length. @throws model_not_found, unsupported_by_model */
function modelsOf(
  routes: ApiDependencies['routes'],
  { tenant }: Owner,
  name: string,
  step: GenerationStep,
): readonly string[] {
  const { maxOutputTokens = DEFAULTS.maxOutputTokens, output } = step;
  const input = {
    messages: [{ role: 'user' as const, content: '-' }],
    maxOutputTokens,
    ...(output === undefined ? {} : { output }),
  };
  try {
    return routes.choose(step, input, { tenant, seed: name }).candidates.map(candidateName);
  } catch (error) {
    if (!(error instanceof UnbrokenError)) throw error;
    throw new UnbrokenError(error.code, `steps.${name}: ${error.message}`, {
      details: { param: `steps.${name}` },
    });
  }
}

/** @throws invalid_request */
function withChanges(
  content: PipelineContent,
  changes: Readonly<Record<string, StepChange>>,
): PipelineContent {
  const unknown = Object.keys(changes).find((name) => !Object.hasOwn(content.steps, name));
  if (unknown !== undefined)
    throw new UnbrokenError('invalid_request', `steps: there is no step "${unknown}".`);
  const steps = Object.entries(content.steps).map(([name, step]) => {
    const change = Object.hasOwn(changes, name) ? changes[name] : undefined;
    return [name, change === undefined ? step : changedStep(name, step, change)] as const;
  });
  return parseWith(pipelineContentSchema, { ...content, steps: Object.fromEntries(steps) });
}

function changedStep(name: string, step: PipelineStep, { prompt, ...settings }: StepChange): PipelineStep {
  if (isApproval(step))
    throw new UnbrokenError('invalid_request', `steps.${name}: an approval has nothing to change.`);
  const { prompt: earlier, ...rest } = step;
  if (prompt === undefined) return { ...step, ...settings };
  const { version: _version, label: _label, ...kept } = earlier ?? { name: '', variables: {} };
  return { ...rest, ...settings, prompt: { ...kept, ...prompt } as GenerationStep['prompt'] };
}

/** The values of a job's input, with defaults. @throws invalid_request */
export function inputOf(
  { input: declared }: PipelineContent,
  input: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const faults = Object.keys(input)
    .filter((name) => !Object.hasOwn(declared, name))
    .map((name) => `input.${name} is unknown`);
  const values = Object.entries(declared).map(([name, { type, maxChars, default: fallback }]) => {
    const value: unknown = Object.hasOwn(input, name) ? input[name] : fallback;
    if (value === undefined) faults.push(`input.${name} is missing`);
    else if (typeOf(value) !== type) faults.push(`input.${name} is ${typeOf(value)}; expected ${type}`);
    else {
      const chars = typeof value === 'string' ? value.length : JSON.stringify(value).length;
      if (chars > maxChars) faults.push(`input.${name} has ${chars} characters of at most ${maxChars}`);
    }
    return [name, value] as const;
  });
  const bytes = Buffer.byteLength(JSON.stringify(input));
  if (bytes > LIMITS.jobInputBytes)
    faults.push(`input has ${bytes} bytes of at most ${LIMITS.jobInputBytes}`);
  if (faults.length > 0) {
    const known = Object.keys(declared).join(', ') || 'none';
    throw new UnbrokenError('invalid_request', `${faults.join('; ')}. The pipeline declares: ${known}.`, {
      details: { param: 'input' },
    });
  }
  return Object.fromEntries(values);
}

function typeOf(value: unknown): string {
  if (typeof value === 'string') return 'text';
  if (Array.isArray(value)) return 'list';
  return value === null ? 'null' : typeof value;
}

/** The steps as the workflow receives them. */
export function plannedSteps({ steps }: CheckedPipeline): readonly PlannedStep[] {
  return steps.map(({ name, step, needs }) => ({
    name,
    needs,
    kind: isApproval(step) ? 'approve' : 'generate',
    maxParallel: isApproval(step) ? 1 : (step.maxParallel ?? LIMITS.parallelPerJob),
    retries: isApproval(step) ? 0 : (step.retries ?? 0),
    onError: isApproval(step) ? 'fail' : (step.onError ?? 'fail'),
    maxCostMicroUsd: isApproval(step) ? null : (step.maxCostMicroUsd ?? null),
  }));
}
