/** API keys and tickets as the API takes and shows them. The secret is shown once, in the response that creates it. */
import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { DAY_MS } from './time.ts';

/**
 * `generate`: submit, read and cancel generations of the key's own user. `any-user`: the same for all users of the
 * tenant, for a backend that serves many. `admin`: keys, budgets and prompts of the tenant. `operator`: `admin`
 * of every tenant.
 */
export const scopes = ['generate', 'any-user', 'admin', 'operator'] as const;
export type Scope = (typeof scopes)[number];

/** A user, team or tenant, as keys, budgets and logs name it. */
export const principalNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9_.@:-]{1,128}$/, 'expected 1 to 128 of A-Z a-z 0-9 _ . @ : -');

export const createKeySchema = z.strictObject({
  user: principalNameSchema.describe('The user who is debited if a request names none.'),
  tenant: principalNameSchema
    .optional()
    .describe("Absent: the caller's own; another one needs the scope operator."),
  team: principalNameSchema.optional(),
  name: z.string().min(1).max(100).optional().describe('A label for people, such as "billing service".'),
  scopes: z.array(z.enum(scopes)).min(1).max(scopes.length).default(['generate']),
  expiresInMs: z.int().positive().max(LIMITS.keyLifeMs).optional().describe('Absent: it does not expire.'),
});
export type CreateKey = z.input<typeof createKeySchema>;

export const rotateKeySchema = z.strictObject({
  overlapMs: z
    .int()
    .min(0)
    .max(LIMITS.keyOverlapMs)
    .default(DAY_MS)
    .describe('How long the old secret stays valid.'),
});

export const keyViewSchema = z.object({
  id: z.string(),
  name: z.string().nullable(),
  tenant: z.string(),
  user: z.string(),
  team: z.string().nullable(),
  scopes: z.array(z.enum(scopes)),
  createdAt: z.int().describe('Milliseconds since 1970, as all times here.'),
  expiresAt: z.int().nullable(),
  previousUntil: z.int().nullable().describe('After a rotation: until when the old secret is valid.'),
  lastUsedAt: z.int().nullable().describe('To the minute; null: not yet.'),
});
export type KeyView = z.infer<typeof keyViewSchema>;

/** The answer to a creation or a rotation, the only one with the secret. */
export const newKeySchema = keyViewSchema.extend({ key: z.string() });
export type NewKey = z.infer<typeof newKeySchema>;

export const createTicketSchema = z
  .strictObject({
    generationId: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe('If set, the ticket is valid for this generation only.'),
    reconnects: z
      .boolean()
      .default(false)
      .describe('Valid for more than one connection, as an EventSource needs it; requires a generationId.'),
  })
  .refine((ticket) => !ticket.reconnects || ticket.generationId !== undefined, {
    path: ['reconnects'],
    message: 'only a ticket for one generation may be used again',
  });

export const ticketSchema = z.object({
  ticket: z.string().describe('Goes into ?ticket= of an SSE or WebSocket URL.'),
  expiresAt: z.int(),
});
export type Ticket = z.infer<typeof ticketSchema>;

/** A link that signs in to the page, once. */
export const signInLinkSchema = z.object({
  path: z.string().describe('The page with a one-time code; to be appended to the URL of the API.'),
  expiresAt: z.int(),
});
export type SignInLink = z.infer<typeof signInLinkSchema>;

export const signInSchema = z.strictObject({
  code: z.string().min(1).max(128).describe('The last part of the link.'),
});
