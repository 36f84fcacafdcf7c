/**
 * Leaves out OpenAPI's `nullable` where it says nothing: OpenAPI gives it a meaning only beside a `type`, JSON Schema
 * does not know it, and Ajv refuses a schema that has it elsewhere.
 */

type Schema = Record<string, unknown>;

/** Their members are named by the schema, and are schemas. */
const MAPS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies']);
/** What they hold is no schema. */
const DATA = new Set(['const', 'enum', 'default', 'examples', 'required', 'type']);

export function withoutNullable(schema: Schema): Schema {
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([name, value]) => name !== 'nullable' || saysSomething(schema, value))
      .map(([name, value]) => [name, DATA.has(name) ? value : within(value, MAPS.has(name))]),
  );
}

function saysSomething({ type }: Schema, nullable: unknown): boolean {
  return type !== undefined && nullable === true;
}

function within(value: unknown, isMap: boolean): unknown {
  if (Array.isArray(value)) return value.map((each) => within(each, false));
  if (typeof value !== 'object' || value === null) return value;
  const schema = value as Schema;
  if (!isMap) return withoutNullable(schema);
  return Object.fromEntries(Object.entries(schema).map(([name, each]) => [name, within(each, false)]));
}
