/** Building blocks that the parts of the OpenAPI document share. */
import { z } from 'zod';

function schemaRef(name: string) {
  return { $ref: `#/components/schemas/${name}` };
}

export function jsonContent(schema: object) {
  return { 'application/json': { schema } };
}

/** @param name of a schema under `components`. */
function json(name: string) {
  return jsonContent(schemaRef(name));
}

/** A list in our envelope, `{data: [...]}`. @param name of the schema of its elements. */
export function jsonList(name: string) {
  return jsonContent({
    type: 'object',
    required: ['data'],
    properties: { data: { type: 'array', items: schemaRef(name) } },
  });
}

/** A page of a list, `{data: [...], next}`. @param name of the schema of its elements. */
export function jsonPage(name: string) {
  const next = { type: ['string', 'null'], description: 'Pass it as `after` for the next page' };
  return jsonContent({
    type: 'object',
    required: ['data', 'next'],
    properties: { data: { type: 'array', items: schemaRef(name) }, next },
  });
}

/** @param name of the schema of the answer. */
export function answer(description: string, name: string) {
  return { description, content: json(name) };
}

/** To an `EventSource`, which then stops. */
export const nothingMore = { description: 'Last-Event-ID is that of the last event: there will be no more' };

export const failure = answer('An error of the table in docs/errors', 'Error');

export const eventStream = { 'text/event-stream': { schema: { type: 'string' } } };

export function inPath(name: string, schema: object = { type: 'string' }) {
  return { name, in: 'path', required: true, schema };
}

export function inQuery(name: string, schema: object, description?: string) {
  return {
    name,
    in: 'query',
    required: false,
    ...(description === undefined ? {} : { description }),
    schema,
  };
}

export function inHeader(name: string, schema: object, description?: string) {
  return {
    name,
    in: 'header',
    required: false,
    ...(description === undefined ? {} : { description }),
    schema,
  };
}

export function idempotencyKey(description?: string) {
  return inHeader('Idempotency-Key', { type: 'string', maxLength: 255 }, description);
}

/** The parameters of a query, from the schema that checks it. */
export function queryOf(schema: z.ZodType) {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input' });
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema: property,
  }));
}

export function requiredBody(name: string) {
  return { required: true, content: json(name) };
}

export function optionalBody(name: string) {
  return { required: false, content: json(name) };
}
