/** The part of the OpenAPI document that is about named prompts, feedback and continuations. */
import { z } from 'zod';
import { continueRequestSchema } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import {
  feedbackSchema,
  feedbackViewSchema,
  labelNameSchema,
  labelTargetSchema,
  promptContentSchema,
  promptNameSchema,
  promptStatsViewSchema,
  promptVersionViewSchema,
  promptViewSchema,
  versionNumberSchema,
} from '../../contracts/prompts.ts';

export const promptSchemas = {
  ContinueRequest: z.toJSONSchema(continueRequestSchema, { io: 'input' }),
  Feedback: z.toJSONSchema(feedbackSchema, { io: 'input' }),
  FeedbackView: z.toJSONSchema(feedbackViewSchema),
  PromptContent: z.toJSONSchema(promptContentSchema, { io: 'input' }),
  PromptLabelTarget: z.toJSONSchema(labelTargetSchema, { io: 'input' }),
  Prompt: z.toJSONSchema(promptViewSchema),
  PromptVersion: z.toJSONSchema(promptVersionViewSchema),
  PromptStats: z.toJSONSchema(promptStatsViewSchema),
};

const json = (schema: string) => ({
  'application/json': { schema: { $ref: `#/components/schemas/${schema}` } },
});
const listOf = (schema: keyof typeof promptSchemas) => ({
  'application/json': {
    schema: {
      type: 'object',
      required: ['data'],
      properties: { data: { type: 'array', items: { $ref: `#/components/schemas/${schema}` } } },
    },
  },
});
const failure = { description: 'An error of the table in docs/errors', content: json('Error') };
const id = { type: 'string' };
/** What stands in a path is checked as these say. */
const inPaths = {
  id,
  name: z.toJSONSchema(promptNameSchema),
  label: z.toJSONSchema(labelNameSchema),
  version: z.toJSONSchema(versionNumberSchema),
};
const inPath = (name: keyof typeof inPaths) => ({
  name,
  in: 'path',
  required: true,
  schema: inPaths[name],
});
const inQuery = (name: string, description: string, maximum: number) => ({
  name,
  in: 'query',
  required: false,
  description,
  schema: { type: 'integer', minimum: 1, maximum },
});
const idempotencyKey = (description: string) => ({
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description,
  schema: { type: 'string', maxLength: 255 },
});
const bodyOf = (schema: keyof typeof promptSchemas, required = true) => ({ required, content: json(schema) });
const answer = (description: string, schema: string) => ({ description, content: json(schema) });

export const promptPaths = {
  '/v1/generations/{id}/continue': {
    post: {
      summary: 'Go on with an answer that ended by its length',
      parameters: [inPath('id'), idempotencyKey('Without it, a generation has one continuation.')],
      requestBody: bodyOf('ContinueRequest', false),
      responses: {
        200: {
          description: 'Events as SSE, from the text so far',
          content: { 'text/event-stream': { schema: { type: 'string' } } },
        },
        201: answer('The continued generation', 'CreatedGeneration'),
        default: failure,
      },
    },
  },
  '/v1/generations/{id}/feedback': {
    post: {
      summary: 'Say what an answer was worth; a second time takes the place of the first',
      parameters: [inPath('id')],
      requestBody: bodyOf('Feedback'),
      responses: { 200: answer('The feedback as it is kept', 'FeedbackView'), default: failure },
    },
    get: {
      summary: 'Read the feedback on a generation',
      parameters: [inPath('id')],
      responses: { 200: answer('The feedback', 'FeedbackView'), default: failure },
    },
  },
  '/v1/prompts': {
    get: {
      summary: 'List the named prompts',
      responses: { 200: { description: 'The prompts', content: listOf('Prompt') }, default: failure },
    },
  },
  '/v1/prompts/{name}': {
    get: {
      summary: 'Read a prompt: its newest version and its labels',
      parameters: [inPath('name')],
      responses: { 200: answer('The prompt', 'Prompt'), default: failure },
    },
  },
  '/v1/prompts/{name}/versions': {
    post: {
      summary: 'Add a version; needs the scope admin',
      parameters: [inPath('name')],
      requestBody: bodyOf('PromptContent'),
      responses: {
        200: answer('The version that has this content already', 'PromptVersion'),
        201: answer('The new version', 'PromptVersion'),
        default: failure,
      },
    },
  },
  '/v1/prompts/{name}/versions/{version}': {
    get: {
      summary: 'Read a version',
      parameters: [inPath('name'), inPath('version')],
      responses: { 200: answer('The version', 'PromptVersion'), default: failure },
    },
  },
  '/v1/prompts/{name}/labels/{label}': {
    put: {
      summary: 'Point a label to a version, or to several by weight; needs the scope admin',
      parameters: [inPath('name'), inPath('label')],
      requestBody: bodyOf('PromptLabelTarget'),
      responses: { 200: answer('The prompt', 'Prompt'), default: failure },
    },
    delete: {
      summary: 'Remove a label; needs the scope admin',
      parameters: [inPath('name'), inPath('label')],
      responses: { 200: answer('The prompt', 'Prompt'), default: failure },
    },
  },
  '/v1/prompts/{name}/stats': {
    get: {
      summary: 'What each version of a prompt was used for, cost and saved',
      parameters: [
        inPath('name'),
        inQuery(
          'baseline',
          'The version that the others are compared with; without it, the first that was used',
          LIMITS.versionsPerPrompt,
        ),
      ],
      responses: { 200: answer('The statistics', 'PromptStats'), default: failure },
    },
  },
  '/v1/prompts/{name}/feedback': {
    get: {
      summary: 'The newest feedback on a prompt',
      parameters: [inPath('name'), inQuery('limit', '20 if absent', 100)],
      responses: { 200: { description: 'Feedback', content: listOf('FeedbackView') }, default: failure },
    },
  },
};
