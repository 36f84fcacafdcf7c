/**
 * Leaves out OpenAPI's `nullable` where it says nothing: OpenAPI gives it a meaning only beside a `type`, JSON Schema
 * does not know it, and Ajv refuses a schema that has it elsewhere.
 */

type Schema = Record<string, unknown>;

/** Their members are named by the schema, and are schemas. */
const MAPS = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
  'dependencies',
]);
/** What they hold is no schema. */
const DATA = new Set(['const', 'enum', 'default', 'examples', 'required', 'type']);

export function withoutNullable(schema: Schema): Schema {
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([name, value]) => name !== 'nullable' || saysSomething(schema, value))
      .map(([name, value]) => [name, DATA.has(name) ? value : MAPS.has(name) ? inMap(value) : within(value)]),
  );
}

function saysSomething({ type }: Schema, nullable: unknown): boolean {
  return type !== undefined && nullable === true;
}

function within(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(within);
  return isObject(value) ? withoutNullable(value) : value;
}

function inMap(value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, within(each)]));
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
