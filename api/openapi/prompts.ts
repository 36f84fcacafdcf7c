/** The routes of named prompts, feedback and continuations in the OpenAPI document. */
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
import { pageQuerySchema } from '../http/read-request.ts';
import {
  answer,
  eventStream,
  failure,
  idempotencyKey,
  inPath,
  inQuery,
  jsonList,
  optionalBody,
  queryOf,
  requiredBody,
} from './parts.ts';

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

/** Parameters in a path, with the schemas that check them. */
const id = inPath('id');
const name = inPath('name', z.toJSONSchema(promptNameSchema));
const label = inPath('label', z.toJSONSchema(labelNameSchema));
const version = inPath('version', z.toJSONSchema(versionNumberSchema));

export const promptPaths = {
  '/v1/generations/{id}/continue': {
    post: {
      summary: 'Continue an answer that ended at its length limit',
      parameters: [id, idempotencyKey('Without it, a generation has one continuation')],
      requestBody: optionalBody('ContinueRequest'),
      responses: {
        200: {
          description: 'Events as SSE, from the text so far',
          content: eventStream,
        },
        201: answer('The continued generation', 'CreatedGeneration'),
        default: failure,
      },
    },
  },
  '/v1/generations/{id}/feedback': {
    post: {
      summary: 'Rate an answer; a second rating replaces the first',
      parameters: [id],
      requestBody: requiredBody('Feedback'),
      responses: { 200: answer('The feedback as stored', 'FeedbackView'), default: failure },
    },
    get: {
      summary: 'Read the feedback on a generation',
      parameters: [id],
      responses: { 200: answer('The feedback', 'FeedbackView'), default: failure },
    },
  },
  '/v1/prompts': {
    get: {
      summary: 'List the named prompts',
      responses: { 200: { description: 'The prompts', content: jsonList('Prompt') }, default: failure },
    },
  },
  '/v1/prompts/{name}': {
    get: {
      summary: 'Read a prompt: its newest version and its labels',
      parameters: [name],
      responses: { 200: answer('The prompt', 'Prompt'), default: failure },
    },
  },
  '/v1/prompts/{name}/versions': {
    post: {
      summary: 'Add a version; needs the scope admin',
      parameters: [name],
      requestBody: requiredBody('PromptContent'),
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
      parameters: [name, version],
      responses: { 200: answer('The version', 'PromptVersion'), default: failure },
    },
  },
  '/v1/prompts/{name}/labels/{label}': {
    put: {
      summary: 'Point a label to a version, or to several by weight; needs the scope admin',
      parameters: [name, label],
      requestBody: requiredBody('PromptLabelTarget'),
      responses: { 200: answer('The prompt', 'Prompt'), default: failure },
    },
    delete: {
      summary: 'Remove a label; needs the scope admin',
      parameters: [name, label],
      responses: { 200: answer('The prompt', 'Prompt'), default: failure },
    },
  },
  '/v1/prompts/{name}/stats': {
    get: {
      summary: 'The uses, cost and savings of each version of a prompt',
      parameters: [
        name,
        inQuery(
          'baseline',
          { type: 'integer', minimum: 1, maximum: LIMITS.versionsPerPrompt },
          'The version that the others are compared with; if absent, the first that was used',
        ),
      ],
      responses: { 200: answer('The statistics', 'PromptStats'), default: failure },
    },
  },
  '/v1/prompts/{name}/feedback': {
    get: {
      summary: 'The newest feedback on a prompt',
      parameters: [name, ...queryOf(pageQuerySchema)],
      responses: { 200: { description: 'Feedback', content: jsonList('FeedbackView') }, default: failure },
    },
  },
};
