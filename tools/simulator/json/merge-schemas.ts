/** One schema for all that must hold at once: references, `allOf`, and a branch of each choice are merged into it. */
import { Chance } from '../text/chance.ts';
import { isSchema, namesIn, resolveReference, type Schema, schemasIn, typesOf } from './schema.ts';

const DEPTH = 32;
const LARGEST = ['minLength', 'minimum', 'exclusiveMinimum', 'minItems', 'minProperties', 'minContains'];
const SMALLEST = ['maxLength', 'maximum', 'exclusiveMaximum', 'maxItems', 'maxProperties', 'maxContains'];
const PER_NAME = ['properties', 'patternProperties', 'dependentSchemas', 'dependentRequired'];
const OF_CHOICES = new Set(['$ref', '$dynamicRef', 'allOf', 'anyOf', 'oneOf', 'if', 'then', 'else']);

/**
 * @param variant chooses the branches: 0 takes the first of each.
 * @param isDeep prefers branches that do not refer to others, so that a recursion ends.
 * @returns null where nothing fits.
 */
export function flattenSchema(
  root: unknown,
  schema: unknown,
  variant: number,
  isDeep: boolean,
): Schema | null {
  const chance = new Chance(variant);
  const flatten = (part: unknown, depth: number): Schema | null => {
    if (part === false || depth === 0) return null;
    if (!isSchema(part)) return {};
    let merged: Schema | null = Object.fromEntries(
      Object.entries(part).filter(([word]) => !OF_CHOICES.has(word)),
    );
    const add = (other: unknown) => {
      const flat = flatten(other, depth - 1);
      merged = merged === null || flat === null ? null : mergeSchemas(merged, flat);
    };
    const reference = part['$ref'] ?? part['$dynamicRef'];
    if (typeof reference === 'string') add(resolveReference(root, reference));
    for (const conjunct of schemasIn(part['allOf'])) add(conjunct);
    for (const word of ['anyOf', 'oneOf']) {
      const branches = orderBranches(schemasIn(part[word]), isDeep);
      if (branches.length > 0) add(variant === 0 ? branches[0] : chance.pick(branches));
    }
    if ('if' in part) {
      const isThen = variant === 0 || chance.below(2) === 0;
      if (isThen) add(part['if']);
      add(part[isThen ? 'then' : 'else'] ?? true);
    }
    return merged;
  };
  return flatten(schema, DEPTH);
}

function orderBranches(branches: readonly unknown[], isDeep: boolean): readonly unknown[] {
  if (!isDeep) return branches;
  const isLeaf = (branch: unknown) => !/"(\$ref|properties|items)"/.test(JSON.stringify(branch) ?? '');
  const leaves = branches.filter(isLeaf);
  return leaves.length > 0 ? leaves : branches;
}

export function mergeSchemas(one: Schema, other: Schema): Schema {
  const merged: Record<string, unknown> = { ...one };
  for (const [word, value] of Object.entries(other)) {
    merged[word] = Object.hasOwn(one, word) ? mergeKeyword(word, one[word], value) : value;
  }
  if ('type' in one && 'type' in other) merged['type'] = commonTypes(typesOf(one), typesOf(other));
  return merged;
}

function mergeKeyword(word: string, one: unknown, other: unknown): unknown {
  if (LARGEST.includes(word)) return Math.max(Number(one), Number(other));
  if (SMALLEST.includes(word)) return Math.min(Number(one), Number(other));
  if (word === 'required') return [...new Set([...namesIn(one), ...namesIn(other)])];
  if (word === 'uniqueItems') return one === true || other === true;
  if (word === 'enum')
    return schemasIn(one).filter((item) => JSON.stringify(other).includes(JSON.stringify(item)));
  if (word === 'multipleOf') return commonMultiple(Number(one), Number(other));
  if (word === 'not') return { anyOf: [one, other] };
  if (PER_NAME.includes(word) && isSchema(one) && isSchema(other)) return mergeNames(one, other);
  if (
    word === 'items' ||
    word === 'additionalProperties' ||
    word === 'propertyNames' ||
    word === 'contains'
  ) {
    return { allOf: [one, other] };
  }
  return other;
}

function mergeNames(one: Schema, other: Schema): Schema {
  const merged: Record<string, unknown> = { ...one };
  for (const [name, schema] of Object.entries(other)) {
    merged[name] = Object.hasOwn(one, name) ? { allOf: [one[name], schema] } : schema;
  }
  return merged;
}

function commonTypes(one: readonly string[], other: readonly string[]): readonly string[] {
  const isIn = (type: string, types: readonly string[]) =>
    types.includes(type) || (type === 'integer' && types.includes('number'));
  return [
    ...one.filter((type) => isIn(type, other)),
    ...other.filter((type) => isIn(type, one) && !one.includes(type)),
  ];
}

function commonMultiple(one: number, other: number): number {
  for (let times = 1; times <= 1_000; times += 1) {
    if (Number.isInteger((one * times) / other)) return one * times;
  }
  return other;
}
