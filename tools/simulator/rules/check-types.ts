/**
 * Checks a request body against the types of a vendor's SDK: unknown and missing fields, types and listed values. Each
 * wire puts what it finds into its vendor's words.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isExactNumber } from '../../../contracts/json.ts';

export type Shape =
  | 'string'
  | 'number'
  | 'boolean'
  | 'null'
  | 'any'
  | { readonly in: readonly (string | number | boolean)[] }
  | { readonly list: Shape }
  | { readonly one: readonly Shape[] }
  | { readonly ref: string };

/** By name; the name of an optional field ends in `?`, and `*` stands for any other. */
export type ObjectShape = Readonly<Record<string, Shape>>;

export interface VendorTypes {
  readonly root: string;
  readonly objects: Readonly<Record<string, ObjectShape>>;
}

type Path = readonly (string | number)[];

interface Found {
  readonly path: Path;
  /** The type of the object that the path leads to, or ends in. */
  readonly objectName: string;
}

/** What is wrong with a body. The path leads to the field. */
export type TypeProblem =
  | (Found & { readonly kind: 'unknown' | 'missing' })
  | (Found & { readonly kind: 'type'; readonly expected: readonly string[]; readonly value: unknown })
  | (Found & { readonly kind: 'value'; readonly allowed: readonly unknown[]; readonly value: unknown });

interface CheckOptions {
  /** The name of a field in the types; absent: the same. */
  readonly nameOf?: (name: string) => string;
  /** Fields that the vendor accepts against the types, or does not require; by the name of the object. */
  readonly more?: Readonly<Record<string, ObjectShape>>;
}

export function typesPath(vendor: string): string {
  return fileURLToPath(new URL(`types/${vendor}.json`, import.meta.url));
}

export function readTypes(vendor: string): VendorTypes {
  return JSON.parse(readFileSync(typesPath(vendor), 'utf8')) as VendorTypes;
}

/** @returns the first problem; null for a body that fits. */
export function checkTypes(
  types: VendorTypes,
  body: unknown,
  options: CheckOptions = {},
): TypeProblem | null {
  return new TypeChecker(types, options).check(body, { ref: types.root }, [], types.root);
}

class TypeChecker {
  readonly #types: VendorTypes;
  readonly #options: CheckOptions;

  constructor(types: VendorTypes, options: CheckOptions) {
    this.#types = types;
    this.#options = options;
  }

  check(value: unknown, shape: Shape, path: Path, objectName: string): TypeProblem | null {
    const place = { path, objectName };
    if (typeof shape === 'string') {
      const fits = shape === 'any' || typeOf(value) === shape;
      return fits ? null : { kind: 'type', ...place, expected: [shape], value };
    }
    if ('in' in shape) {
      if (shape.in.includes(value as string)) return null;
      const isSameType = shape.in.some((allowed) => typeof allowed === typeof value);
      if (isSameType) return { kind: 'value', ...place, allowed: shape.in, value };
      return {
        kind: 'type',
        ...place,
        expected: [...new Set(shape.in.map((allowed) => typeof allowed))],
        value,
      };
    }
    if ('list' in shape) {
      if (!Array.isArray(value)) return { kind: 'type', ...place, expected: ['array'], value };
      return firstOf(value, (own, index) => this.check(own, shape.list, [...path, index], objectName));
    }
    return 'one' in shape
      ? this.#checkUnion(value, shape.one, place)
      : this.#checkObject(value, shape.ref, path);
  }

