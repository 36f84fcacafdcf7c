/** What a job can cost at most, before anything is spent. */
import { candidateName } from '../../contracts/candidate.ts';
import type { JobEstimate, JobRequest } from '../../contracts/jobs.ts';
import { parsePointer } from '../../contracts/json-pointer.ts';
import { DEFAULTS, LIMITS } from '../../contracts/limits.ts';
import { asText, pointersOf } from '../../contracts/pipeline-values.ts';
import { type GenerationStep, isApproval } from '../../contracts/pipelines.ts';
import { schemaAt } from '../../engine/jobs/schema-at.ts';
import type { Caller } from '../access/api-keys.ts';
import { userFor } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { outputCheckFor } from '../generations/compose-input.ts';
import { mostAnswers } from '../generations/submit-generation.ts';
import { inputOf, type PlanDependencies, type PlannedJob, planJob } from './plan-job.ts';

/** Elements of a list whose schema names no maxItems. */
const ASSUMED_ITEMS = 10;
/** The most characters of a token, on average, in any text that a model writes. */
const CHARS_PER_TOKEN = 4;

type Dependencies = PlanDependencies & Pick<ApiDependencies, 'config'>;

export async function estimateJob(
  dependencies: Dependencies,
  caller: Caller,
  request: JobRequest,
): Promise<JobEstimate> {
  const owner = { tenant: caller.tenant, user: userFor(caller, request.user) };
  const planned = await planJob(dependencies, owner, request);
  const input = inputOf(planned.definition, request.input);
  return new Estimate(dependencies, owner.tenant, planned, input).make();
}

interface Sized {
  readonly items: number;
  readonly maxOutputTokens: number;
}

class Estimate {
  readonly #dependencies: Dependencies;
  readonly #tenant: string;
  readonly #planned: PlannedJob;
  readonly #input: Readonly<Record<string, unknown>>;
  readonly #sizes = new Map<string, Sized>();
  readonly #assumptions = new Set<string>();
  /** Characters of the values of the input, which many places may name. */
  readonly #inputChars = new Map<string, number>();

  constructor(
    dependencies: Dependencies,
    tenant: string,
    planned: PlannedJob,
    input: Readonly<Record<string, unknown>>,
  ) {
    this.#dependencies = dependencies;
    this.#tenant = tenant;
    this.#planned = planned;
    this.#input = input;
  }

