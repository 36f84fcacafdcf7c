/** The routes of generations in the OpenAPI document. */
import { z } from 'zod';
import { generationEventSchema } from '../../contracts/events.ts';
import { generationRequestSchema, generationViewSchema } from '../../contracts/generation.ts';
import { generationsQuerySchema } from '../routes/list-generations.ts';
import {
  answer,
  eventStream,
  failure,
  idempotencyKey,
  inHeader,
  inPath,
  inQuery,
  jsonPage,
  nothingMore,
  queryOf,
  requiredBody,
} from './parts.ts';

export const generationSchemas = {
  GenerationRequest: z.toJSONSchema(generationRequestSchema, { io: 'input' }),
  Generation: z.toJSONSchema(generationViewSchema),
  CreatedGeneration: z.toJSONSchema(
    generationViewSchema.extend({ events: z.string().describe('Where its events are.') }),
  ),
  GenerationEvent: z.toJSONSchema(generationEventSchema),
};

const id = inPath('id');
const stream = {
  description: 'Events as SSE: id is the seq, data is a GenerationEvent',
  content: eventStream,
};
const MAX_9_DIGITS = 999_999_999;

export const generationPaths = {
  '/v1/generations': {
    post: {
      summary: 'Submit a generation',
      parameters: [idempotencyKey()],
      requestBody: requiredBody('GenerationRequest'),
      responses: { 200: stream, 201: answer('The generation', 'CreatedGeneration'), default: failure },
    },
    get: {
      summary: 'Search generations: running ones first, then those that ended last',
      parameters: queryOf(generationsQuerySchema),
      responses: {
        200: {
          description: 'A page without text; it may be shorter than the limit and still have a next one',
          content: jsonPage('Generation'),
        },
        default: failure,
      },
    },
  },
  '/v1/generations/{id}': {
    get: {
      summary: 'Read a generation',
      parameters: [id],
      responses: { 200: answer('The generation', 'Generation'), default: failure },
    },
    delete: {
      summary: 'Erase a generation; one that runs is cancelled first',
      parameters: [id],
      responses: { 200: answer('What was removed', 'DeletedGeneration'), default: failure },
    },
  },
  '/v1/generations/{id}/events': {
    get: {
      summary: 'Follow a generation',
      parameters: [
        id,
        inQuery('after', { type: 'integer', minimum: -1 }, 'The last seq that you have; -1 for all'),
        inQuery(
          'at',
          { type: 'integer', minimum: 0 },
          '`at` of that event; log_tail_lost if another event has that seq now',
        ),
        inQuery(
          'until_ms',
          { type: 'integer', minimum: 1, maximum: MAX_9_DIGITS },
          'End cleanly after this many milliseconds',
        ),
        inQuery('ticket', { type: 'string' }),
        inHeader('Last-Event-ID', { type: 'integer' }),
        inQuery(
          'lastEventId',
          { type: 'integer', minimum: -1 },
          'In place of Last-Event-ID, as polyfills send it',
        ),
      ],
      responses: { 200: stream, 204: nothingMore, default: failure },
    },
  },
  '/v1/generations/{id}/standing': {
    get: {
      summary: 'Its tenant, status and number of events; for relays',
      parameters: [id],
      responses: { 200: { description: 'The standing' }, default: failure },
    },
  },
  '/v1/generations/{id}/pages/{page}': {
    get: {
      summary: '256 events, unmerged; a page that is whole never changes; for relays',
      parameters: [id, inPath('page', { type: 'integer', minimum: 0, maximum: MAX_9_DIGITS })],
      responses: { 200: { description: 'A page of the log' }, default: failure },
    },
  },
  '/v1/generations/{id}/cancel': {
    post: {
      summary: 'Cancel a generation',
      parameters: [id],
      responses: { 202: answer('The generation', 'Generation'), default: failure },
    },
  },
};
