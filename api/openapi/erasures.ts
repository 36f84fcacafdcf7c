/** The routes of erasure in the OpenAPI document. */
import { z } from 'zod';
import { deletedGenerationSchema, erasureViewSchema } from '../../contracts/erasure.ts';
import { principalNameSchema } from '../../contracts/keys.ts';
import { erasuresQuerySchema } from '../routes/erasures.ts';
import { answer, failure, inPath, jsonPage, queryOf } from './parts.ts';

export const erasureSchemas = {
  Erasure: z.toJSONSchema(erasureViewSchema),
  DeletedGeneration: z.toJSONSchema(deletedGenerationSchema),
};

const user = inPath('user', z.toJSONSchema(principalNameSchema));

export const erasurePaths = {
  '/v1/users/{user}/data': {
    delete: {
      summary: 'Erase everything that a user has sent until now; needs a key of the user, or the scope admin',
      parameters: [user],
      responses: { 202: answer('The receipt, while it runs', 'Erasure'), default: failure },
    },
  },
  '/v1/erasures': {
    get: {
      summary: 'List the receipts of erasures, the newest first',
      parameters: queryOf(erasuresQuerySchema),
      responses: { 200: { description: 'A page', content: jsonPage('Erasure') }, default: failure },
    },
  },
  '/v1/erasures/{id}': {
    get: {
      summary: 'Read the receipt of an erasure',
      parameters: [inPath('id')],
      responses: { 200: answer('The receipt', 'Erasure'), default: failure },
    },
  },
};
