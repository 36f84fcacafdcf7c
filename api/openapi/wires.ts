/** The routes of other vendors' formats in the OpenAPI document. What their fields mean is said by their vendors. */
import { z } from 'zod';
import { uiChatSchema } from '../wires/ai-sdk-ui/request.ts';
import { countTokensSchema, messagesSchema } from '../wires/anthropic-messages/request.ts';
import { chatCompletionSchema } from '../wires/openai-chat/request.ts';
import { embeddingsSchema } from '../wires/openai-embeddings/request.ts';
import { responseCreateSchema } from '../wires/openai-responses/request.ts';

const formats = {
  responses: 'https://platform.openai.com/docs/api-reference/responses',
  chat: 'https://platform.openai.com/docs/api-reference/chat',
  embeddings: 'https://platform.openai.com/docs/api-reference/embeddings',
  messages: 'https://docs.anthropic.com/en/api/messages',
  countTokens: 'https://docs.anthropic.com/en/api/messages-count-tokens',
  ui: 'https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol#data-stream-protocol',
} as const;

const object = { schema: { type: 'object' } };
/** What is checked of a body; fields that a vendor adds are let be. */
const bodies = {
  responses: responseCreateSchema,
  chat: chatCompletionSchema,
  embeddings: embeddingsSchema,
  messages: messagesSchema,
  countTokens: countTokensSchema,
  ui: uiChatSchema,
} as const;
const bodyOf = (format: keyof typeof formats) => {
  const { $schema: _, ...schema } = z.toJSONSchema(bodies[format], { io: 'input', unrepresentable: 'any' });
  return { 'application/json': { schema } };
};
const inPath = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };
const header = (name: string, description: string) => ({
  name,
  in: 'header',
  required: false,
  description,
  schema: { type: 'string' },
});
const queryOf = (name: string, schema: object) => ({ name, in: 'query', required: false, schema });
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
    ...(takesBody ? { requestBody: { required: true, content: bodyOf(format) } } : {}),
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
      parameters: [
        inPath,
        queryOf('stream', { type: 'boolean' }),
        queryOf('starting_after', { type: 'integer', minimum: 0 }),
      ],
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
        queryOf('limit', { type: 'integer', minimum: 1, maximum: 100 }),
        queryOf('order', { type: 'string', enum: ['asc', 'desc'] }),
        queryOf('after', { type: 'string' }),
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
      takesBody: true,
      parameters: joining,
      answers: ['stream'],
    }),
  },
  '/v1/ui/chat/{id}/stream': {
    get: operation('AI SDK: come back to a message', 'ui', {
      parameters: [inPath],
      answers: ['stream', 'nothing'],
    }),
    delete: operation('AI SDK: stop a message', 'ui', { parameters: [inPath], answers: ['nothing'] }),
  },
};
