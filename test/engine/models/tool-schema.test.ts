/** Schemas of tools as clients and MCP servers write them, and as a vendor takes them. */
import { describe, expect, test } from '@jest/globals';
import { toAnthropicSchema, toStrictParameters } from '../../../engine/models/rules/anthropic-schema.ts';
import { fitToolParameters, withPlainReferences } from '../../../engine/models/rules/tool-schema.ts';
import { cpuMsOf, growthOf } from '../../harness/growth.ts';

const TEXT = { type: 'string' };
const OPENAI = { takesAnyDraft: false, needsItems: true };

function fitted(parameters: object, rule = OPENAI) {
  const { tools, dropped } = fitToolParameters([{ name: 'find', parameters: { ...parameters } }], rule);
  const [tool] = tools ?? [];
  return { parameters: tool !== undefined && 'parameters' in tool ? tool.parameters : null, dropped };
}

describe('the schema of a tool', () => {
  test.each<[string, object, object]>([
    ['{}', {}, { type: 'object', properties: {} }],
    ['no properties', { type: 'object' }, { type: 'object', properties: {} }],
    ['empty properties of PHP', { type: 'object', properties: [] }, { type: 'object', properties: {} }],
    [
      'an object or null',
      { type: ['object', 'null'], properties: { a: TEXT } },
      { type: 'object', properties: { a: TEXT } },
    ],
    [
      'a reference at the root',
      { $ref: '#/$defs/A', $defs: { A: { type: 'object', properties: { a: TEXT } } } },
      { type: 'object', properties: { a: TEXT }, $defs: { A: { type: 'object', properties: { a: TEXT } } } },
    ],
    [
      'a list without items',
      { type: 'object', properties: { a: { type: 'array' } } },
      { type: 'object', properties: { a: { type: 'array', items: {} } } },
    ],
    [
      'a tuple of an older draft',
      {
        $schema: 'http://json-schema.org/draft-07/schema#',
        type: 'object',
        properties: { a: { type: 'array', items: [TEXT, TEXT], additionalItems: false } },
      },
      { type: 'object', properties: { a: { type: 'array', prefixItems: [TEXT, TEXT], items: false } } },
    ],
    [
      'bounds of draft 4',
      {
        type: 'object',
        properties: { a: { type: 'integer', minimum: 0, exclusiveMinimum: true, required: true } },
      },
      { type: 'object', properties: { a: { type: 'integer', exclusiveMinimum: 0 } } },
    ],
  ])('%s', (_name, before, after) => {
    expect(fitted(before)).toEqual({ parameters: after, dropped: [] });
  });

  test('has one object for alternatives at its root, and says that they are lost', () => {
    const before = {
      type: 'object',
      properties: { at: TEXT },
      required: ['at'],
      additionalProperties: false,
      oneOf: [
        { properties: { kind: { const: 'a' }, a: TEXT }, required: ['kind', 'a'] },
        { properties: { kind: { const: 'b' }, b: TEXT }, required: ['kind', 'b'] },
      ],
    };
    expect(fitted(before)).toEqual({
      parameters: {
        type: 'object',
        properties: { at: TEXT, kind: { anyOf: [{ const: 'a' }, { const: 'b' }] }, a: TEXT, b: TEXT },
        required: ['at', 'kind'],
      },
      dropped: ['tools.parameters.oneOf'],
    });
  });

  test('has all that allOf demands', () => {
    const before = {
      allOf: [{ $ref: '#/definitions/A' }, { properties: { b: TEXT }, required: ['b'] }],
      definitions: { A: { type: 'object', properties: { a: TEXT }, required: ['a'] } },
    };
    expect(fitted(before)).toMatchObject({
      parameters: { type: 'object', properties: { a: TEXT, b: TEXT }, required: ['a', 'b'] },
      dropped: [],
    });
  });

  test('that is a circle ends', () => {
    const circle = { $ref: '#/$defs/A', $defs: { A: { anyOf: [{ $ref: '#/$defs/A' }] } } };
    expect(fitted(circle).parameters).toMatchObject({ type: 'object' });
  });

  test.each(['100%', '50%25', '__proto__'])('may refer to %s', (name) => {
    const parameters = { $ref: `#/$defs/${name}`, $defs: JSON.parse(`{"${name}":{"properties":{"a":{}}}}`) };
    expect(() => fitted(parameters)).not.toThrow();
  });

  test('whose alternatives name each other many times at each step is read to a limit', () => {
    let nested: object = { type: 'object', properties: { a: TEXT } };
    for (let level = 0; level < 8; level += 1) {
      nested = {
        anyOf: Array.from({ length: 7 }, () => ({ $ref: '#/$defs/b' })),
        $defs: { b: nested },
      };
    }
    expect(JSON.stringify(nested).length).toBeLessThan(4_000);
    expect(cpuMsOf(() => fitted(nested))).toBeLessThan(2_000);
  });

  test('with thousands of values of a property costs as much as it is long', () => {
    const alternatives = (count: number) => ({
      anyOf: Array.from({ length: count }, (_, index) => ({
        properties: { a: { const: index } },
        required: ['a', `b${index}`],
      })),
    });
    const { parameters } = fitted(alternatives(3));
    expect(parameters).toEqual({
      type: 'object',
      properties: { a: { anyOf: [{ const: 0 }, { const: 1 }, { const: 2 }] } },
      required: ['a'],
    });
    expect(growthOf((count) => () => fitted(alternatives(count)), 500)).toBeLessThan(3);
  });

  test('that a vendor takes stays as it is, also where a property has the name of a keyword', () => {
    const before = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      properties: { items: { type: 'array', items: TEXT }, required: { type: 'boolean' }, anyOf: TEXT },
      required: ['items'],
    };
    const tools = [{ name: 'find', parameters: before }];
    expect(fitToolParameters(tools, OPENAI)).toEqual({ tools, dropped: [] });
    expect(fitToolParameters(tools, OPENAI).tools).toBe(tools);
  });

  test('has nothing beside its references, and no draft, at Gemini', () => {
    const gemini = { takesAnyDraft: true, needsItems: false, hasBareReferences: true } as const;
    const before = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      properties: { a: { $ref: '#/$defs/A', title: 'A', description: 'An A.' } },
      $defs: { A: TEXT },
    };
    const { $schema: _, ...rest } = before;
    const bare = { ...rest, properties: { a: { $ref: '#/$defs/A', description: 'An A.' } } };
    expect(fitted(before, gemini)).toEqual({ parameters: bare, dropped: [] });
  });

  test('of another server only becomes an object', () => {
    const any = { takesAnyDraft: true, needsItems: false };
    const before = { anyOf: [{ required: ['a'] }], properties: { a: { type: 'array', items: [TEXT] } } };
    expect(fitted(before, any).parameters).toEqual({ ...before, type: 'object' });
    expect(fitted({ type: 'string' }, any).parameters).toEqual({ type: 'string' });
  });
});

