/** The routes of the answer cache in the OpenAPI document. */
import { failure, inPath, jsonContent } from './parts.ts';

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
  '/v1/cache/entries/{id}': deletion('Delete one stored answer', 'id'),
};
