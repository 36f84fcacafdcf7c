/**
 * What a pipeline computes itself: values by JSON Pointer, texts with values in them, and conditions. There are no
 * loops, no functions and no regular expressions, so each costs as much as it is long
 * (docs/decisions/0036-pipelines-name-values-by-pointer.md).
 */
import { UnbrokenError } from './errors.ts';
import { isPointer, parsePointer, valueAt } from './json-pointer.ts';
import { LIMITS } from './limits.ts';
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
 * them is written as JSON. A value stands at each of its places, so a short text and a short value can make a huge one.
 * @param most characters of the filled text.
 * @throws invalid_request for a place without a value, job_too_large
 */
export function fillText(
  template: string,
  values: PipelineValues,
  most: number = LIMITS.requestBodyBytes,
): string {
  const segments = parseTemplate(template, PLACE);
  const filled = new Map<string, string>();
  let chars = 0;
  for (const segment of segments) {
    chars += 'text' in segment ? segment.text.length : fillPlace(segment.variable, values, filled).length;
    if (chars <= most) continue;
    throw new UnbrokenError(
      'job_too_large',
      `A text with its values has more than ${most} characters, the most there may be.`,
    );
  }
  return fillTemplate(segments, filled);
}

function fillPlace(place: string, values: PipelineValues, filled: Map<string, string>): string {
  const known = filled.get(place);
  if (known !== undefined) return known;
  const found = alternativesOf(place)
    .map((pointer) => readValue(values, pointer))
    .find((value) => value !== undefined && value !== null);
  if (found === undefined) {
    throw new UnbrokenError(
      'invalid_request',
      `{{${place}}} has no value; name another after it, as in {{/steps/edit|/steps/draft}}.`,
    );
  }
  const text = asText(found);
  filled.set(place, text);
  return text;
}

export function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string' || item === null)) {
    return value.filter((item) => item !== null).join('\n\n');
  }
  if (typeof value !== 'object') return String(value);
  return JSON.stringify(value, null, isIndented(value) ? INDENT : 0);
}

const INDENT = 2;

/** Whether JSON is written with white space: deep in other values, each number would get a hundred times its length. */
function isIndented(value: object | null): boolean {
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 1 }];
  let chars = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { depth } = next;
    if (typeof next.value !== 'object' || next.value === null) continue;
    const members = Object.values(next.value);
    chars += members.length * depth * INDENT;
    if (chars > LIMITS.indentChars) return false;
    for (const member of members) open.push({ value: member, depth: depth + 1 });
  }
  return true;
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
