/** Values that a JSON Schema takes, as zod writes schemas. What it does not know is taken for any value. */
import fc from 'fast-check';

export interface JsonSchema {
  readonly [keyword: string]: unknown;
}
export type Definitions = Readonly<Record<string, JsonSchema>>;

const MOST_ITEMS = 4;
const DEEPEST = 8;

export function fromSchema(
  schema: JsonSchema,
  definitions: Definitions = {},
  depth = 0,
): fc.Arbitrary<unknown> {
  if (depth > DEEPEST) return fc.constant(null);
  const inner = (schemaPart: unknown) => fromSchema(schemaPart as JsonSchema, definitions, depth + 1);
  const { $ref, enum: values, anyOf, oneOf, allOf, type } = schema;
  if (typeof $ref === 'string') {
    const name = $ref.split('/').at(-1) ?? '';
    const target = definitions[name];
    if (target === undefined) throw new Error(`the schema names ${$ref}, which is not there`);
    return inner(target);
  }
  if ('const' in schema) return fc.constant(schema['const']);
  if (Array.isArray(values)) return fc.constantFrom(...values);
  const choices = anyOf ?? oneOf;
  if (Array.isArray(choices)) return fc.oneof(...choices.map(inner));
  if (Array.isArray(allOf)) return inner(Object.assign({}, ...allOf));
  switch (type) {
    case 'object':
      return objectFrom(schema, inner);
    case 'array':
      return fc.array(inner(schema['items'] ?? {}), {
        minLength: Number(schema['minItems'] ?? 0),
        maxLength: Math.max(
          Number(schema['minItems'] ?? 0),
          Math.min(MOST_ITEMS, Number(schema['maxItems'] ?? MOST_ITEMS)),
        ),
      });
    case 'string':
      return textFrom(schema);
    case 'integer':
    case 'number':
      return numberFrom(schema);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function objectFrom(
  schema: JsonSchema,
  inner: (one: unknown) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  const properties = Object.entries((schema['properties'] ?? {}) as Definitions);
  const required = new Set(Array.isArray(schema['required']) ? schema['required'] : []);
  const named = fc.record(Object.fromEntries(properties.map(([key, property]) => [key, inner(property)])), {
    requiredKeys: properties.map(([key]) => key).filter((key) => required.has(key)),
  });
  const { additionalProperties: others } = schema;
  if (typeof others !== 'object' || others === null) return named;
  const keys = fc.string({ minLength: 1, maxLength: 12 });
  return fc
    .tuple(named, fc.dictionary(keys, inner(others), { maxKeys: 3, noNullPrototype: true }))
    .map(([known, more]) => ({ ...more, ...known }));
}

function textFrom({ pattern, format, minLength, maxLength }: JsonSchema): fc.Arbitrary<unknown> {
  if (format === 'uri') return fc.webUrl();
  // Anchors and classes of zod's patterns; one that the library cannot read is left to chance.
  if (typeof pattern === 'string' && !pattern.includes('(?')) return fc.stringMatching(new RegExp(pattern));
  const least = Number(minLength ?? 0);
  return fc.string({ minLength: least, maxLength: Math.max(least, Math.min(24, Number(maxLength ?? 24))) });
}

function numberFrom(schema: JsonSchema): fc.Arbitrary<unknown> {
  const bound = (...names: string[]) =>
    names.map((name) => schema[name]).find((limit) => typeof limit === 'number');
  const min = bound('minimum', 'exclusiveMinimum');
  const max = bound('maximum', 'exclusiveMaximum');
  const [low, high] = [typeof min === 'number' ? min : -10, typeof max === 'number' ? max : 1_000];
  // Small ones as a rule: a cap of a million tokens is a valid and a dull one.
  if (schema['type'] === 'integer')
    return fc.integer({ min: low, max: Math.max(low, Math.min(high, low + 1_000)) });
  return fc.double({ min: low, max: Math.max(low, high), noNaN: true });
}
