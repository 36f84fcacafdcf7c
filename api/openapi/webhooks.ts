/** The routes of webhooks in the OpenAPI document. */
import { z } from 'zod';
import {
  createEndpointSchema,
  deliveryViewSchema,
  endpointViewSchema,
  newEndpointSchema,
  rotateSecretSchema,
  testEndpointSchema,
  updateEndpointSchema,
} from '../../contracts/webhooks.ts';
import { offsetPageQuerySchema } from '../http/read-request.ts';
import { endpointsQuerySchema } from '../routes/webhooks/endpoints.ts';
import { answer, failure, inPath, optionalBody, queryOf, requiredBody } from './parts.ts';

export const webhookSchemas = {
  CreateWebhookEndpoint: z.toJSONSchema(createEndpointSchema, { io: 'input' }),
  UpdateWebhookEndpoint: z.toJSONSchema(updateEndpointSchema, { io: 'input' }),
  RotateWebhookSecret: z.toJSONSchema(rotateSecretSchema, { io: 'input' }),
  TestWebhookEndpoint: z.toJSONSchema(testEndpointSchema, { io: 'input' }),
  WebhookEndpoint: z.toJSONSchema(endpointViewSchema),
  NewWebhookEndpoint: z.toJSONSchema(newEndpointSchema),
  WebhookDelivery: z.toJSONSchema(deliveryViewSchema),
};

const id = inPath('id');

export const webhookPaths = {
  '/v1/webhook_endpoints': {
    get: {
      summary: 'List the webhook endpoints of the tenant, without secrets',
      parameters: queryOf(endpointsQuerySchema),
      responses: { 200: { description: 'data: a list of WebhookEndpoint' }, default: failure },
    },
    post: {
      summary: 'Create a webhook endpoint',
      requestBody: requiredBody('CreateWebhookEndpoint'),
      responses: {
        201: answer('The endpoint; its secret is shown this once', 'NewWebhookEndpoint'),
        default: failure,
      },
    },
  },
  '/v1/webhook_endpoints/{id}': {
    get: {
      summary: 'Get a webhook endpoint',
      parameters: [id],
      responses: { 200: answer('The endpoint', 'WebhookEndpoint'), default: failure },
    },
    post: {
      summary: 'Change a webhook endpoint',
      parameters: [id],
      requestBody: requiredBody('UpdateWebhookEndpoint'),
      responses: { 200: answer('The endpoint', 'WebhookEndpoint'), default: failure },
    },
    delete: {
      summary: 'Delete a webhook endpoint',
      parameters: [id],
      responses: { 200: { description: 'It gets no further delivery' }, default: failure },
    },
  },
  '/v1/webhook_endpoints/{id}/rotate_secret': {
    post: {
      summary: 'Give a webhook endpoint a new secret; "default" is that of requests that bring none',
      parameters: [id],
      requestBody: optionalBody('RotateWebhookSecret'),
      responses: { 200: { description: 'The new signing_secret, shown this once' }, default: failure },
    },
  },
  '/v1/webhook_endpoints/{id}/test': {
    post: {
      summary: 'Send a sample event to a webhook endpoint, once',
      parameters: [id],
      requestBody: requiredBody('TestWebhookEndpoint'),
      responses: { 200: { description: 'status_code: what the endpoint answered' }, default: failure },
    },
  },
  '/v1/webhook_event_types': {
    get: {
      summary: 'List what a webhook can be notified of',
      responses: { 200: { description: 'data: a list of names' }, default: failure },
    },
  },
  '/v1/webhook_deliveries': {
    get: {
      summary: 'List webhook deliveries, the newest first',
      parameters: queryOf(offsetPageQuerySchema),
      responses: {
        200: { description: 'data: a list of WebhookDelivery; next: for `after`' },
        default: failure,
      },
    },
  },
  '/v1/webhook_deliveries/{id}': {
    get: {
      summary: 'Get a webhook delivery with its latest attempts',
      parameters: [id],
      responses: { 200: answer('The delivery', 'WebhookDelivery'), default: failure },
    },
  },
  '/v1/webhook_deliveries/{id}/resend': {
    post: {
      summary: 'Send a webhook delivery again, with the same webhook-id',
      parameters: [id],
      responses: { 202: { description: 'run: the id of the run that sends it' }, default: failure },
    },
  },
};
