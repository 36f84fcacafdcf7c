/** Named prompts: how they are stored, how a request names one, and what the API shows of their use. */
import { z } from 'zod';
import { compressionSchema } from './compression.ts';
import { limitedRecord } from './limited-record.ts';
import { DEFAULTS, LIMITS } from './limits.ts';

/** A reserved label: always the newest version. */
export const NEWEST = 'latest';
/** The label of a request that names neither a version nor a label. */
export const DEFAULT_LABEL = 'production';

export const promptNameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'expected up to 64 of a-z, 0-9, ".", "_" and "-"');
export const labelNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9._-]{0,63}$/, 'expected up to 64 of a-z, 0-9, ".", "_" and "-", a letter first')
  .refine((label) => label !== NEWEST, `"${NEWEST}" always names the newest version and cannot be set`);
export const versionNumberSchema = z.int().min(1).max(LIMITS.versionsPerPrompt);

const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'expected a name such as user_name');

const variableSchema = z.strictObject({
  description: z.string().max(500).optional(),
  maxChars: z
    .int()
    .min(1)
    .max(LIMITS.requestBodyBytes)
    .default(DEFAULTS.variableChars)
    .describe('A longer value is refused.'),
  default: z.string().optional().describe('If absent, a request must give a value.'),
});

const templateText = z.string().min(1).max(LIMITS.templateChars);

/** What a version consists of. It never changes; a change is a new version. */
export const promptContentSchema = z
  .strictObject({
    system: templateText.optional(),
    messages: z
      .array(z.strictObject({ role: z.enum(['user', 'assistant']), content: templateText }))
      .min(1)
      .max(LIMITS.messagesPerPrompt)
      .optional()
      .describe('They precede the input of the request.'),
    variables: limitedRecord(variableName, variableSchema, LIMITS.variablesPerPrompt).default({}),
    maxOutputTokens: z.int().min(1).max(LIMITS.maxOutputTokens).optional(),
    compression: compressionSchema.optional(),
    note: z.string().max(1_000).optional().describe('Why this version was made.'),
  })
  .refine(({ system, messages }) => system !== undefined || messages !== undefined, {
    message: 'a prompt needs system or messages',
  });
export type PromptContent = z.infer<typeof promptContentSchema>;

/** How a request names a prompt. */
export const promptReferenceSchema = z
  .strictObject({
    name: promptNameSchema,
    version: versionNumberSchema.optional(),
    label: z.string().min(1).max(64).optional().describe(`Without version and label: "${DEFAULT_LABEL}".`),
    variables: limitedRecord(
      z.string(),
      z.union([z.string(), z.number(), z.boolean()]),
      LIMITS.variablesPerPrompt,
    ).default({}),
  })
  .refine(({ version, label }) => version === undefined || label === undefined, {
    path: ['label'],
    message: 'name a version or a label, not both',
  });
export type PromptReference = z.infer<typeof promptReferenceSchema>;

/** The version that a generation uses; kept with its input. */
export interface PromptUse {
  readonly name: string;
  readonly version: number;
  /** The label in the request; null if the request named the version. */
  readonly label: string | null;
}

const armSchema = z.strictObject({ version: versionNumberSchema, weight: z.int().min(1).max(1_000_000) });

/**
 * What a label points to: one version, or several by weight. An arm is chosen by a hash of the user or the generation,
 * so a retried request gets the same arm, and a user keeps theirs.
 */
export const labelTargetSchema = z.union([
  z.strictObject({ version: versionNumberSchema }),
  z.strictObject({
    arms: z
      .array(armSchema)
      .min(2)
      .max(LIMITS.armsPerLabel)
      .refine(
        (arms) => new Set(arms.map((arm) => arm.version)).size === arms.length,
        'a version stands twice',
      ),
    by: z.enum(['user', 'generation']).default('user'),
  }),
]);
export type LabelTarget = z.infer<typeof labelTargetSchema>;

export const promptVersionViewSchema = z.object({
  name: z.string(),
  version: z.int(),
  createdAt: z.int().describe('Milliseconds since 1970.'),
  createdBy: z.string().describe('The id of the API key.'),
  content: promptContentSchema,
});
export type PromptVersionView = z.infer<typeof promptVersionViewSchema>;

export const promptViewSchema = z.object({
  name: z.string(),
  latest: z.int(),
  labels: z.record(z.string(), labelTargetSchema),
});
export type PromptView = z.infer<typeof promptViewSchema>;

/** A score from -1 (bad) to 1 (good). A second one for the same generation replaces the first. */
export const feedbackSchema = z.strictObject({
  score: z.number().min(-1).max(1),
  comment: z.string().max(LIMITS.feedbackChars).optional(),
});
export type Feedback = z.infer<typeof feedbackSchema>;

export const feedbackViewSchema = z.object({
  generationId: z.string(),
  prompt: z.object({ name: z.string(), version: z.int() }).nullable(),
  score: z.number(),
  comment: z.string().nullable(),
  at: z.int().describe('Milliseconds since 1970.'),
  cache: z
    .enum(['quarantined', 'deleted'])
    .optional()
    .describe(
      'What negative feedback on an answer from the cache has done. quarantined: this question never gets that stored answer again. deleted: the stored answer to these words is gone.',
    ),
});
export type FeedbackView = z.infer<typeof feedbackViewSchema>;

const quantiles = z
  .object({ p50: z.number(), p95: z.number(), p99: z.number() })
  .nullable()
  .describe('Each within 2.5 % of the true one; null before the first sample.');

const savingSchema = z.object({
  against: z.int().describe('The version that it is compared with.'),
  perRequestMicroUsd: z.number().describe('Positive: this version costs less per request.'),
  interval95MicroUsd: z
    .tuple([z.number(), z.number()])
    .nullable()
    .describe("Welch's interval for the difference of the means; null below two requests of either."),
  share: z.number().nullable().describe('Of the cost of the other; null where that is 0.'),
  soFarMicroUsd: z.number().describe('Over all requests of this version.'),
  isCertain: z.boolean().describe('Both have at least 30 requests, and the interval does not hold 0.'),
});
export type Saving = z.infer<typeof savingSchema>;

const versionStatsSchema = z.object({
  version: z.int(),
  requests: z
    .int()
    .describe('Generations that have ended; a continuation belongs to the one that it continues.'),
  completed: z.int(),
  failed: z.int(),
  cancelled: z.int(),
  cacheHits: z.int(),
  cutByLength: z.int(),
  continued: z.int(),
  inputTokens: z.int().describe('With those read from and written to the cache of the provider.'),
  outputTokens: z.int().describe('With those of reasoning.'),
  costMicroUsd: z.int(),
  costPerRequestMicroUsd: z.number().nullable(),
  firstTokenMs: quantiles,
  totalMs: quantiles,
  outputTokensPerAnswer: quantiles,
  feedback: z.object({ count: z.int(), positive: z.int(), negative: z.int(), mean: z.number().nullable() }),
  saving: savingSchema.nullable().describe('null for the version that the others are compared with.'),
});
export type VersionStats = z.infer<typeof versionStatsSchema>;

export const promptStatsViewSchema = z.object({
  name: z.string(),
  baseline: z.int().nullable(),
  versions: z.array(versionStatsSchema),
});
export type PromptStatsView = z.infer<typeof promptStatsViewSchema>;
