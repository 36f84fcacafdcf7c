/** The routes of models, providers and routing in the OpenAPI document. */
import { z } from 'zod';
import { modelViewSchema } from '../../contracts/model.ts';
import { explanationSchema, providersSchema } from '../../contracts/routing.ts';
import { modelsQuerySchema } from '../routes/list-models.ts';
import { answer, failure, inPath, inQuery, jsonContent, requiredBody } from './parts.ts';

export const modelSchemas = {
  Model: z.toJSONSchema(modelViewSchema),
  RouteExplanation: z.toJSONSchema(explanationSchema),
  Providers: z.toJSONSchema(providersSchema),
};

/** OpenAI has the same path, so its clients expect errors of the same shape. */
const openAiFailure = {
  description: "An error in OpenAI's format; its code is one of docs/errors",
  content: jsonContent({ type: 'object', required: ['error'] }),
};

export const modelPaths = {
  '/v1/routes/explain': {
    post: {
      summary:
        'Which models a request would use, in which order, why, and at what cost; nothing is generated',
      requestBody: requiredBody('GenerationRequest'),
      responses: { 200: answer('The decision', 'RouteExplanation'), default: failure },
    },
  },
  '/v1/providers': {
    get: {
      summary: 'Circuits, speed and keys of the providers, as all workers measured them',
      responses: { 200: answer('The providers', 'Providers'), default: failure },
    },
  },
  '/v1/models': {
    get: {
      summary: 'The routes and models: window, price, capabilities',
      parameters: Object.keys(modelsQuerySchema.shape).map((name) => inQuery(name, { type: 'string' })),
      responses: { 200: { description: "A list in OpenAI's format, of Model" }, default: openAiFailure },
    },
  },
  '/v1/models/{id}': {
    get: {
      summary: 'One model or route',
      parameters: [inPath('id')],
      responses: { 200: answer('The model', 'Model'), default: openAiFailure },
    },
  },
};
