/** The schemas directly within a schema, of any draft. */

export type Schema = Record<string, unknown>;

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

/** The schema with each of those within it as `map` makes it. */
export function mapSchemas(schema: Schema, map: (inner: Schema) => Schema): Schema {
  const within = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(within);
    return isObject(value) ? map(value) : value;
  };
  const inMap = (value: unknown): unknown =>
    isObject(value)
      ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, within(each)]))
      : value;
  return Object.fromEntries(
    Object.entries(schema).map(([name, value]) => [
      name,
      DATA.has(name) ? value : MAPS.has(name) ? inMap(value) : within(value),
    ]),
  );
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
