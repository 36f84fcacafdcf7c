/** The routes of keys, tickets and the session in the OpenAPI document. */
import { z } from 'zod';
import {
  createKeySchema,
  createTicketSchema,
  keyViewSchema,
  newKeySchema,
  rotateKeySchema,
  signInLinkSchema,
  signInSchema,
  ticketSchema,
} from '../../contracts/keys.ts';
import { answer, failure, inPath, inQuery, optionalBody, requiredBody } from './parts.ts';

export const keySchemas = {
  CreateKey: z.toJSONSchema(createKeySchema, { io: 'input' }),
  RotateKey: z.toJSONSchema(rotateKeySchema, { io: 'input' }),
  Key: z.toJSONSchema(keyViewSchema),
  NewKey: z.toJSONSchema(newKeySchema),
  CreateTicket: z.toJSONSchema(createTicketSchema, { io: 'input' }),
  Ticket: z.toJSONSchema(ticketSchema),
  SignInLink: z.toJSONSchema(signInLinkSchema),
  SignIn: z.toJSONSchema(signInSchema, { io: 'input' }),
};

const id = inPath('id');

export const keyPaths = {
  '/v1/session': {
    get: {
      summary: 'The caller, and the routes that it may name',
      responses: { 200: { description: 'The session' }, default: failure },
    },
    post: {
      summary: 'The page exchanges the code of a link for its cookie; needs the header x-unbroken-page',
      requestBody: requiredBody('SignIn'),
      responses: { 200: { description: 'The session' }, default: failure },
    },
    delete: {
      summary: 'Sign out: end the session of the page',
      responses: { 204: { description: 'The cookie is void' }, default: failure },
    },
  },
  '/v1/session/links': {
    post: {
      summary: 'Create a link that signs in to the page, once',
      responses: { 201: answer('The link', 'SignInLink'), default: failure },
    },
  },
  '/v1/keys': {
    get: {
      summary: 'List the keys of the tenant, without secrets',
      parameters: [inQuery('tenant', { type: 'string' })],
      responses: { 200: { description: 'data: a list of Key' }, default: failure },
    },
    post: {
      summary: 'Create a key',
      requestBody: requiredBody('CreateKey'),
      responses: { 201: answer('The key, shown this once', 'NewKey'), default: failure },
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
      summary: 'Rotate a key: give it a new secret',
      parameters: [id],
      requestBody: optionalBody('RotateKey'),
      responses: { 201: answer('The new secret, shown this once', 'NewKey'), default: failure },
    },
  },
  '/v1/tickets': {
    post: {
      summary: 'Create a ticket for the URL of a stream',
      requestBody: optionalBody('CreateTicket'),
      responses: { 201: answer('The ticket', 'Ticket'), default: failure },
    },
  },
};
