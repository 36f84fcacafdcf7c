/** The OpenAPI 3.1 document, made from the zod schemas that also check the requests. */
import { z } from 'zod';
import { generationEventSchema } from '../../contracts/events.ts';
import { generationRequestSchema, generationViewSchema } from '../../contracts/generation.ts';
import { modelViewSchema } from '../../contracts/model.ts';
import { explanationSchema, providersSchema } from '../../contracts/routing.ts';
import { budgetPaths, budgetSchemas } from './budgets.ts';
import { cachePaths } from './cache.ts';
import { keyPaths, keySchemas } from './keys.ts';
import { promptPaths, promptSchemas } from './prompts.ts';
import { wirePaths } from './wires.ts';

const details = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional();
const errorSchema = z.object({
  error: z.object({ code: z.string(), message: z.string(), doc: z.string(), details }),
});
/** Where the path is one of OpenAI's, so is the shape of its errors. */
const openAiFailure = {
  description: 'An error as OpenAI has it; its code is one of docs/errors',
  content: { 'application/json': { schema: { type: 'object', required: ['error'] } } },
};
const json = (schema: string) => ({
  'application/json': { schema: { $ref: `#/components/schemas/${schema}` } },
});
const failure = { description: 'An error of the table in docs/errors', content: json('Error') };
const inPath = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };
const inQuery = (name: string, description: string, range: Range) => ({
  name,
  in: 'query',
  required: false,
  description,
  schema: { type: 'integer', ...range },
});

interface Range {
  readonly minimum: number;
  readonly maximum?: number;
}

export function createOpenApiDocument() {
  const schemas = {
    GenerationRequest: z.toJSONSchema(generationRequestSchema, { io: 'input' }),
    Generation: z.toJSONSchema(generationViewSchema),
    CreatedGeneration: z.toJSONSchema(
      generationViewSchema.extend({ events: z.string().describe('Where its events are.') }),
    ),
    GenerationEvent: z.toJSONSchema(generationEventSchema),
    Model: z.toJSONSchema(modelViewSchema),
    RouteExplanation: z.toJSONSchema(explanationSchema),
    Providers: z.toJSONSchema(providersSchema),
    Error: z.toJSONSchema(errorSchema),
    ...promptSchemas,
    ...budgetSchemas,
    ...keySchemas,
  };
  const one = { description: 'The generation', content: json('Generation') };
  const created = { description: 'The generation', content: json('CreatedGeneration') };
  const stream = {
    description: 'Events as SSE: id is the seq, data is a GenerationEvent',
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Unbroken',
      version: '1',
      description: 'Durable LLM generation. PROTOCOL.md has the prose.',
    },
    security: [{ key: [] }],
    paths: {
      ...budgetPaths,
      ...cachePaths,
      ...keyPaths,
      '/v1/generations': {
        post: {
          summary: 'Submit a generation',
          parameters: [
            {
              name: 'Idempotency-Key',
              in: 'header',
              required: false,
              schema: { type: 'string', maxLength: 255 },
            },
          ],
          requestBody: { required: true, content: json('GenerationRequest') },
          responses: { 200: stream, 201: created, default: failure },
        },
        get: {
          summary: 'List the newest generations',
          parameters: [inQuery('limit', '20 if absent', { minimum: 1, maximum: 100 })],
          responses: { 200: { description: 'Generations without text' }, default: failure },
        },
      },
      '/v1/generations/{id}': {
        get: {
          summary: 'Read a generation',
          parameters: [inPath],
          responses: { 200: one, default: failure },
        },
      },
      '/v1/generations/{id}/events': {
        get: {
          summary: 'Follow a generation',
          parameters: [
            inPath,
            inQuery('after', 'The last seq that you have; -1 for all', { minimum: -1 }),
            inQuery(
              'at',
              '`at` of that event: refused with log_tail_lost where the number no longer means it',
              { minimum: 0 },
            ),
            inQuery('until_ms', 'End cleanly after this many milliseconds', {
              minimum: 1,
              maximum: 999_999_999,
            }),
            { name: 'ticket', in: 'query', required: false, schema: { type: 'string' } },
            { name: 'Last-Event-ID', in: 'header', required: false, schema: { type: 'integer' } },
          ],
          responses: { 200: stream, default: failure },
        },
      },
      '/v1/routes/explain': {
        post: {
          summary: 'Which models would be asked, in which order, why, and at what cost; nothing is generated',
          requestBody: { required: true, content: json('GenerationRequest') },
          responses: {
            200: { description: 'The decision', content: json('RouteExplanation') },
            default: failure,
          },
        },
      },
      '/v1/providers': {
        get: {
          summary: 'Circuits, speed and keys of the providers, as all workers saw them',
          responses: { 200: { description: 'The providers', content: json('Providers') }, default: failure },
        },
      },
      '/v1/models': {
        get: {
          summary: 'What is known of the models: window, price, abilities',
          parameters: [
            ...[
              'provider',
              'q',
              'available',
              'tools',
              'vision',
              'jsonSchema',
              'reasoning',
              'prefill',
              'reattach',
            ].map((name) => ({ name, in: 'query', required: false, schema: { type: 'string' } })),
          ],
          responses: {
            200: { description: 'A list in the sense of OpenAI, of Model' },
            default: openAiFailure,
          },
        },
      },
      '/v1/models/{provider}/{model}': {
        get: {
          summary: 'What is known of one model',
          parameters: [
            { ...inPath, name: 'provider' },
            { ...inPath, name: 'model' },
          ],
          responses: { 200: { description: 'The model', content: json('Model') }, default: openAiFailure },
        },
      },
      '/v1/session': {
        get: {
          summary: 'Who the caller is, and which routes it may name',
          responses: { 200: { description: 'The session' }, default: failure },
        },
      },
      '/v1/generations/{id}/standing': {
        get: {
          summary: 'Whose it is, how it stands and how many events it has; for relays',
          parameters: [inPath],
          responses: { 200: { description: 'The standing' }, default: failure },
        },
      },
      '/v1/generations/{id}/pages/{page}': {
        get: {
          summary: '256 events, unmerged; a page that is whole never changes; for relays',
          parameters: [
            inPath,
            { ...inPath, name: 'page', schema: { type: 'integer', minimum: 0, maximum: 999_999_999 } },
          ],
          responses: { 200: { description: 'A page of the log' }, default: failure },
        },
      },
      '/v1/generations/{id}/cancel': {
        post: {
          summary: 'Cancel a generation',
          parameters: [inPath],
          responses: { 202: one, default: failure },
        },
      },
      ...promptPaths,
      ...wirePaths,
    },
    components: { schemas, securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
  };
}
