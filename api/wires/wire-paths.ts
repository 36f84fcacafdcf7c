/** The routes of other vendors' formats in the OpenAPI document. The vendors' own pages explain the fields. */
import { z } from 'zod';
import { batchCreateSchema } from '../../contracts/batch-request.ts';
import { eventStream, inHeader, inPath, inQuery, jsonContent } from '../openapi/parts.ts';
import { uiChatSchema } from './ai-sdk-ui/request.ts';
import { countTokensSchema, messagesSchema } from './anthropic-messages/request.ts';
import { chatCompletionSchema } from './openai-chat/request.ts';
import {
  conversationUpdateSchema,
  newConversationSchema,
  newItemsSchema,
} from './openai-conversations/routes.ts';
import { embeddingsSchema } from './openai-embeddings/request.ts';
import { responseCompactSchema } from './openai-responses/compact.ts';
import { responseCreateSchema } from './openai-responses/request.ts';

const formats = {
  responses: 'https://platform.openai.com/docs/api-reference/responses',
  compact: 'https://platform.openai.com/docs/api-reference/responses/compact',
  inputTokens: 'https://platform.openai.com/docs/api-reference/responses/input-tokens',
  conversations: 'https://platform.openai.com/docs/api-reference/conversations',
  conversationUpdate: 'https://platform.openai.com/docs/api-reference/conversations/update',
  conversationItems: 'https://platform.openai.com/docs/api-reference/conversations/create-items',
  chat: 'https://platform.openai.com/docs/api-reference/chat',
  embeddings: 'https://platform.openai.com/docs/api-reference/embeddings',
  files: 'https://platform.openai.com/docs/api-reference/files',
  batches: 'https://platform.openai.com/docs/api-reference/batch',
  messages: 'https://docs.anthropic.com/en/api/messages',
  messageBatches: 'https://docs.anthropic.com/en/api/creating-message-batches',
  countTokens: 'https://docs.anthropic.com/en/api/messages-count-tokens',
  ui: 'https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol#data-stream-protocol',
} as const;

const json = jsonContent({ type: 'object' });
/** Read as they arrive: these schemas describe them, and check nothing. */
const uploadSchema = z.object({ file: z.string().describe('The bytes'), purpose: z.literal('batch') });
const newMessageBatchSchema = z.object({
  requests: z.array(z.object({ custom_id: z.string(), params: z.looseObject({ model: z.string() }) })),
});

/** The fields of a body that are checked; a body may have others. */
const bodies = {
  responses: responseCreateSchema,
  compact: responseCompactSchema,
  inputTokens: responseCompactSchema,
  conversations: newConversationSchema,
  conversationUpdate: conversationUpdateSchema,
  conversationItems: newItemsSchema,
  chat: chatCompletionSchema,
  embeddings: embeddingsSchema,
  files: uploadSchema,
  batches: batchCreateSchema,
  messages: messagesSchema,
  messageBatches: newMessageBatchSchema,
  countTokens: countTokensSchema,
  ui: uiChatSchema,
} as const;
const bodyOf = (format: keyof typeof formats) => {
  const { $schema: _, ...schema } = z.toJSONSchema(bodies[format], { io: 'input', unrepresentable: 'any' });
  return jsonContent(schema);
};
const id = inPath('id');
const text = { type: 'string' };
const joining = [
  inHeader('Idempotency-Key', text, 'The same request joins the same generation'),
  inHeader('x-unbroken-generation-id', text, 'Resumes this generation; the body is ignored'),
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
  const content = {
    ...(answers.includes('object') ? json : {}),
    ...(answers.includes('stream') ? eventStream : {}),
  };
  const hasBody = Object.keys(content).length > 0;
  return {
    summary,
    externalDocs: { url: formats[format], description: "The vendor's format" },
    parameters,
    ...(takesBody ? { requestBody: { required: true, content: bodyOf(format) } } : {}),
    responses: {
      ...(hasBody ? { 200: { description: "In the vendor's format", content } } : {}),
      ...(answers.includes('nothing') ? { 204: { description: 'No content' } } : {}),
      default: {
        description: "An error in the vendor's format; its code is one of docs/errors",
        content: json,
      },
    },
  };
}

const generate = { takesBody: true, parameters: joining, answers: ['object', 'stream'] } as const;
const compute = { takesBody: true, answers: ['object'] } as const;

const page = [
  inQuery('limit', { type: 'integer', minimum: 1, maximum: 100 }),
  inQuery('order', { type: 'string', enum: ['asc', 'desc'] }),
  inQuery('after', { type: 'string' }),
];
const item = inPath('item');
const ofConversation = (summary: string, more: Partial<Operation> = {}) =>
  operation(`OpenAI: ${summary}`, 'conversations', { parameters: [id], answers: ['object'], ...more });

