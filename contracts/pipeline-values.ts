/**
 * What a pipeline computes itself: values by JSON Pointer, texts with values in them, and conditions. There are no
 * loops, no functions and no regular expressions, so each costs as much as it is long
 * (docs/decisions/0036-pipelines-name-values-by-pointer.md).
 */
import { UnbrokenError } from './errors.ts';
import { isPointer, parsePointer, valueAt } from './json-pointer.ts';
import type { Condition } from './pipelines.ts';
import { fillTemplate, parseTemplate, type TemplatePlace, variablesOf } from './prompt-template.ts';

/** What the pointers of a pipeline read. */
export interface PipelineValues {
  readonly input: Readonly<Record<string, unknown>>;
  /** By step: its text, its JSON, or the list of those of its items. null: it was skipped, or failed and may fail. */
  readonly steps: Readonly<Record<string, unknown>>;
  /** Only within `foreach`. */
  readonly item?: unknown;
  readonly index?: number;
}

/** `{{/steps/edit|/steps/draft}}`: the first that has a value. */
const PLACE: TemplatePlace = {
  variableIn: (inside) => (alternativesOf(inside).every(isPointer) ? inside.trim() : undefined),
  form: '{{/input/name}}, {{/steps/name}}, {{/item}} or {{/index}}',
};

/** The pointers of a text. @throws TemplateError */
export function pointersOf(template: string): readonly string[] {
  return variablesOf(parseTemplate(template, PLACE)).flatMap(alternativesOf);
}

function alternativesOf(place: string): readonly string[] {
  return place.split('|').map((pointer) => pointer.trim());
}

/** The names of the steps that pointers read. */
export function stepsIn(pointers: Iterable<string>): readonly string[] {
  const names = [...pointers].flatMap((pointer) => {
    const [root, name] = parsePointer(pointer) ?? [];
    return root === 'steps' && name !== undefined ? [name] : [];
  });
  return [...new Set(names)];
}

/** The pointers of a condition, in order. */
export function pointersOfCondition(condition: Condition): readonly string[] {
  if ('all' in condition) return condition.all.flatMap(pointersOfCondition);
  if ('any' in condition) return condition.any.flatMap(pointersOfCondition);
  if ('not' in condition) return pointersOfCondition(condition.not);
  return [condition.value];
}

export function readValue(values: PipelineValues, pointer: string): unknown {
  return valueAt(values, parsePointer(pointer) ?? []);
}

/**
 * The text with its values. A list of texts is joined by blank lines; what is neither text, number nor a list of
 * them is written as JSON. @throws invalid_request for a place without a value
 */
export function fillText(template: string, values: PipelineValues): string {
  const segments = parseTemplate(template, PLACE);
  const filled = variablesOf(segments).map((place) => {
    const found = alternativesOf(place)
      .map((pointer) => readValue(values, pointer))
      .find((value) => value !== undefined && value !== null);
    if (found === undefined) {
      throw new UnbrokenError(
        'invalid_request',
        `{{${place}}} has no value; name another after it, as in {{/steps/edit|/steps/draft}}.`,
      );
    }
    return [place, asText(found)] as const;
  });
  return fillTemplate(segments, new Map(filled));
}

export function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string' || item === null)) {
    return value.filter((item) => item !== null).join('\n\n');
  }
  return typeof value === 'object' ? JSON.stringify(value, null, 2) : String(value);
}

export function isMet(condition: Condition, values: PipelineValues): boolean {
  if ('all' in condition) return condition.all.every((each) => isMet(each, values));
  if ('any' in condition) return condition.any.some((each) => isMet(each, values));
  if ('not' in condition) return !isMet(condition.not, values);
  return compare(condition, readValue(values, condition.value));
}

type Comparison = Extract<Condition, { value: string }>;

/** Values of different types are unequal, and none of them is the smaller. */
function compare(condition: Comparison, value: unknown): boolean {
  if ('exists' in condition) return (value !== undefined && value !== null) === condition.exists;
  if ('equals' in condition) return value === condition.equals;
  if ('notEquals' in condition) return value !== condition.notEquals;
  if ('contains' in condition) {
    return typeof value === 'string'
      ? value.includes(String(condition.contains))
      : Array.isArray(value) && value.includes(condition.contains);
  }
  const size = Array.isArray(value) ? value.length : value;
  if (typeof size !== 'number') return false;
  if ('lessThan' in condition) return size < condition.lessThan;
  if ('atMost' in condition) return size <= condition.atMost;
  if ('moreThan' in condition) return size > condition.moreThan;
  return size >= condition.atLeast;
}
