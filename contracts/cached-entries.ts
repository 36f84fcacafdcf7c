/** Stored answers of the cache as the API shows them: for finding a wrong one, reading it and deleting it. */
import { z } from 'zod';
import { finishReasons, modelNameSchema, usageSchema } from './generation.ts';
import { principalNameSchema } from './keys.ts';
import { LIMITS } from './limits.ts';

export const entryIdSchema = z
  .string()
  .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'expected the id of a stored answer');

export const cachedEntriesFilterSchema = z
  .strictObject({
    text: z
      .string()
      .trim()
      .min(2)
      .max(LIMITS.searchedTextChars)
      .optional()
      .describe('The most similar questions and answers first, by their letters'),
    like: entryIdSchema
      .optional()
      .describe('Entries whose questions mean something similar, most similar first'),
    user: principalNameSchema.optional().describe('Of another user only with the scope admin or any-user'),
    model: modelNameSchema.optional().describe('provider/model'),
    after: z.string().min(1).max(LIMITS.pageCursorChars).optional().describe('`next` of the page before'),
  })
  .refine(({ text, like }) => text === undefined || like === undefined, {
    path: ['like'],
    message: 'search by text or by an entry, not by both',
  })
  .refine(({ text, like, after }) => after === undefined || (text === undefined && like === undefined), {
    path: ['after'],
    message: 'a search by text or by an entry has one page',
  });

const entry = {
  id: entryIdSchema,
  user: z.string().describe('Whose generation it was'),
  provider: z.string(),
  model: z.string(),
  storedAt: z.int().describe('ms since 1970'),
  expiresAt: z.int(),
  tokens: z.int().describe('What the call used that a hit spares'),
  complaints: z
    .int()
    .describe(
      `Of readers of other questions; from ${LIMITS.complaintsToSameWords} on only the same words find the entry`,
    ),
};

export const complaintSchema = z.object({
  entryId: entryIdSchema,
  generation: z.string().describe('The generation that got the wrong answer; names the complaint'),
  user: z.string().describe('Who complained'),
  questions: z
    .array(z.string())
    .nullable()
    .describe(
      "The user's turns of the question that never gets this entry; null if they were not stored any more",
    ),
  storedQuestion: z.string().nullable().describe('The last turn of the question that the entry answers, cut'),
  similarity: z.number().describe('Of the two questions, 0 to 1'),
  at: z.int().describe('ms since 1970'),
});
export type ComplaintView = z.infer<typeof complaintSchema>;

export const cachedEntrySchema = z.object({
  ...entry,
  question: z.string().describe('The last turn of the user, cut'),
  answer: z.string().describe('Cut'),
  similarity: z.number().nullable().describe('To what was searched, 0 to 1; null without a search'),
});
export type CachedEntry = z.infer<typeof cachedEntrySchema>;

export const wholeCachedEntrySchema = z.object({
  ...entry,
  questions: z.array(z.string()).describe("The user's turns, oldest first"),
  answer: z.string(),
  usage: usageSchema,
  finishReason: z.enum(finishReasons),
  generation: z.string().nullable().describe('The generation of the answer'),
  quarantined: z.array(complaintSchema).describe('Questions that never get it, the oldest first'),
});
export type WholeCachedEntry = z.infer<typeof wholeCachedEntrySchema>;
