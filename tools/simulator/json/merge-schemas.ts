/** One schema for all that must hold at once: references, `allOf`, and a branch of each choice are merged into it. */
import { Chance } from '../text/chance.ts';
import { canonical, isSchema, namesIn, resolveReference, type Schema, schemasIn, typesOf } from './schema.ts';

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
  { variant, isDeep = false }: { readonly variant: number; readonly isDeep?: boolean },
): Schema | null {
  const chance = new Chance(variant);
  const flatten = (part: unknown, depth: number): Schema | null => {
    if (part === false || depth === 0) return null;
    if (!isSchema(part)) return {};
    let merged: Schema | null = Object.fromEntries(
      Object.entries(part).filter(([word]) => !OF_CHOICES.has(word)),
    );
    const add = (second: unknown) => {
      const flat = flatten(second, depth - 1);
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

function mergeSchemas(first: Schema, second: Schema): Schema {
  const merged: Record<string, unknown> = { ...first };
  for (const [word, value] of Object.entries(second)) {
    merged[word] = Object.hasOwn(first, word) ? mergeKeyword(word, first[word], value) : value;
  }
  if ('type' in first && 'type' in second) merged['type'] = commonTypes(typesOf(first), typesOf(second));
  return merged;
}

function mergeKeyword(word: string, first: unknown, second: unknown): unknown {
  if (LARGEST.includes(word)) return Math.max(Number(first), Number(second));
  if (SMALLEST.includes(word)) return Math.min(Number(first), Number(second));
  if (word === 'required') return [...new Set([...namesIn(first), ...namesIn(second)])];
  if (word === 'uniqueItems') return first === true || second === true;
  if (word === 'enum') {
    const allowed = new Set(schemasIn(second).map(canonical));
    return schemasIn(first).filter((item) => allowed.has(canonical(item)));
  }
  if (word === 'multipleOf') return commonMultiple(Number(first), Number(second));
  if (word === 'not') return { anyOf: [first, second] };
  if (PER_NAME.includes(word) && isSchema(first) && isSchema(second)) return mergeNames(first, second);
  if (
    word === 'items' ||
    word === 'additionalProperties' ||
    word === 'propertyNames' ||
    word === 'contains'
  ) {
    return { allOf: [first, second] };
  }
  return second;
}

function mergeNames(first: Schema, second: Schema): Schema {
  const merged: Record<string, unknown> = { ...first };
  for (const [name, schema] of Object.entries(second)) {
    merged[name] = Object.hasOwn(first, name) ? { allOf: [first[name], schema] } : schema;
  }
  return merged;
}

function commonTypes(first: readonly string[], second: readonly string[]): readonly string[] {
  const isIn = (type: string, types: readonly string[]) =>
    types.includes(type) || (type === 'integer' && types.includes('number'));
  return [
    ...first.filter((type) => isIn(type, second)),
    ...second.filter((type) => isIn(type, first) && !first.includes(type)),
  ];
}

function commonMultiple(first: number, second: number): number {
  for (let times = 1; times <= 1_000; times += 1) {
    if (Number.isInteger((first * times) / second)) return first * times;
  }
  return second;
}
