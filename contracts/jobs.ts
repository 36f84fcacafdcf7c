/** Jobs: runs of a pipeline, as a caller requests them and as the API shows them. */
import { z } from 'zod';
import { errorBodySchema } from './error-body.ts';
import { metadataSchema, usageSchema } from './generation.ts';
import { limitedRecord } from './limited-record.ts';
import { LIMITS } from './limits.ts';
import {
  jobSettings,
  pipelineContentSchema,
  pipelineReferenceSchema,
  stepChangeSchema,
  stepNameSchema,
} from './pipelines.ts';
import { jobWebhookSchema } from './webhooks.ts';

const changes = limitedRecord(stepNameSchema, stepChangeSchema, LIMITS.stepsPerPipeline);

export const jobRequestSchema = z
  .strictObject({
    pipeline: pipelineReferenceSchema.optional().describe('A stored pipeline.'),
    definition: pipelineContentSchema
      .optional()
      .describe('A pipeline that is not stored, in place of `pipeline`.'),
    input: limitedRecord(z.string(), z.unknown(), LIMITS.inputsPerPipeline).default({}),
    steps: changes.optional().describe('Changes of steps for this job, such as another model.'),
    user: z
      .string()
      .regex(/^[A-Za-z0-9_.@:-]{1,128}$/)
      .optional()
      .describe('Your end user, whose budget is debited. Defaults to the user of the API key.'),
    ...jobSettings,
    priority: z
      .int()
      .min(1)
      .max(5)
      .optional()
      .describe('Of its generations, among all that wait: 1 is first, 5 is last, 3 if absent.'),
    metadata: metadataSchema.optional(),
    webhook: jobWebhookSchema
      .optional()
      .describe('Notified when the job has ended, and when it waits for a person.'),
  })
  .refine(({ pipeline, definition }) => (pipeline === undefined) !== (definition === undefined), {
    path: ['pipeline'],
    message: 'name a pipeline or send a definition, one of them',
  });
export type JobRequest = z.infer<typeof jobRequestSchema>;

export const rerunRequestSchema = z.strictObject({
  from: stepNameSchema.describe('This step and those that need it run again; all others keep their values.'),
  steps: changes.optional().describe('What is different this time, such as a prompt version or a model.'),
  ...jobSettings,
});
export type RerunRequest = z.infer<typeof rerunRequestSchema>;

export const approvalRequestSchema = z.strictObject({
  note: z
    .string()
    .max(LIMITS.approvalNoteChars)
    .optional()
    .describe('Other steps read it as /steps/NAME/note.'),
});

const money = z.int().nonnegative();
const progress = { usage: usageSchema, costMicroUsd: money };
const step = z.string();
const item = z.int().nonnegative().nullable().describe('Which element of `foreach`; null without it.');

export const jobEventBodySchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('job-start'),
    jobId: z.string(),
    user: z.string(),
    pipeline: z.object({ name: z.string(), version: z.int() }).nullable(),
    steps: z.array(step).describe('In the order in which they can run'),
    needs: z
      .record(step, z.array(step))
      .optional()
      .describe('Which steps each one waits for; absent in jobs of older code'),
    rerunOf: z.object({ jobId: z.string(), from: step }).optional(),
  }),
  z.object({
    type: z.literal('step-start'),
    step,
    items: z.int().nonnegative().nullable().describe('Elements of `foreach`; null without it'),
  }),
  z.object({ type: z.literal('step-skip').describe('Its `when` does not hold'), step }),
  z.object({
    type: z.literal('step-reuse').describe('Its value is that of an earlier job, and costs nothing'),
    step,
    jobId: z.string(),
    items: z.int().nonnegative().nullable(),
  }),
  z.object({
    type: z.literal('generation-open').describe('A generation begins; its own events follow'),
    step,
    item,
    attempt: z.int().positive(),
    generationId: z.string(),
  }),
  z.object({
    type: z.literal('generation-close').describe('That generation has ended, and its events were all sent'),
    step,
    item,
    attempt: z.int().positive(),
    generationId: z.string().nullable().describe('null: it could not begin'),
    status: z.enum(['completed', 'failed', 'cancelled']),
    ...progress,
    error: errorBodySchema.optional(),
  }),
  z.object({
    type: z.literal('approval-request').describe('The step waits for a person'),
    step,
    message: z.string().nullable(),
    timeoutAt: z.int().nullable().describe('Milliseconds since 1970'),
  }),
  z.object({
    type: z.literal('approval'),
    step,
    approved: z.boolean(),
    by: z.string().nullable().describe('The user of the key; null: the time was over'),
    note: z.string().nullable(),
  }),
  z.object({
    type: z.literal('step-end'),
    step,
    status: z.enum(['completed', 'failed', 'cancelled']),
    error: errorBodySchema.optional(),
  }),
  z.object({ type: z.literal('job-pause').describe('No further generation begins'), by: z.string() }),
  z.object({ type: z.literal('job-resume'), by: z.string() }),
  z.object({ type: z.literal('job-end'), ...progress }),
  z.object({ type: z.literal('job-error'), error: errorBodySchema, ...progress }),
  z.object({ type: z.literal('job-cancel'), ...progress }),
]);
export type JobEventBody = z.infer<typeof jobEventBodySchema>;
/** `at`: milliseconds since 1970. */
export type JobEvent = JobEventBody & { readonly seq: number; readonly at: number };

