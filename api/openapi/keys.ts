/** The part of the OpenAPI document about keys and tickets. */
import { z } from 'zod';
import {
  createKeySchema,
  createTicketSchema,
  keyViewSchema,
  newKeySchema,
  rotateKeySchema,
  ticketSchema,
} from '../../contracts/keys.ts';

export const keySchemas = {
  CreateKey: z.toJSONSchema(createKeySchema, { io: 'input' }),
  RotateKey: z.toJSONSchema(rotateKeySchema, { io: 'input' }),
  Key: z.toJSONSchema(keyViewSchema),
  NewKey: z.toJSONSchema(newKeySchema),
  CreateTicket: z.toJSONSchema(createTicketSchema, { io: 'input' }),
  Ticket: z.toJSONSchema(ticketSchema),
};

const json = (schema: keyof typeof keySchemas | 'Error') => ({
  'application/json': { schema: { $ref: `#/components/schemas/${schema}` } },
});
const failure = { description: 'An error of the table in docs/errors', content: json('Error') };
const id = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };

export const keyPaths = {
  '/v1/keys': {
    get: {
      summary: 'List the keys of the tenant, without secrets',
      parameters: [{ name: 'tenant', in: 'query', required: false, schema: { type: 'string' } }],
      responses: { 200: { description: 'data: a list of Key' }, default: failure },
    },
    post: {
      summary: 'Make a key',
      requestBody: { required: true, content: json('CreateKey') },
      responses: {
        201: { description: 'The key, shown this once', content: json('NewKey') },
        default: failure,
      },
    },
  },
  '/v1/keys/{id}': {
    delete: {
      summary: 'Revoke a key',
      parameters: [id],
      responses: { 204: { description: 'It is refused from now on' }, default: failure },
    },
  },
  '/v1/keys/{id}/rotate': {
    post: {
      summary: 'Give a key a new secret',
      parameters: [id],
      requestBody: { required: false, content: json('RotateKey') },
      responses: {
        201: { description: 'The new secret, shown this once', content: json('NewKey') },
        default: failure,
      },
    },
  },
  '/v1/tickets': {
    post: {
      summary: 'Make a ticket for the URL of a stream',
      requestBody: { required: false, content: json('CreateTicket') },
      responses: { 201: { description: 'The ticket', content: json('Ticket') }, default: failure },
    },
  },
};