  #checkObject(value: unknown, name: string, path: Path): TypeProblem | null {
    if (!isObject(value)) return { kind: 'type', path, objectName: name, expected: ['object'], value };
    const shape = this.#fieldsOf(name);
    const nameOf = this.#options.nameOf ?? ((field) => field);
    const named = new Map(Object.entries(value).map(([field, own]) => [nameOf(field), { field, own }]));
    const missing = Object.keys(shape).find(
      (field) => !field.endsWith('?') && field !== '*' && !named.has(field),
    );
    if (missing !== undefined) return { kind: 'missing', path: [...path, missing], objectName: name };
    return firstOf([...named], ([known, { field, own }]) => {
      const inner = [...path, field];
      const type = shape[known] ?? shape[`${known}?`] ?? shape['*'];
      return type === undefined
        ? { kind: 'unknown', path: inner, objectName: name }
        : this.check(own, type, inner, name);
    });
  }

  #fieldsOf(name: string): ObjectShape {
    const more = this.#options.more?.[name] ?? {};
    const own = Object.entries(this.#types.objects[name] ?? {});
    return { ...Object.fromEntries(own.filter(([field]) => !Object.hasOwn(more, `${field}?`))), ...more };
  }

  /** Only the members count that the value names by its `type` and `role`; their problem is that of the closest. */
  #checkUnion(value: unknown, shapes: readonly Shape[], place: Found): TypeProblem | null {
    const named = isObject(value) ? this.#named(value, shapes, place) : { shapes };
    if ('problem' in named) return named.problem;
    const problems: TypeProblem[] = [];
    for (const shape of named.shapes) {
      const problem = this.check(value, shape, place.path, place.objectName);
      if (problem === null) return null;
      problems.push(problem);
    }
    const inner = problems.filter(({ path }) => path.length > place.path.length);
    const closest = inner.toSorted((a, b) => rankOf(b) - rankOf(a))[0];
    if (closest !== undefined) return closest;
    const values = problems.flatMap((own) => (own.kind === 'value' ? own.allowed : []));
    if (values.length > 0) return { kind: 'value', ...place, allowed: values, value };
    const expected = problems.flatMap((own) => (own.kind === 'type' ? own.expected : []));
    return { kind: 'type', ...place, expected: [...new Set(expected)], value };
  }

  #named(
    value: Record<string, unknown>,
    shapes: readonly Shape[],
    { path }: Found,
  ): { readonly shapes: readonly Shape[] } | { readonly problem: TypeProblem } {
    let candidates = shapes.flatMap((shape) =>
      typeof shape === 'object' && 'ref' in shape
        ? [{ shape, name: shape.ref, fields: this.#fieldsOf(shape.ref) }]
        : [],
    );
    for (const tag of TAGS) {
      const own = value[tag];
      const fitting = candidates.filter(({ fields }) => {
        if (own === undefined) return fields[tag] === undefined || tag === 'role';
        const shape = fields[tag] ?? fields[`${tag}?`];
        return shape !== undefined && this.check(own, shape, [], '') === null;
      });
      const isKnown = candidates.some(({ fields }) => tag in fields || `${tag}?` in fields);
      if (fitting.length > 0) candidates = fitting;
      else if (own !== undefined && isKnown) {
        const allowed = candidates.flatMap(({ fields }) => valuesOf(fields[tag] ?? fields[`${tag}?`]));
        const [{ name } = { name: '' }] = candidates;
        const at = { path: [...path, tag], objectName: name };
        return { problem: { kind: 'value', ...at, allowed: [...new Set(allowed)], value: own } };
      }
    }
    return { shapes: candidates.length === 0 ? shapes : candidates.map(({ shape }) => shape) };
  }
}

/** The fields by which the objects of a union differ. */
const TAGS = ['type', 'role'];

function valuesOf(shape: Shape | undefined): readonly unknown[] {
  if (typeof shape !== 'object') return [];
  if ('in' in shape) return shape.in;
  return 'one' in shape ? shape.one.flatMap(valuesOf) : [];
}

/** The deeper a problem, the more of the value has fitted; a missing field says the least. */
function rankOf({ path, kind }: TypeProblem): number {
  return path.length * 2 + (kind === 'missing' ? 0 : 1);
}

function firstOf<Item>(
  items: readonly Item[],
  check: (item: Item, index: number) => TypeProblem | null,
): TypeProblem | null {
  for (const [index, item] of items.entries()) {
    const problem = check(item, index);
    if (problem !== null) return problem;
  }
  return null;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeOf(value) === 'object' && !Array.isArray(value);
}

/** A number that no JavaScript number equals is one all the same. */
function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return isExactNumber(value) ? 'number' : typeof value;
}
