/** The routes of other vendors' formats in the OpenAPI document. Their bodies are described by their vendors. */
const formats = {
  responses: 'https://platform.openai.com/docs/api-reference/responses',
  chat: 'https://platform.openai.com/docs/api-reference/chat',
  embeddings: 'https://platform.openai.com/docs/api-reference/embeddings',
  messages: 'https://docs.anthropic.com/en/api/messages',
  countTokens: 'https://docs.anthropic.com/en/api/messages-count-tokens',
  ui: 'https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol#data-stream-protocol',
} as const;

const object = { schema: { type: 'object' } };
const inPath = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };
const header = (name: string, description: string) => ({
  ...{ name, in: 'header', required: false, description },
  schema: { type: 'string' },
});
const queryOf = (name: string, type: string) => ({ name, in: 'query', required: false, schema: { type } });
const joining = [
  header('Idempotency-Key', 'The same request joins the same generation'),
  header('x-unbroken-generation-id', 'Takes this generation up; the body is not looked at'),
];

interface Operation {
  readonly takesBody?: boolean;
  readonly parameters?: readonly object[];
  /** `nothing` is a 204. */
  readonly answers: readonly ('object' | 'stream' | 'nothing')[];
}

function operation(
  summary: string,
  format: keyof typeof formats,
  { answers, parameters = [], takesBody = false }: Operation,
): object {
  const json = { 'application/json': object };
  const content = {
    ...(answers.includes('object') ? json : {}),
    ...(answers.includes('stream') ? { 'text/event-stream': { schema: { type: 'string' } } } : {}),
  };
  const hasBody = Object.keys(content).length > 0;
  return {
    summary,
    externalDocs: { url: formats[format], description: "The vendor's format" },
    parameters,
    ...(takesBody ? { requestBody: { required: true, content: json } } : {}),
    responses: {
      ...(hasBody ? { 200: { description: 'As the vendor has it', content } } : {}),
      ...(answers.includes('nothing') ? { 204: { description: 'No content' } } : {}),
      default: {
        description: 'An error as the vendor has it; its code is one of docs/errors',
        content: json,
      },
    },
  };
}

const generate = { takesBody: true, parameters: joining, answers: ['object', 'stream'] } as const;
const compute = { takesBody: true, answers: ['object'] } as const;

export const wirePaths = {
  '/v1/responses': { post: operation('OpenAI: create a response', 'responses', generate) },
  '/v1/responses/{id}': {
    get: operation('OpenAI: read or follow a response', 'responses', {
      parameters: [inPath, queryOf('stream', 'boolean'), queryOf('starting_after', 'integer')],
      answers: ['object', 'stream'],
    }),
    delete: operation('OpenAI: delete a response', 'responses', {
      parameters: [inPath],
      answers: ['object'],
    }),
  },
  '/v1/responses/{id}/cancel': {
    post: operation('OpenAI: cancel a response', 'responses', { parameters: [inPath], answers: ['object'] }),
  },
  '/v1/responses/{id}/input_items': {
    get: operation('OpenAI: what a response was asked', 'responses', {
      parameters: [
        inPath,
        queryOf('limit', 'integer'),
        queryOf('order', 'string'),
        queryOf('after', 'string'),
      ],
      answers: ['object'],
    }),
  },
  '/v1/chat/completions': { post: operation('OpenAI: create a chat completion', 'chat', generate) },
  '/v1/embeddings': { post: operation('OpenAI: create embeddings', 'embeddings', compute) },
  '/v1/messages': { post: operation('Anthropic: create a message', 'messages', generate) },
  '/v1/messages/count_tokens': {
    post: operation('Anthropic: count the tokens of a message', 'countTokens', compute),
  },
  '/v1/ui/chat': {
    post: operation('AI SDK: what useChat sends', 'ui', {
      ...{ takesBody: true, parameters: joining, answers: ['stream'] },
    }),
  },
  '/v1/ui/chat/{id}/stream': {
    get: operation('AI SDK: come back to a message', 'ui', {
      ...{ parameters: [inPath], answers: ['stream', 'nothing'] },
    }),
    delete: operation('AI SDK: stop a message', 'ui', { parameters: [inPath], answers: ['nothing'] }),
  },
};