const conversationPaths = {
  '/v1/conversations': {
    post: ofConversation('create a conversation', { takesBody: true, parameters: [] }),
  },
  '/v1/conversations/{id}': {
    get: ofConversation('read a conversation'),
    post: operation('OpenAI: change the metadata of a conversation', 'conversationUpdate', {
      takesBody: true,
      parameters: [id],
      answers: ['object'],
    }),
    delete: ofConversation('delete a conversation and its items'),
  },
  '/v1/conversations/{id}/items': {
    get: ofConversation('the items of a conversation', { parameters: [id, ...page] }),
    post: operation('OpenAI: add items to a conversation', 'conversationItems', {
      takesBody: true,
      parameters: [id],
      answers: ['object'],
    }),
  },
  '/v1/conversations/{id}/items/{item}': {
    get: ofConversation('read an item', { parameters: [id, item] }),
    delete: ofConversation('delete an item', { parameters: [id, item] }),
  },
};

const pageOf = (summary: string, format: keyof typeof formats, cursors: readonly string[]) =>
  operation(summary, format, {
    parameters: [
      inQuery('limit', { type: 'integer', minimum: 1 }),
      ...cursors.map((name) => inQuery(name, text)),
    ],
    answers: ['object'],
  });
const ofId = (summary: string, format: keyof typeof formats) =>
  operation(summary, format, { parameters: [id], answers: ['object'] });

const batchPaths = {
  '/v1/files': {
    get: pageOf('OpenAI: list the files', 'files', ['after', 'order', 'purpose']),
    post: operation('OpenAI: upload a file of a batch, as multipart/form-data', 'files', {
      takesBody: true,
      answers: ['object'],
    }),
  },
  '/v1/files/{id}': {
    get: ofId('OpenAI: read about a file', 'files'),
    delete: ofId('OpenAI: delete a file', 'files'),
  },
  '/v1/files/{id}/content': { get: ofId('OpenAI: read a file', 'files') },
  '/v1/batches': {
    get: pageOf('OpenAI: list the batches', 'batches', ['after', 'format']),
    post: operation('OpenAI: create a batch', 'batches', { takesBody: true, answers: ['object'] }),
  },
  '/v1/batches/{id}': { get: ofId('OpenAI: read a batch', 'batches') },
  '/v1/batches/{id}/cancel': { post: ofId('OpenAI: cancel a batch', 'batches') },
  '/v1/messages/batches': {
    get: pageOf('Anthropic: list the message batches', 'messageBatches', ['after_id', 'before_id']),
    post: operation('Anthropic: create a message batch', 'messageBatches', {
      takesBody: true,
      answers: ['object'],
    }),
  },
  '/v1/messages/batches/{id}': {
    get: ofId('Anthropic: read a message batch', 'messageBatches'),
    delete: ofId('Anthropic: delete a message batch', 'messageBatches'),
  },
  '/v1/messages/batches/{id}/cancel': {
    post: ofId('Anthropic: cancel a message batch', 'messageBatches'),
  },
  '/v1/messages/batches/{id}/results': {
    get: ofId('Anthropic: the results of a message batch', 'messageBatches'),
  },
};

export const wirePaths = {
  '/v1/responses': { post: operation('OpenAI: create a response', 'responses', generate) },
  '/v1/responses/compact': {
    post: operation('OpenAI: compact a conversation', 'compact', {
      takesBody: true,
      parameters: joining,
      answers: ['object'],
    }),
  },
  '/v1/responses/input_tokens': {
    post: operation('OpenAI: count the tokens of an input', 'inputTokens', compute),
  },
  '/v1/responses/{id}': {
    get: operation('OpenAI: read or follow a response', 'responses', {
      parameters: [
        id,
        inQuery('stream', { type: 'boolean' }),
        inQuery('starting_after', { type: 'integer', minimum: 0 }),
      ],
      answers: ['object', 'stream'],
    }),
    delete: operation('OpenAI: delete a response', 'responses', {
      parameters: [id],
      answers: ['object'],
    }),
  },
  '/v1/responses/{id}/cancel': {
    post: operation('OpenAI: cancel a response', 'responses', { parameters: [id], answers: ['object'] }),
  },
  '/v1/responses/{id}/input_items': {
    get: operation('OpenAI: the input of a response', 'responses', {
      parameters: [id, ...page],
      answers: ['object'],
    }),
  },
  ...conversationPaths,
  ...batchPaths,
  '/v1/chat/completions': { post: operation('OpenAI: create a chat completion', 'chat', generate) },
  '/v1/completions': {
    post: operation('OpenAI: not offered; the error names the endpoints in its place', 'chat', {
      answers: [],
    }),
  },
  '/v1/embeddings': { post: operation('OpenAI: create embeddings', 'embeddings', compute) },
  '/v1/messages': { post: operation('Anthropic: create a message', 'messages', generate) },
  '/v1/messages/count_tokens': {
    post: operation('Anthropic: count the tokens of a message', 'countTokens', compute),
  },
  '/v1/ui/chat': {
    post: operation('AI SDK: send a message, as useChat does', 'ui', {
      takesBody: true,
      parameters: joining,
      answers: ['stream'],
    }),
  },
  '/v1/ui/chat/{id}/stream': {
    get: operation('AI SDK: resume a message', 'ui', {
      parameters: [id],
      answers: ['stream', 'nothing'],
    }),
    delete: operation('AI SDK: stop a message', 'ui', { parameters: [id], answers: ['nothing'] }),
  },
};
