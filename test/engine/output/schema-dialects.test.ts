/**
 * Schemas as libraries of other languages write them. A right answer that is refused here is paid and asked for again,
 * and a schema that the vendors take is no error of its sender.
 */
import { afterAll, describe, expect, test } from '@jest/globals';
import { ThreadedOutputChecker } from '../../../engine/output/threaded-output-checker.ts';

const checker = new ThreadedOutputChecker();
afterAll(() => checker.close());

type Schema = Record<string, unknown>;

const resultOf = async (schema: Schema, value: unknown) =>
  (await checker.check('acme', { schema }, JSON.stringify(value))).result;

// https://github.com/ajv-validator/ajv/issues/2537, https://github.com/ajv-validator/ajv/issues/928,
// https://github.com/rjsf-team/react-jsonschema-form/issues/3917
test.each([
  [0.01, 19.99, 'fits'],
  [0.01, 143.48, 'fits'],
  [0.01, 39_999_999.12, 'fits'],
  [0.1, 0.3, 'fits'],
  [0.1, -0.3, 'fits'],
  [1e-7, 3e-7, 'fits'],
  [0.01, 1.115, 'unfit'],
  [0.3, 1, 'unfit'],
  [5, 15, 'fits'],
  [5, 16, 'unfit'],
  [2.5, 1e300, 'fits'],
])('a multiple of %d is one in decimals: %d %s', async (multipleOf, value, result) => {
  expect(await resultOf({ type: 'number', multipleOf }, value)).toBe(result);
});

test('a value that is no multiple is named with the number', async () => {
  expect(await checker.check('acme', { schema: { multipleOf: 0.05 } }, '0.07')).toEqual({
    result: 'unfit',
    faults: [{ path: '', message: 'must be multiple of 0.05' }],
  });
});

// https://github.com/pydantic/pydantic/issues/12249, https://github.com/frenck/probatio/pull/94
describe('a pattern in the syntax of Python', () => {
  test.each([
    ['\\A\\d+\\Z', '12', 'x12'],
    ['\\Aa{,3}\\Z', 'aa', 'aaaa'],
    ['^\\d+\\z', '12', '12x'],
    ['(?i)^abc$', 'aBC', 'abd'],
    ['(?si)^a.b$', 'A\nb', 'a\n'],
    ['^(?P<year>\\d{4})$', '2026', '26'],
    ['^(?P<a>.)(?P=a)$', 'xx', 'xy'],
    ['^(?#of a year)\\d{4}\\Z', '2026', '26'],
    ['^[\\A\\_]\\Z', 'A', 'B'],
    ['^\\\\A(?P<n>x)$', '\\Ax', 'x'],
    ['^[(?P<]\\Z', '<', 'x'],
  ])('%s', async (pattern, fitting, other) => {
    expect(await resultOf({ type: 'string', pattern }, fitting)).toBe('fits');
    expect(await resultOf({ type: 'string', pattern }, other)).toBe('unfit');
  });

  test('that cannot be said otherwise is refused before anything is spent', async () => {
    expect(await checker.faultOfSchema('acme', { pattern: '(?x) a' })).toMatch(/Invalid regular expression/);
  });
});

// https://github.com/ajv-validator/ajv/issues/1737, https://github.com/ajv-validator/ajv/issues/1948,
// https://github.com/cdimascio/express-openapi-validator/issues/802
describe("OpenAPI's nullable", () => {
  const place = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

  test.each<[string, Schema, unknown, string]>([
    ['beside a type takes null', { type: 'string', nullable: true }, null, 'fits'],
    [
      'beside a reference says nothing',
      { $defs: { place }, $ref: '#/$defs/place', nullable: true },
      {},
      'unfit',
    ],
    ['beside alternatives says nothing', { anyOf: [place, { nullable: true }] }, null, 'fits'],
    ['that is false says nothing', { type: ['string', 'null'], nullable: false }, null, 'fits'],
    ['is also the name of a property', { properties: { nullable: false } }, { nullable: 1 }, 'unfit'],
    ['is also a part of a value', { const: { nullable: true } }, { nullable: true }, 'fits'],
  ])('%s', async (_, schema, value, result) => {
    expect(await resultOf(schema, value)).toBe(result);
  });
});

// https://github.com/IvanMurzak/Unity-MCP/issues/152
test('an id is the name of its schema in draft 4 alone, and means nothing in the others', async () => {
  const schema = { type: 'object', properties: { a: { id: '#a', type: 'string' } } };
  expect(await resultOf(schema, { a: 'b' })).toBe('fits');
  expect(await resultOf(schema, { a: 1 })).toBe('unfit');
  const $schema = 'http://json-schema.org/draft-04/schema#';
  const named = { $schema, definitions: { b: { id: '#b', type: 'string' } }, $ref: '#b' };
  expect(await resultOf(named, 1)).toBe('unfit');
});

describe('an id that several schemas have', () => {
  const money = {
    $id: 'https://acme.test/money',
    type: 'object',
    properties: { amount: { $ref: '#/definitions/amount' }, unit: { $ref: 'units/unit' } },
    definitions: { amount: { type: 'number' }, unit: { $id: 'units/unit', type: 'string' } },
    required: ['amount'],
  };
  const schemaOf = (part: Schema, more: Schema = {}): Schema => ({
    $id: 'https://acme.test/order',
    type: 'object',
    properties: { price: part, tax: part, tip: part },
    ...more,
  });

  test.each(['2020-12/schema', '2019-09/schema', '07/schema#'])(
    'refers to the first, and each checks its own (%s)',
    async (name) => {
      const host = name.startsWith('0') ? 'http://json-schema.org/draft-' : 'https://json-schema.org/draft/';
      const schema = schemaOf(money, { $schema: `${host}${name}` });
      const sum = { amount: 1, unit: 'EUR' };
      expect(await resultOf(schema, { price: sum, tax: sum, tip: sum })).toBe('fits');
      expect(await resultOf(schema, { price: sum, tip: { amount: 'x' } })).toBe('unfit');
      expect(await resultOf(schema, { price: sum, tip: { amount: 1, unit: 2 } })).toBe('unfit');
    },
  );

  test('may be that of the whole, or a name of a place', async () => {
    const schema = {
      $id: 'a',
      properties: { b: { $id: 'a', type: 'string' }, c: { $id: 'a', type: 'number' } },
    };
    expect(await resultOf(schema, { b: 'x', c: 1 })).toBe('fits');
    expect(await resultOf(schema, { b: 'x', c: 'y' })).toBe('unfit');
    const place = { $id: '#at', type: 'string' };
    const named = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      properties: { b: place, c: place, d: { $ref: '#at' } },
    };
    expect(await resultOf(named, { b: 'x', c: 'y', d: 'z' })).toBe('fits');
    expect(await resultOf(named, { d: 1 })).toBe('unfit');
  });

  test('is no id where it is the name of a property, or data', async () => {
    const schema = {
      properties: { $id: { const: { $id: 'x' } }, b: { enum: [{ $id: 'x' }] } },
      additionalProperties: false,
    };
    expect(await resultOf(schema, { $id: { $id: 'x' }, b: { $id: 'x' } })).toBe('fits');
  });
});
