import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { parseOutsideJson } from '../../../api/http/parse-json.ts';
import { parseWith } from '../../../api/http/read-request.ts';
import { embeddingsSchema } from '../../../api/wires/openai-embeddings/request.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { jsonFault } from '../../../contracts/json-limits.ts';
import { limitedRecord } from '../../../contracts/limited-record.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { requestSchemas, unlimitedIn } from './request-schemas.ts';

const schemas = await requestSchemas();

describe('the schemas of requests', () => {
  test('limit every list and every record', () => {
    expect(schemas.length).toBeGreaterThan(20);
    expect(schemas.flatMap(({ name, schema }) => unlimitedIn(schema, name))).toEqual([]);
  });

  test.each([
    ['a list', z.object({ a: z.array(z.string()).optional() }), ['x.a']],
    ['a record', z.object({ a: z.union([z.string(), z.record(z.string(), z.string())]) }), ['x.a|1']],
    ['a list in a list', z.array(z.array(z.string())).max(5), ['x[]']],
    ['a list in a limited record', limitedRecord(z.string(), z.array(z.int()), 5).default({}), ['x{}']],
    ['limited ones', z.strictObject({ a: z.array(limitedRecord(z.string(), z.unknown(), 5)).max(2) }), []],
  ])('are found when they have none: %s', (_what, schema, found) => {
    expect(unlimitedIn(schema, 'x')).toEqual(found);
  });
});

/** How many elements the schema checks before it refuses the whole. */
function elementsChecked(make: (element: z.ZodType) => z.ZodType, value: unknown): number {
  let checks = 0;
  const element = z.custom(() => {
    checks += 1;
    return false;
  });
  expect(() => parseWith(make(element), value)).toThrow(UnbrokenError);
  return checks;
}

describe('a value of a hundred thousand faults', () => {
  const many = new Array(100_000).fill({});

  test('is refused at the first of them', () => {
    expect(elementsChecked((element) => z.array(element), many)).toBe(1);
    expect(
      elementsChecked((element) => z.object({ a: z.union([z.string(), z.array(element)]) }), { a: many }),
    ).toBe(1);
    const record = Object.fromEntries(many.map((value, index) => [`key ${index}`, value]));
    expect(elementsChecked((element) => limitedRecord(z.string(), element, 10), record)).toBe(0);
  });

  test('in a list of tokens is refused at the first of them', () => {
    const body = { model: 'openai/text-embedding-3-small', input: new Array(300_000).fill('') };
    const parsed = embeddingsSchema.safeParse(body);
    expect(JSON.stringify(parsed.error?.issues).length).toBeLessThan(5_000);
  });
});

describe('eight megabytes of empty objects', () => {
  test.each<[string, (list: string) => string]>([
    ['responses: input', (list) => `{"input":${list}}`],
    ['responses: content', (list) => `{"input":[{"role":"user","content":${list}}]}`],
    [
      'responses: output',
      (list) => `{"input":[{"type":"function_call_output","call_id":"a","output":${list}}]}`,
    ],
    ['chat: messages', (list) => `{"model":"a/b","messages":${list}}`],
    ['chat: content', (list) => `{"model":"a/b","messages":[{"role":"user","content":${list}}]}`],
    [
      'messages: content',
      (list) => `{"model":"a/b","max_tokens":1,"messages":[{"role":"user","content":${list}}]}`,
    ],
    ['useChat: parts', (list) => `{"id":"a","messages":[{"id":"b","role":"user","parts":${list}}]}`],
    ['embeddings: input', (list) => `{"model":"a/b","input":${list}}`],
    ['a schema that nobody checks', (list) => `{"tools":[{"parameters":{"enum":${list}}}]}`],
  ])('are refused before they are parsed: %s', (_where, around) => {
    const body = Buffer.from(around(`[${'{},'.repeat(2_700_000)}{}]`));
    expect(body.length).toBeGreaterThan(8_000_000);
    expect(() => parseOutsideJson(body, 'body')).toThrow(`more than ${LIMITS.jsonValues} values`);
    expect(jsonFault(body, { depth: LIMITS.jsonDepth, values: LIMITS.embeddingsJsonValues })).toBe('values');
  });

  test.each([
    'responseCreateSchema',
    'chatCompletionSchema',
    'messagesSchema',
    'uiChatSchema',
    'generationRequestSchema',
  ])('as many as may be parsed make one fault: %s', (name) => {
    const schema = schemas.find((candidate) => candidate.name === name)?.schema ?? z.never();
    const content = new Array(LIMITS.partsPerMessage).fill({});
    const messages = new Array(Math.floor(LIMITS.jsonValues / 2 / content.length)).fill({
      id: 'a',
      role: 'user',
      content,
      parts: content,
    });
    const body = { model: 'a/b', max_tokens: 1, id: 'a', messages, input: messages };
    const error = messageOf(schema, body);
    expect(error.message.split('; ').length).toBeLessThanOrEqual(2);
  });
});

function messageOf(schema: z.ZodType, value: unknown): UnbrokenError {
  try {
    parseWith(schema, value);
  } catch (error) {
    if (error instanceof UnbrokenError) return error;
  }
  throw new Error('nothing was refused');
}

describe('the message of an error', () => {
  test.each(['k', '€', '😀'])('is short, whatever the caller wrote: a megabyte of %s', (character) => {
    const key = character.repeat(1_000_000);
    const error = messageOf(limitedRecord(z.string().max(64), z.string(), 10), { [key]: 1 });
    const { message, details } = error.toBody();
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(LIMITS.errorMessageBytes);
    expect(Buffer.byteLength(String(details?.['param']))).toBeLessThanOrEqual(LIMITS.errorMessageBytes);
    expect(message.isWellFormed()).toBe(true);
  });

  test.each([
    [
      { input: [{ type: 'function_call_output', call_id: 'a', output: [{ type: 'input_text', text: 1 }] }] },
      'input.0.output.0.text',
    ],
    [
      {
        input: [
          { role: 'user', content: 'a' },
          { role: 'user', content: [{ type: 'refusal' }] },
        ],
      },
      'input.1.content.0.refusal',
    ],
    [{ input: [{ type: 5 }] }, 'input.0.type'],
    [{ input: 5 }, 'input'],
    [{ input: 'a', tool_choice: { type: 'function' } }, 'tool_choice.name'],
  ])('names the field within a union: %j', (body, param) => {
    const schema = schemas.find(({ name }) => name === 'responseCreateSchema')?.schema ?? z.never();
    const error = messageOf(schema, body);
    expect(error.details?.['param']).toBe(param);
    expect(error.message.startsWith(`${param}: `)).toBe(true);
  });
});
