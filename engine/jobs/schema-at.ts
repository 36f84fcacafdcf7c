/** Follows a path through a JSON Schema, as far as the schema decides it. */
import { isJsonObject } from '../../contracts/json.ts';

type Schema = Readonly<Record<string, unknown>>;

/** How many schemas a look-up visits at most: references may form circles. */
const MOST_VISITED = 200;

/**
 * The schema of the value at the path. `unknown`: the schema does not decide whether there is one.
 * @returns null if no value of the schema can have this path.
 */
export function schemaAt(schema: unknown, path: readonly string[]): Schema | 'unknown' | null {
  if (!isJsonObject(schema)) return 'unknown';
  let current: Schema = schema;
  let visited = 0;
  for (const part of path) {
    const resolved = resolve(current, schema, () => ++visited < MOST_VISITED);
    if (resolved === 'unknown') return 'unknown';
    const next = memberOf(resolved, part);
    if (next === null || next === 'unknown') return next;
    current = next;
  }
  return resolve(current, schema, () => ++visited < MOST_VISITED);
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
function resolve(schema: Schema, root: Schema, mayVisit: () => boolean): Schema | 'unknown' {
  const { $ref } = schema;
  if ('anyOf' in schema || 'oneOf' in schema || 'allOf' in schema) return 'unknown';
  if ($ref === undefined) return schema;
  if (typeof $ref !== 'string' || !$ref.startsWith('#/') || !mayVisit()) return 'unknown';
  let target: unknown = root;
  for (const part of $ref.slice(2).split('/')) {
    if (!isJsonObject(target)) return 'unknown';
    target = Object.hasOwn(target, part) ? target[part] : undefined;
  }
  return isJsonObject(target) ? resolve(target, root, mayVisit) : 'unknown';
}
