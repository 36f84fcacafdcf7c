/**
 * Checks a pipeline before anything is spent: names, cycles, pointers, the types that its schemas promise, and the
 * prompts that it names. One error reports all faults of a kind.
 */
import { UnbrokenError } from '../../contracts/errors.ts';
import { parsePointer } from '../../contracts/json-pointer.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { pointersOf, pointersOfCondition, stepsIn } from '../../contracts/pipeline-values.ts';
import {
  type GenerationStep,
  isApproval,
  type PipelineContent,
  type PipelineStep,
} from '../../contracts/pipelines.ts';
import { TemplateError } from '../../contracts/prompt-template.ts';
import type { PromptRegistry } from '../prompts/registry.ts';
import { schemaAt, typesOf } from './schema-at.ts';

/** Faults that one error quotes. */
const FAULTS_SHOWN = 20;

/** A step with the pointers that it reads, by the place where each stands. */
interface ReadStep {
  readonly name: string;
  readonly step: PipelineStep;
  readonly pointers: readonly { readonly where: string; readonly pointer: string }[];
  /** Named by `needs`, or read. */
  readonly needs: readonly string[];
}

export interface CheckedPipeline {
  /** The steps in an order in which they can run, each with all steps that it needs. */
  readonly steps: readonly {
    readonly name: string;
    readonly step: PipelineStep;
    readonly needs: readonly string[];
  }[];
}

/** @throws invalid_request with the first faults, and how many there are. */
export function checkPipeline(content: PipelineContent): CheckedPipeline {
  refuseTooLarge(content);
  const faults: string[] = [];
  const names = Object.keys(content.steps);
  const steps = Object.entries(content.steps).map(([name, step]) => readStep(name, step, faults));
  for (const { name, step, pointers, needs } of steps) {
    for (const need of needs) {
      if (!names.includes(need))
        faults.push(`steps.${name}: there is no step "${need}"; the steps are ${names.join(', ')}`);
    }
    for (const { where, pointer } of pointers) checkPointer(content, { name, step, where, pointer }, faults);
    if (isApproval(step)) continue;
    if (step.foreach !== undefined) checkForeach(content, name, step.foreach, faults);
    if (step.prompt === undefined && step.input === undefined && step.system === undefined) {
      faults.push(`steps.${name}: expected a prompt, a system or an input`);
    }
  }
  for (const pointer of templatePointers(content.output, 'output', faults)) {
    checkPointer(content, { name: null, step: null, where: 'output', pointer }, faults);
  }
  const ordered = order(steps, names);
  if (ordered === null) faults.push(`steps: ${cycleIn(steps)} need each other`);
  if (faults.length > 0 || ordered === null) {
    throw new UnbrokenError('invalid_request', textOf(faults), {
      details: { param: 'steps', faults: faults.length },
    });
  }
  return { steps: ordered };
}

/** Before its texts are read: that takes time for each of their places. @throws invalid_request */
function refuseTooLarge(content: PipelineContent): void {
  const json = JSON.stringify(content);
  const bytes = Buffer.byteLength(json);
  const places = bytes > LIMITS.pipelineBytes ? 0 : json.split('{{').length - 1;
  if (bytes <= LIMITS.pipelineBytes && places <= LIMITS.placesPerPipeline) return;
  const has = places === 0 ? `${bytes} bytes` : `${places} places of values`;
  const most = places === 0 ? LIMITS.pipelineBytes : LIMITS.placesPerPipeline;
  throw new UnbrokenError('invalid_request', `steps: the pipeline has ${has} of at most ${most}.`, {
    details: { param: 'steps' },
  });
}

function textOf(faults: readonly string[]): string {
  return `${faults.slice(0, FAULTS_SHOWN).join('; ')}.`;
}

function readStep(name: string, step: PipelineStep, faults: string[]): ReadStep {
  const at = (field: string) => `steps.${name}.${field}`;
  const texts: (readonly [string, string | undefined])[] = isApproval(step)
    ? [['approve.message', step.approve.message]]
    : [['system', step.system], ['input', step.input], ...variablesOf(step)];
  const pointers = texts.flatMap(([field, text]) =>
    templatePointers(text, at(field), faults).map((pointer) => ({ where: at(field), pointer })),
  );
  const ofWhen = step.when === undefined ? [] : pointersOfCondition(step.when);
  if (ofWhen.length > LIMITS.comparisonsPerStep) {
    faults.push(`${at('when')}: has ${ofWhen.length} comparisons of at most ${LIMITS.comparisonsPerStep}`);
  }
  pointers.push(...ofWhen.map((pointer) => ({ where: at('when'), pointer })));
  if (!isApproval(step) && step.foreach !== undefined)
    pointers.push({ where: at('foreach'), pointer: step.foreach });
  const read = stepsIn(pointers.map(({ pointer }) => pointer));
  return { name, step, pointers, needs: [...new Set([...(step.needs ?? []), ...read])] };
}

function variablesOf({ prompt }: GenerationStep): (readonly [string, string])[] {
  return Object.entries(prompt?.variables ?? {}).flatMap(([name, value]) =>
    typeof value === 'string' ? [[`prompt.variables.${name}`, value] as const] : [],
  );
}

function templatePointers(text: string | undefined, where: string, faults: string[]): readonly string[] {
  if (text === undefined) return [];
  try {
    return pointersOf(text);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    faults.push(`${where}: ${error.message}`);
    return [];
  }
}

interface Place {
  /** null: the output of the pipeline. */
  readonly name: string | null;
  readonly step: PipelineStep | null;
  readonly where: string;
  readonly pointer: string;
}

