/** Random JSON Schemas, each made around a value that fits it. */
import fc from 'fast-check';

type Schema = Record<string, unknown>;
type Value = null | boolean | number | string | readonly Value[] | { readonly [name: string]: Value };

const name = fc.constantFrom('name', 'city', 'count', 'tags', 'days', 'note', 'total_price', 'x-y', 'über');
const DEPTH = 3;

const scalar: fc.Arbitrary<Schema> = fc.oneof(
  fc.constant({ type: 'null' }),
  fc.constant({ type: 'boolean' }),
  fc.record({ type: fc.constant('string') }),
  fc
    .tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 20 }))
    .map(([least, more]) => ({ type: 'string', minLength: least, maxLength: least + more })),
  fc
    .constantFrom(
      '^[a-z]{2,8}$',
      '^\\d{4}-\\d{2}$',
      '^(yes|no|maybe)$',
      '^#[0-9A-F]{6}$',
      'k[aeiou]t',
      '^\\S+@\\S+$',
    )
    .map((pattern) => ({ type: 'string', pattern })),
  fc
    .constantFrom('date', 'time', 'date-time', 'email', 'uri', 'uuid', 'ipv4', 'ipv6', 'hostname', 'duration')
    .map((format) => ({ type: 'string', format })),
  fc
    .tuple(fc.integer({ min: -1_000, max: 1_000 }), fc.integer({ min: 0, max: 50 }))
    .map(([low, width]) => ({ type: 'integer', minimum: low, maximum: low + width })),
  fc
    .tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 1, max: 9 }))
    .map(([times, step]) => ({ type: 'integer', multipleOf: step, minimum: times * step })),
  fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 1, max: 50 })).map(([low, width]) => ({
    type: 'number',
    exclusiveMinimum: low / 4,
    exclusiveMaximum: (low + width) / 4,
  })),
  fc
    .uniqueArray(fc.oneof(fc.string(), fc.integer(), fc.boolean()), { minLength: 1, maxLength: 5 })
    .map((values) => ({
      enum: values,
    })),
  fc.jsonValue({ maxDepth: 2 }).map((value) => ({ const: value as Value })),
);

function schemaOfDepth(depth: number): fc.Arbitrary<Schema> {
  if (depth === 0) return scalar;
  const inner = schemaOfDepth(depth - 1);
  return fc.oneof(
    { arbitrary: scalar, weight: 2 },
    { arbitrary: objectOf(inner), weight: 3 },
    { arbitrary: arrayOf(inner), weight: 2 },
    fc.array(inner, { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
    fc.array(inner, { minLength: 1, maxLength: 2 }).map((anyOf) => ({ allOf: [{ anyOf }, {}] })),
    inner.map((schema) => ({
      oneOf: [schema, { type: 'object', required: ['never_there'], properties: { never_there: false } }],
    })),
  );
}

function objectOf(inner: fc.Arbitrary<Schema>): fc.Arbitrary<Schema> {
  return fc
    .record({
      properties: fc.dictionary(name, inner, { maxKeys: 5 }),
      isClosed: fc.boolean(),
      required: fc.array(fc.nat(), { maxLength: 4 }),
      more: fc.integer({ min: 0, max: 2 }),
      dependents: fc.boolean(),
    })
    .map(({ properties, isClosed, required, more, dependents }) => {
      const names = Object.keys(properties);
      const wanted = [
        ...new Set(required.flatMap((place) => names[place % Math.max(1, names.length)] ?? [])),
      ];
      return {
        type: 'object',
        properties,
        required: wanted,
        ...(isClosed ? { additionalProperties: false } : { minProperties: wanted.length + more }),
        ...(dependents && names.length > 1 ? { dependentRequired: { [names[0] ?? '']: [names[1]] } } : {}),
      };
    });
}

function arrayOf(inner: fc.Arbitrary<Schema>): fc.Arbitrary<Schema> {
  return fc.oneof(
    fc
      .tuple(inner, fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 3 }))
      .map(([items, least, more]) => ({ type: 'array', items, minItems: least, maxItems: least + more })),
    fc.array(inner, { minLength: 1, maxLength: 3 }).map((prefixItems) => ({
      type: 'array',
      prefixItems,
      items: false,
      minItems: prefixItems.length,
    })),
    fc.integer({ min: 1, max: 6 }).map((least) => ({
      type: 'array',
      items: { type: ['string', 'integer'] },
      minItems: least,
      uniqueItems: true,
    })),
  );
}

/** Some of the schemas lie under a reference, and some refer to themselves. */
export const schemasThatFit: fc.Arbitrary<Schema> = fc.oneof(
  { arbitrary: schemaOfDepth(DEPTH), weight: 4 },
  schemaOfDepth(DEPTH - 1).map((schema) => ({
    type: 'object',
    properties: { first: { $ref: '#/$defs/part' }, second: { allOf: [{ $ref: '#/$defs/part' }] } },
    required: ['first'],
    $defs: { part: schema },
  })),
  schemaOfDepth(DEPTH - 2).map((schema) => ({
    $ref: '#/$defs/tree',
    $defs: {
      tree: {
        type: 'object',
        properties: { value: schema, children: { type: 'array', items: { $ref: '#/$defs/tree' } } },
        required: ['value'],
        additionalProperties: false,
      },
    },
  })),
);
