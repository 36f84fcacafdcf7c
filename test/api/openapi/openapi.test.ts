import { describe, expect, test } from '@jest/globals';
import Ajv from 'ajv/dist/2020.js';
import { z } from 'zod';
import { parseWith } from '../../../api/http/read-request.ts';
import { createOpenApiDocument } from '../../../api/openapi/create-document.ts';
import { itemsQuerySchema } from '../../../api/wires/openai-responses/item-page.ts';
import { responseQuerySchema } from '../../../api/wires/openai-responses/routes.ts';

const document = z.record(z.string(), z.unknown()).parse(JSON.parse(JSON.stringify(createOpenApiDocument())));

function* objectsIn(value: unknown, at = ''): Generator<readonly [string, Record<string, unknown>]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [at, value as Record<string, unknown>];
  for (const [key, child] of Object.entries(value)) yield* objectsIn(child, `${at}/${key}`);
}
const all = [...objectsIn(document)];
const at = (path: string): unknown =>
  path
    .split('/')
    .reduce<unknown>((value, key) => (value as Record<string, unknown>)[key.replaceAll('~', '/')], document);

describe('/openapi.json', () => {
  test('has only valid schemas of JSON Schema 2020-12', () => {
    const ajv = new Ajv.default({ strict: false, formats: { uri: true, date: true } });
    ajv.addSchema({ $id: 'all', ...document });
    const schemas = all
      .filter(([, value]) => 'schema' in value)
      .map(([path, { schema }]) => ({ path, schema }));
    expect(schemas.length).toBeGreaterThan(100);
    for (const { schema } of schemas) {
      expect(ajv.validateSchema(schema as object)).toBe(true);
    }
    expect(all.filter(([, { items }]) => Array.isArray(items)).map(([path]) => path)).toEqual([]);
  });

  test('describes the answers: the URL of the events, and the details of an error', () => {
    expect(at('paths/~v1~generations/post/responses/201/content/application~json/schema')).toEqual({
      $ref: '#/components/schemas/CreatedGeneration',
    });
    expect(at('components/schemas/CreatedGeneration/properties')).toHaveProperty('events');
    expect(at('components/schemas/Error/properties/error/properties')).toHaveProperty('details');
    for (const path of ['~v1~models', '~v1~models~{id}']) {
      const failure = at(`paths/${path}/get/responses/default/content/application~json/schema`);
      expect(failure).not.toHaveProperty('$ref');
    }
  });

  test('gives the bounds of every number and the pattern of every name', () => {
    const parameters = all
      .map(([, value]) => value)
      .filter((object) => object['in'] === 'query' || object['in'] === 'path');
    expect(parameters.length).toBeGreaterThan(50);
    const schemaOf = (parameter: Record<string, unknown>) => parameter['schema'] as Record<string, unknown>;
    const open = parameters.filter(
      (parameter) =>
        schemaOf(parameter)['type'] === 'integer' && schemaOf(parameter)['minimum'] === undefined,
    );
    expect(open.map(({ name }) => name)).toEqual([]);
    const names = parameters.filter(
      (parameter) => parameter['in'] === 'path' && ['name', 'label'].includes(String(parameter['name'])),
    );
    expect(names.length).toBeGreaterThan(5);
    expect(names.every((parameter) => schemaOf(parameter)['pattern'] !== undefined)).toBe(true);
    expect(at('components/schemas/BudgetLimit/properties/window')).toHaveProperty('pattern');
  });

  test.each([
    ['~v1~chat~completions', ['model', 'messages']],
    ['~v1~messages', ['model', 'messages', 'max_tokens']],
    ['~v1~embeddings', ['model', 'input']],
    ['~v1~ui~chat', ['id', 'messages']],
  ])('lists the required fields of a body in another format: %s', (path, required) => {
    const body = at(`paths/${path}/post/requestBody/content/application~json/schema`);
    expect(body).toMatchObject({ required: expect.arrayContaining(required) });
  });
});

describe('the query of a response', () => {
  test.each(['__proto__', 'yes', '1'])('takes no stream=%s', (stream) => {
    expect(() => parseWith(responseQuerySchema, { stream })).toThrow('stream');
  });
  test.each(['3.9e-23', '0', '101', '-1', '', 'ten'])('takes no limit=%s', (limit) => {
    expect(() => parseWith(itemsQuerySchema, { limit })).toThrow('limit');
  });
  test('takes what clients send', () => {
    expect(parseWith(responseQuerySchema, { stream: 'true', include: ['a'] })).toEqual({ stream: 'true' });
    expect(parseWith(itemsQuerySchema, {})).toEqual({ limit: 20, order: 'desc' });
    expect(parseWith(itemsQuerySchema, { limit: '100', order: 'asc', after: 'msg_1' }).limit).toBe(100);
  });
});
