/** The routes of the answer cache in the OpenAPI document. */
const deleted = {
  description: 'How many stored answers were deleted',
  content: {
    'application/json': {
      schema: { type: 'object', required: ['deleted'], properties: { deleted: { type: 'integer' } } },
    },
  },
};
const failure = {
  description: 'An error of the table in docs/errors',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
};
const inPath = (name: string) => ({ name, in: 'path', required: true, schema: { type: 'string' } });
const remove = (summary: string, ...names: readonly string[]) => ({
  delete: { summary, parameters: names.map(inPath), responses: { 200: deleted, default: failure } },
});

export const cachePaths = {
  '/v1/cache': remove('Delete every stored answer of the tenant'),
  '/v1/cache/users/{user}': remove('Delete the stored answers of one user', 'user'),
  '/v1/cache/entries/{id}': remove('Delete one stored answer', 'id'),
};