  async make(): Promise<JobEstimate> {
    const steps: JobEstimate['steps'] = [];
    for (const { name, step } of this.#planned.checked.steps) {
      if (!isApproval(step)) steps.push(await this.#estimate(name, step));
    }
    const costs = steps.map(({ maxCostMicroUsd }) => maxCostMicroUsd);
    const sum = costs.reduce<number | null>(
      (all, cost) => (all === null || cost === null ? null : all + cost),
      0,
    );
    const { definition } = this.#planned;
    if (definition.maxCostMicroUsd !== undefined && (sum === null || sum > definition.maxCostMicroUsd)) {
      this.#assumptions.add(
        `The job itself starts nothing above its maxCostMicroUsd of ${definition.maxCostMicroUsd}.`,
      );
    }
    return {
      maxCostMicroUsd: sum,
      generations: steps.reduce((all, { generations }) => all + generations, 0),
      steps,
      assumptions: [...this.#assumptions],
    };
  }

  async #estimate(name: string, step: GenerationStep): Promise<JobEstimate['steps'][number]> {
    const { prompts, routes, config } = this.#dependencies;
    const asker = { tenant: this.#tenant, seed: name };
    const prompt =
      step.prompt === undefined
        ? null
        : await prompts.resolve(this.#tenant, step.prompt, { user: '', generationId: name });
    const maxOutputTokens =
      step.maxOutputTokens ?? prompt?.content.maxOutputTokens ?? config.limits.defaultMaxOutputTokens;
    const items = step.foreach === undefined ? 1 : this.#itemsOf(name, step.foreach);
    this.#sizes.set(name, { items: step.foreach === undefined ? 0 : items, maxOutputTokens });
    const variables = Object.values(step.prompt?.variables ?? {}).map(String);
    const parts = [step.system, step.input, ...variables, JSON.stringify(step.output ?? '')];
    const chars =
      parts.reduce((all, text) => all + this.#charsOf(text, step), 0) +
      JSON.stringify(prompt?.content ?? '').length;
    const content = 'x'.repeat(Math.min(chars, LIMITS.requestBodyBytes));
    const input = { messages: [{ role: 'user' as const, content }], maxOutputTokens };
    const { considered, inputTokens } = routes.choose(step, input, asker);
    const tried = considered.filter(({ place }) => place !== null);
    const generations = items * (1 + (step.retries ?? 0));
    const answers = generations * mostAnswers(outputCheckFor(step, step.route ?? 'default', config));
    const each = tried.map(({ maxCostMicroUsd }) => maxCostMicroUsd);
    const most = each.includes(null) ? null : Math.max(...each.map((cost) => cost ?? 0)) * answers;
    if (most === null) this.#assumptions.add(`The price of a model of the step ${name} is unknown.`);
    const limit = step.maxCostMicroUsd;
    return {
      name,
      models: tried.map(candidateName),
      generations,
      inputTokens,
      maxOutputTokens,
      maxCostMicroUsd: limit === undefined || (most !== null && most < limit) ? most : limit,
    };
  }

  #itemsOf(name: string, pointer: string): number {
    const [root, first = '', ...rest] = parsePointer(pointer) ?? [];
    if (root === 'input') {
      const list = this.#input[first];
      if (Array.isArray(list) && rest.length === 0) return list.length;
    }
    const read = this.#planned.definition.steps[first];
    const isList = read !== undefined && !isApproval(read) && read.foreach !== undefined;
    if (root === 'steps' && isList && rest.length === 0)
      return this.#sizes.get(first)?.items ?? ASSUMED_ITEMS;
    const schema =
      read === undefined || isApproval(read)
        ? null
        : schemaAt(read.output?.schema, isList ? rest.slice(1) : rest);
    const most = schema === null || schema === 'unknown' ? undefined : schema['maxItems'];
    if (typeof most === 'number') return Math.min(most, LIMITS.itemsPerStep);
    this.#assumptions.add(
      `${pointer} of the step ${name} has ${ASSUMED_ITEMS} elements; maxItems in its schema would say.`,
    );
    return ASSUMED_ITEMS;
  }

  /** The most characters of a filled text. */
  #charsOf(text: string | undefined, step: GenerationStep): number {
    if (text === undefined) return 0;
    return pointersIn(text).reduce((all, pointer) => all + this.#charsAt(pointer, step), text.length);
  }

  #charsAt(pointer: string, step: GenerationStep): number {
    const [root, name = '', ...rest] = parsePointer(pointer) ?? [];
    if (root === 'input') return this.#charsOfInput(name);
    if (root === 'index') return 4;
    const source = root === 'item' ? (parsePointer(step.foreach ?? '') ?? []) : [root, name, ...rest];
    if (source[0] === 'input') return this.#charsOfInput(source[1] ?? '');
    const { items = 0, maxOutputTokens = DEFAULTS.maxOutputTokens } = this.#sizes.get(source[1] ?? '') ?? {};
    const isWhole = root !== 'item' && rest.length === 0;
    return CHARS_PER_TOKEN * maxOutputTokens * (isWhole ? Math.max(1, items) : 1);
  }

  #charsOfInput(name: string): number {
    const chars = this.#inputChars.get(name) ?? asText(this.#input[name]).length;
    this.#inputChars.set(name, chars);
    return chars;
  }
}

function pointersIn(text: string): readonly string[] {
  // What is no template, such as a schema, has no places.
  return text.includes('{{') ? pointersOf(text) : [];
}
