/** The routes of the answer cache in the OpenAPI document. */
import { z } from 'zod';
import {
  cachedEntrySchema,
  complaintSchema,
  wholeCachedEntrySchema,
} from '../../contracts/cached-entries.ts';
import { offsetPageQuerySchema } from '../http/read-request.ts';
import { cachedEntriesQuerySchema } from '../routes/cached-entries.ts';
import { answer, failure, inPath, jsonContent, jsonPage, queryOf } from './parts.ts';

export const cacheSchemas = {
  CachedEntry: z.toJSONSchema(cachedEntrySchema),
  CacheComplaint: z.toJSONSchema(complaintSchema),
  WholeCachedEntry: z.toJSONSchema(wholeCachedEntrySchema),
};

const deleted = {
  description: 'How many stored answers were deleted',
  content: jsonContent({
    type: 'object',
    required: ['deleted'],
    properties: { deleted: { type: 'integer' } },
  }),
};

function deletion(summary: string, ...names: readonly string[]) {
  const parameters = names.map((name) => inPath(name));
  return { delete: { summary, parameters, responses: { 200: deleted, default: failure } } };
}

export const cachePaths = {
  '/v1/cache': deletion('Delete every stored answer of the tenant'),
  '/v1/cache/users/{user}': deletion('Delete the stored answers of one user', 'user'),
  '/v1/cache/entries': {
    get: {
      summary: 'Find stored answers: the newest first, or the most similar to a text or an entry',
      parameters: queryOf(cachedEntriesQuerySchema),
      responses: {
        200: { description: 'A page of entries', content: jsonPage('CachedEntry') },
        default: failure,
      },
    },
  },
  '/v1/cache/entries/{id}': {
    get: {
      summary: 'Read one stored answer',
      parameters: [inPath('id')],
      responses: { 200: answer('The entry', 'WholeCachedEntry'), default: failure },
    },
    ...deletion('Delete one stored answer', 'id'),
  },
  '/v1/cache/complaints': {
    get: {
      summary: 'Questions that never get a stored answer again, after negative feedback; the newest first',
      parameters: queryOf(offsetPageQuerySchema),
      responses: {
        200: { description: 'A page of complaints', content: jsonPage('CacheComplaint') },
        default: failure,
      },
    },
  },
  '/v1/cache/entries/{id}/complaints/{generation}': deletion(
    'Lift one complaint: the question may get this stored answer again',
    'id',
    'generation',
  ),
};