function checkPointer(
  content: PipelineContent,
  { name, step, where, pointer }: Place,
  faults: string[],
): void {
  const [root = '', first, ...rest] = parsePointer(pointer) ?? [];
  const fault = (why: string) => faults.push(`${where}: ${pointer} ${why}`);
  if (root === 'item' || root === 'index') {
    const isWithin = step !== null && !isApproval(step) && step.foreach !== undefined;
    if (!isWithin || where.endsWith('.when') || where.endsWith('.foreach'))
      fault('exists only in the texts of a step with foreach');
    return;
  }
  if (first === undefined) {
    fault(`names no ${root === 'input' ? 'input' : 'step'}`);
    return;
  }
  if (root === 'input') {
    if (!Object.hasOwn(content.input, first)) fault('is not declared in input');
    return;
  }
  if (first === name) fault('is the value of this step itself');
  const read = Object.hasOwn(content.steps, first) ? content.steps[first] : undefined;
  if (read === undefined) {
    // A step that exists nowhere is a fault of `needs`, except in the output, which has none.
    if (name === null) fault('names no step');
    return;
  }
  if (rest.length === 0) return;
  const why = missingIn(read, rest);
  if (why !== null) fault(why);
}

/** @returns why a step has no such member; null if it has, or may have. */
function missingIn(step: PipelineStep, path: readonly string[]): string | null {
  if (isApproval(step)) {
    return ['approved', 'by', 'note'].includes(path[0] ?? '') ? null : 'is none of approved, by and note';
  }
  const ofItem = step.foreach === undefined ? path : path.slice(1);
  if (ofItem.length === 0) return null;
  if (step.output === undefined) return 'reads a member of a text: give that step an output with a schema';
  return schemaAt(step.output.schema, ofItem) === null ? 'is not in the schema of that step' : null;
}

function checkForeach(content: PipelineContent, name: string, pointer: string, faults: string[]): void {
  const [root, first = '', ...rest] = parsePointer(pointer) ?? [];
  const fault = (why: string) => faults.push(`steps.${name}.foreach: ${pointer} ${why}`);
  if (root === 'input') {
    const declared = Object.hasOwn(content.input, first) ? content.input[first] : undefined;
    if (declared !== undefined && rest.length === 0 && declared.type !== 'list') {
      fault(`has the type ${declared.type}; declare it with type: list`);
    }
    return;
  }
  const read = Object.hasOwn(content.steps, first) ? content.steps[first] : undefined;
  if (read === undefined) return;
  if (isApproval(read)) {
    fault('is no list');
    return;
  }
  if (rest.length === 0 && read.foreach !== undefined) return;
  if (read.output === undefined) {
    fault('is a text: give that step an output whose schema has a list');
    return;
  }
  const schema = schemaAt(read.output.schema, read.foreach === undefined ? rest : rest.slice(1));
  if (schema === null || schema === 'unknown') return;
  const types = typesOf(schema);
  if (types !== null && !types.includes('array')) fault(`has the type ${types.join(' or ')}, not array`);
}

/** @returns the steps in an order in which they can run; null if there is none. */
function order(steps: readonly ReadStep[], names: readonly string[]): ReadStep[] | null {
  const ordered: ReadStep[] = [];
  const placed = new Set<string>();
  for (;;) {
    const next = steps.filter(
      ({ name, needs }) =>
        !placed.has(name) && needs.every((need) => placed.has(need) || !names.includes(need)),
    );
    if (next.length === 0) break;
    for (const step of next) {
      ordered.push(step);
      placed.add(step.name);
    }
  }
  return ordered.length === steps.length ? ordered : null;
}

function cycleIn(steps: readonly ReadStep[]): string {
  const byName = new Map(steps.map((step) => [step.name, step]));
  for (const { name } of steps) {
    const path = pathBack(name, name, byName, new Set());
    if (path !== null) return [name, ...path].join(' -> ');
  }
  return 'some steps';
}

function pathBack(
  from: string,
  to: string,
  steps: ReadonlyMap<string, ReadStep>,
  seen: Set<string>,
): readonly string[] | null {
  for (const need of steps.get(from)?.needs ?? []) {
    if (need === to) return [to];
    if (seen.has(need)) continue;
    seen.add(need);
    const path = pathBack(need, to, steps, seen);
    if (path !== null) return [need, ...path];
  }
  return null;
}

/** Checks that every named prompt exists and gets all of its variables. @throws invalid_request */
export async function checkPrompts(
  prompts: Pick<PromptRegistry, 'resolve'>,
  { tenant, user }: { readonly tenant: string; readonly user: string },
  { steps }: Pick<PipelineContent, 'steps'>,
): Promise<void> {
  const faults = await Promise.all(
    Object.entries(steps).map(async ([name, step]) => {
      if (isApproval(step) || step.prompt === undefined) return [];
      const { variables } = step.prompt;
      try {
        const { content } = await prompts.resolve(tenant, step.prompt, { user, generationId: name });
        return Object.entries(content.variables)
          .filter(
            ([variable, { default: fallback }]) =>
              fallback === undefined && !Object.hasOwn(variables, variable),
          )
          .map(([variable]) => `steps.${name}.prompt: the variable "${variable}" is missing`)
          .concat(
            Object.keys(variables)
              .filter((variable) => !Object.hasOwn(content.variables, variable))
              .map((variable) => `steps.${name}.prompt: the variable "${variable}" is unknown`),
          );
      } catch (error) {
        if (!(error instanceof UnbrokenError) || error.code !== 'prompt_not_found') throw error;
        return [`steps.${name}.prompt: ${error.message}`];
      }
    }),
  );
  const all = faults.flat();
  if (all.length > 0) {
    throw new UnbrokenError('invalid_request', textOf(all), {
      details: { param: 'steps' },
    });
  }
}