const jobStatuses = ['running', 'waiting', 'paused', 'completed', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof jobStatuses)[number];
const stepStatuses = [
  'pending',
  'running',
  'waiting',
  'completed',
  'reused',
  'skipped',
  'failed',
  'cancelled',
] as const;

const jobStepViewSchema = z.object({
  name: step,
  status: z.enum(stepStatuses).describe('waiting: for a person.'),
  needs: z.array(step).nullable().describe('The steps that it waits for; null in jobs of older code.'),
  items: z.int().nullable().describe('Elements of `foreach`; null without it.'),
  done: z.int().describe('Items that have ended.'),
  failed: z.int(),
  costMicroUsd: money,
  usage: usageSchema,
  startedAt: z.int().nullable(),
  endedAt: z.int().nullable(),
  approval: z
    .object({ message: z.string().nullable(), timeoutAt: z.int().nullable() })
    .nullable()
    .describe('What a person decides about.'),
  error: errorBodySchema.nullable(),
});
export type JobStepView = z.infer<typeof jobStepViewSchema>;

const jobGenerationSchema = z.object({
  item,
  attempt: z.int(),
  generationId: z.string().nullable(),
  status: z.enum(['running', 'completed', 'failed', 'cancelled']),
  costMicroUsd: money,
  error: errorBodySchema.nullable(),
});

export const jobViewSchema = z.object({
  id: z.string(),
  status: z.enum(jobStatuses).describe('waiting: everything else waits for a person.'),
  pipeline: z.object({ name: z.string(), version: z.int() }).nullable(),
  user: z.string(),
  createdAt: z.int().describe('Milliseconds since 1970.'),
  endedAt: z.int().nullable(),
  deadlineAt: z.int(),
  maxCostMicroUsd: z.int().nullable(),
  costMicroUsd: money,
  usage: usageSchema,
  steps: z.array(jobStepViewSchema),
  output: z.string().nullable().describe('The document, once the job is completed.'),
  error: errorBodySchema.nullable(),
  rerunOf: z.object({ jobId: z.string(), from: step }).nullable(),
  metadata: z.record(z.string(), z.string()),
});
export type JobView = z.infer<typeof jobViewSchema>;

export const jobStepDetailSchema = jobStepViewSchema.extend({
  generations: z.array(jobGenerationSchema),
  value: z.unknown().describe('What other steps read of it; null until then.'),
});
export type JobStepDetail = z.infer<typeof jobStepDetailSchema>;

export const jobEstimateSchema = z.object({
  maxCostMicroUsd: z
    .int()
    .nullable()
    .describe('The most that it can cost without repeated attempts; null: unknown.'),
  generations: z.int().describe('The most that can run.'),
  steps: z.array(
    z.object({
      name: step,
      models: z.array(z.string()),
      generations: z.int(),
      inputTokens: z.int().describe('Of one generation, at most.'),
      maxOutputTokens: z.int().describe('Of one generation.'),
      maxCostMicroUsd: z.int().nullable(),
    }),
  ),
  assumptions: z.array(z.string()).describe('What was assumed where the pipeline does not say.'),
});
export type JobEstimate = z.infer<typeof jobEstimateSchema>;

const side = z.object({
  jobId: z.string(),
  status: z.string(),
  costMicroUsd: money,
  text: z.string().nullable().describe('Cut after 64 KiB.'),
});
export const jobComparisonSchema = z.object({
  jobs: z.array(side).length(2),
  steps: z.array(
    z.object({ name: step, isSame: z.boolean(), sides: z.array(side.omit({ jobId: true })).length(2) }),
  ),
});
export type JobComparison = z.infer<typeof jobComparisonSchema>;
