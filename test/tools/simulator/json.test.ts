/** JSON of the simulated model fits the schema: a full validator is the judge. */
import { describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { fitsSchema } from '../../../tools/simulator/json/fits-schema.ts';
import { sampleJson } from '../../../tools/simulator/json/sample-json.ts';
import { readQuestion } from '../../../tools/simulator/text/question.ts';
import { schemasThatFit } from './schemas-that-fit.ts';

const RUNS = 200;

const question = readQuestion({ messages: [{ role: 'user', content: 'Is it raining in Paris?' }] });
const withoutFormats = new Ajv2020({ strict: false, validateFormats: false, multipleOfPrecision: 9 });
const withFormats = new Ajv2020({ strict: false, multipleOfPrecision: 9 });
addFormats.default(withFormats);

/** What the validator objects to; null where the sample fits. */
function faultsOf(schema: object | boolean, draft = ''): object | null {
  const value = sampleJson(schema, { question, draft });
  const validate = withFormats.compile(schema);
  return validate(value) ? null : { value, errors: validate.errors };
}

/** The validator compares values by their own `toString` and `valueOf`, and throws if these are data. */
const comparableValues = fc
  .jsonValue()
  .filter((value) => !/"(?:toString|valueOf)":/.test(JSON.stringify(value)));

describe('a sample of a schema', () => {
  test('fits any schema that a value can fit', () => {
    fc.assert(
      fc.property(schemasThatFit, (schema) => {
        expect(faultsOf(schema)).toBeNull();
        expect(faultsOf(schema, 'f3a2b1')).toBeNull();
      }),
      { numRuns: RUNS },
    );
  });

  test('is checked as the full validator checks it', () => {
    fc.assert(
      fc.property(schemasThatFit, comparableValues, (schema, value) => {
        expect(fitsSchema(schema, schema, value)).toBe(withoutFormats.validate(schema, value));
      }),
      { numRuns: RUNS },
    );
  });

  test('is checked in the keys that the full validator cannot compare', () => {
    const value = { toString: '' };
    expect(fitsSchema({ const: {} }, { const: {} }, value)).toBe(false);
    expect(fitsSchema({ const: value }, { const: value }, value)).toBe(true);
  });

  test('is the same for the same schema and question', () => {
    fc.assert(
      fc.property(schemasThatFit, (schema) => {
        const hints = { question, draft: '' };
        expect(sampleJson(schema, hints)).toEqual(sampleJson(schema, hints));
      }),
      { numRuns: RUNS / 4 },
    );
  });

  test.each<[string, object]>([
    ['enum', { enum: ['red', 'green'] }],
    ['const', { const: { a: [1] } }],
    ['pattern', { type: 'string', pattern: '^[A-Z]{3}-\\d{4,6}$' }],
    ['pattern with a choice', { type: 'string', pattern: '^(GET|POST) /v[12]/\\w+(\\?\\w+=\\w*)?$' }],
    ['pattern with lengths', { type: 'string', pattern: '^[a-f0-9]+$', minLength: 32, maxLength: 32 }],
    ['pattern of Unicode', { type: 'string', pattern: '^\\p{Lu}\\p{Ll}+$', minLength: 5 }],
    ['pattern without anchors', { type: 'string', pattern: 'ab+c', minLength: 9 }],
    ['pattern of one rare letter', { type: 'string', pattern: '^[þ]$' }],
    ['format and length', { type: 'string', format: 'date-time' }],
    ['bounds', { type: 'integer', exclusiveMinimum: 3, exclusiveMaximum: 5 }],
    ['steps', { type: 'number', multipleOf: 0.25, minimum: 1.1, maximum: 1.3 }],
    ['negative', { type: 'number', maximum: -10 }],
    ['open interval', { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 }],
    ['unique items', { type: 'array', items: { enum: [1, 2, 3] }, minItems: 3, uniqueItems: true }],
    ['unique booleans', { type: 'array', items: { type: 'boolean' }, minItems: 2, uniqueItems: true }],
    ['a tuple', { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }], items: false }],
    ['contains', { type: 'array', items: { type: 'integer' }, contains: { minimum: 90 }, minContains: 2 }],
    [
      'one of two',
      {
        oneOf: [
          { type: 'object', required: ['a'] },
          { type: 'object', required: ['b'], properties: { a: false } },
        ],
      },
    ],
    [
      'a condition',
      {
        type: 'object',
        properties: {
          kind: { enum: ['card', 'bank'] },
          number: { type: 'string' },
          iban: { type: 'string' },
        },
        required: ['kind'],
        if: { properties: { kind: { const: 'card' } } },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: { required: ['number'] },
        else: { required: ['iban'] },
      },
    ],
    ['a negation', { type: 'string', not: { minLength: 3 } }],
    ['names', { type: 'object', minProperties: 3, propertyNames: { pattern: '^x-[a-z]+$' } }],
    [
      'patterns of names',
      {
        type: 'object',
        minProperties: 2,
        patternProperties: { '^n_': { type: 'integer' } },
        additionalProperties: false,
      },
    ],
    ['dependents', { type: 'object', required: ['a'], dependentRequired: { a: ['b'], b: ['c'] } }],
    [
      'a recursion',
      {
        $ref: '#/$defs/node',
        $defs: {
          node: {
            type: 'object',
            properties: {
              name: { type: 'string' },
              children: { type: 'array', items: { $ref: '#/$defs/node' } },
              parent: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] },
            },
            required: ['name', 'children', 'parent'],
            additionalProperties: false,
          },
        },
      },
    ],
    [
      'allOf over references',
      {
        allOf: [{ $ref: '#/$defs/base' }, { properties: { size: { minimum: 5 } }, required: ['size'] }],
        $defs: { base: { type: 'object', properties: { size: { type: 'integer', maximum: 9 } } } },
      },
    ],
    ['nothing but true', {}],
  ])('fits %s', (_name, schema) => {
    expect(faultsOf(schema)).toBeNull();
  });

  test('reads like an answer to the question', () => {
    const schema = {
      type: 'object',
      properties: { city: { type: 'string' }, days: { type: 'integer' }, summary: { type: 'string' } },
    };
    expect(sampleJson(schema, { question, draft: '' })).toEqual({
      city: 'Paris',
      days: 3,
      summary: 'A simulated answer about raining in Paris.',
    });
  });

  test('ends for a schema that nothing fits', () => {
    const schema = { type: 'object', required: ['a'], properties: { a: { $ref: '#' } } };
    expect(JSON.stringify(sampleJson(schema, { question, draft: '' })).length).toBeLessThan(5_000);
  });
});