// https://github.com/vectorize-io/hindsight/pull/3944, https://github.com/langchain-ai/langchainjs/pull/11384
describe('references of strict mode stand alone', () => {
  const node = (next: object) => ({ type: 'object', properties: { next }, required: ['next'] });

  test('what says more is the schema that it names, also within itself', () => {
    const beside = { $ref: '#/$defs/A', description: 'The next one.' };
    const alone = { $ref: '#/$defs/A' };
    const before = { type: 'object', properties: { a: beside, b: alone }, $defs: { A: node(beside) } };
    expect(withPlainReferences(before)).toEqual({
      type: 'object',
      properties: { a: { ...node(alone), description: 'The next one.' }, b: alone },
      $defs: { A: node({ ...node(alone), description: 'The next one.' }) },
    });
  });

  test('one that names nothing known loses what stands beside it', () => {
    const before = { type: 'object', properties: { a: { $ref: 'https://example.com/a', title: 'A' } } };
    expect(withPlainReferences(before)).toEqual({
      type: 'object',
      properties: { a: { $ref: 'https://example.com/a' } },
    });
  });
});

// https://github.com/docker/docker-agent/pull/2168
describe('what may be missing in a schema at Claude', () => {
  const inner = { properties: { x: { type: 'number', minimum: 0 } }, required: ['x'] };
  const maybe = { type: ['object', 'null'], description: 'Where.', ...inner, additionalProperties: false };
  const schema = {
    type: 'object',
    properties: {
      at: maybe,
      all: { type: ['array', 'null'], items: TEXT },
      by: { type: ['string', 'null'] },
    },
    required: ['at', 'all', 'by'],
    additionalProperties: false,
  };
  const fitted = {
    properties: {
      at: {
        description: 'Where.',
        anyOf: [
          {
            type: 'object',
            properties: { x: { type: 'number', description: '{minimum: 0}' } },
            required: ['x'],
            additionalProperties: false,
          },
          { type: 'null' },
        ],
      },
      all: { anyOf: [{ type: 'array', items: TEXT }, { type: 'null' }] },
      by: { type: ['string', 'null'] },
    },
  };

  test('keeps its properties and items, in an answer and in a strict tool', () => {
    expect(toAnthropicSchema(schema)).toMatchObject(fitted);
    expect(toStrictParameters(schema)).toMatchObject(fitted);
  });
});
