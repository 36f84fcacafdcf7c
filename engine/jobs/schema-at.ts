/** Follows a path through a JSON Schema, as far as the schema decides it. */
import { isJsonObject } from '../../contracts/json.ts';

type Schema = Readonly<Record<string, unknown>>;

/** How many references are followed from one schema: they may form circles. */
const MOST_FOLLOWED = 200;

/** By the whole schema, what those within it refer to: many places of a pipeline read one schema. */
const resolvedIn = new WeakMap<Schema, WeakMap<Schema, Schema | 'unknown'>>();

/**
 * The schema of the value at the path. `unknown`: the schema does not decide whether there is one.
 * @returns null if no value of the schema can have this path.
 */
export function schemaAt(schema: unknown, path: readonly string[]): Schema | 'unknown' | null {
  if (!isJsonObject(schema)) return 'unknown';
  let current: Schema = schema;
  for (const part of path) {
    const resolved = resolve(current, schema);
    if (resolved === 'unknown') return 'unknown';
    const next = memberOf(resolved, part);
    if (next === null || next === 'unknown') return next;
    current = next;
  }
  return resolve(current, schema);
}

/** The types that a schema allows; null if it does not say. */
export function typesOf(schema: Schema): readonly string[] | null {
  const { type } = schema;
  if (typeof type === 'string') return [type];
  return Array.isArray(type) ? type.filter((each) => typeof each === 'string') : null;
}

function memberOf(schema: Schema, part: string): Schema | 'unknown' | null {
  const types = typesOf(schema);
  const mayBe = (type: string) => types === null || types.includes(type);
  if (mayBe('object')) {
    const { properties, additionalProperties, patternProperties } = schema;
    if (isJsonObject(properties) && Object.hasOwn(properties, part)) {
      const property = properties[part];
      return isJsonObject(property) ? property : 'unknown';
    }
    if (types !== null && !types.includes('array') && isJsonObject(properties)) {
      return additionalProperties === false && patternProperties === undefined ? null : 'unknown';
    }
  }
  if (mayBe('array') && /^\d+$/.test(part))
    return isJsonObject(schema['items']) ? schema['items'] : 'unknown';
  return mayBe('object') ? 'unknown' : null;
}

/** Follows local references; unions and conditions are not decided. */
function resolve(schema: Schema, root: Schema): Schema | 'unknown' {
  const known = resolvedIn.get(root) ?? new WeakMap<Schema, Schema | 'unknown'>();
  resolvedIn.set(root, known);
  const found = known.get(schema) ?? follow(schema, root);
  known.set(schema, found);
  return found;
}

function follow(schema: Schema, root: Schema): Schema | 'unknown' {
  let current = schema;
  for (let followed = 0; followed < MOST_FOLLOWED; followed += 1) {
    if ('anyOf' in current || 'oneOf' in current || 'allOf' in current) return 'unknown';
    const { $ref } = current;
    if ($ref === undefined) return current;
    const target = typeof $ref === 'string' && $ref.startsWith('#/') ? targetOf($ref, root) : undefined;
    if (!isJsonObject(target)) return 'unknown';
    current = target;
  }
  return 'unknown';
}

function targetOf($ref: string, root: Schema): unknown {
  let target: unknown = root;
  for (const part of $ref.slice(2).split('/')) {
    if (!isJsonObject(target)) return undefined;
    target = Object.hasOwn(target, part) ? target[part] : undefined;
  }
  return target;
}
