/** Erasure: what is deleted with a user or a job, and the receipt that says so. */
import { z } from 'zod';

/** What a receipt counts. docs/erasure.md says what each kind holds, and where it was. */
export const erasedKinds = [
  'generations',
  'jobs',
  'batches',
  'files',
  'schedules',
  'conversations',
  'cachedAnswers',
  'complaints',
  'feedback',
  'chats',
  'callAnswers',
  'retries',
  'openQuestions',
  'webhookDeliveries',
  'runs',
] as const;
export type ErasedKind = (typeof erasedKinds)[number];

/** What stays, and why. */
const remainingKinds = [
  'ledger',
  'apiKeys',
  'runs',
  'archive',
  'webhookDeliveries',
  'jobs',
  'files',
  'conversations',
] as const;

const countSchema = z.int().nonnegative();
const atSchema = z.int().describe('Milliseconds since 1970.');

export const removedSchema = z.object({ kind: z.enum(erasedKinds), count: countSchema });
export type Removed = z.infer<typeof removedSchema>;

export const remainsSchema = z.object({
  kind: z.enum(remainingKinds),
  count: countSchema.nullable().describe('null: not counted.'),
  reason: z.string(),
  until: atSchema
    .nullable()
    .describe('When it is deleted at the latest; null: not by itself, or at a time that is not known.'),
});
export type Remains = z.infer<typeof remainsSchema>;

export const erasureViewSchema = z.object({
  id: z.string(),
  status: z.enum(['running', 'completed']),
  scope: z.enum(['user', 'job']),
  subject: z
    .string()
    .describe('SHA-256 of the tenant, a zero byte and the user, in hex: the receipt names nobody.'),
  jobId: z.string().nullable(),
  before: z.int().describe('What was created until then is erased; milliseconds since 1970.'),
  createdAt: atSchema,
  completedAt: atSchema.nullable(),
  waitingFor: countSchema.describe('Runs that were cancelled and have not ended yet.'),
  removed: z.array(removedSchema).describe('By kind, once it is completed; kinds without any are left out.'),
  remains: z.array(remainsSchema),
});
export type ErasureView = z.infer<typeof erasureViewSchema>;

/** The answer to the deletion of one generation, which takes no run. */
export const deletedGenerationSchema = z.object({
  id: z.string(),
  object: z.literal('generation'),
  deleted: z.literal(true),
  removed: z.array(removedSchema),
  remains: z.array(remainsSchema).describe('What stays, and copies that belong to something else.'),
});
export type DeletedGeneration = z.infer<typeof deletedGenerationSchema>;
