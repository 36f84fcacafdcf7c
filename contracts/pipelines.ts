/** Pipelines: steps of generations and approvals, as data. A version never changes; labels move. */
import { z } from 'zod';
import { generationRequestSchema } from './generation.ts';
import { isPointer } from './json-pointer.ts';
import { limitedRecord } from './limited-record.ts';
import { DEFAULTS, LIMITS } from './limits.ts';
import { promptReferenceSchema, versionNumberSchema } from './prompts.ts';

export const pipelineNameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'expected up to 64 of a-z, 0-9, ".", "_" and "-"');
export const stepNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,39}$/, 'expected up to 40 of a-z, 0-9, "_" and "-", a letter first');
const inputName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'expected a name such as topic');

const pointer = z
  .string()
  .max(500)
  .refine(isPointer, 'expected a JSON Pointer such as /input/topic, /steps/outline/sections or /item/title')
  .describe('A JSON Pointer: /input/NAME, /steps/NAME and below, /item and /index within foreach.');
const text = z.string().min(1).max(LIMITS.templateChars);
const template = text.describe(
  'A text with values: {{/input/topic}}, {{/item/title}}, {{/steps/edit|/steps/draft}}.',
);
const scalar = z.union([z.string().max(1_000), z.number(), z.boolean(), z.null()]);

/** A comparison of one value, or several of them. Lists are compared by their length where a number is expected. */
export type Condition =
  | { readonly value: string; readonly equals: Scalar }
  | { readonly value: string; readonly notEquals: Scalar }
  | { readonly value: string; readonly contains: Scalar }
  | { readonly value: string; readonly lessThan: number }
  | { readonly value: string; readonly atMost: number }
  | { readonly value: string; readonly moreThan: number }
  | { readonly value: string; readonly atLeast: number }
  | { readonly value: string; readonly exists: boolean }
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition };
type Scalar = z.infer<typeof scalar>;

const conditions = z
  .array(z.lazy((): z.ZodType<Condition> => conditionSchema))
  .min(1)
  .max(LIMITS.comparisonsPerStep);
const conditionSchema: z.ZodType<Condition> = z
  .union([
    z.strictObject({ value: pointer, equals: scalar }),
    z.strictObject({ value: pointer, notEquals: scalar }),
    z.strictObject({ value: pointer, contains: scalar }),
    z.strictObject({ value: pointer, lessThan: z.number() }),
    z.strictObject({ value: pointer, atMost: z.number() }),
    z.strictObject({ value: pointer, moreThan: z.number() }),
    z.strictObject({ value: pointer, atLeast: z.number() }),
    z.strictObject({ value: pointer, exists: z.boolean() }),
    z.strictObject({ all: conditions }),
    z.strictObject({ any: conditions }),
    z.strictObject({ not: z.lazy((): z.ZodType<Condition> => conditionSchema) }),
  ])
  .meta({ id: 'Condition' });

const microUsd = z.int().positive().max(Number.MAX_SAFE_INTEGER);
const jobTime = z.int().min(LIMITS.minDeadlineMs).max(LIMITS.longestJobMs);
const parallel = z.int().min(1).max(LIMITS.parallelPerJob);

const everyStep = {
  description: z.string().max(500).optional(),
  needs: z
    .array(stepNameSchema)
    .max(LIMITS.stepsPerPipeline)
    .optional()
    .describe('Steps that must be over before this one. Those whose values it reads need not be named.'),
  when: conditionSchema
    .optional()
    .describe('The step is skipped where this does not hold; its value is then null.'),
};

const request = generationRequestSchema.shape;

const generationStepSchema = z.strictObject({
  ...everyStep,
  prompt: promptReferenceSchema.optional().describe('A named prompt; its variables are texts with values.'),
  system: template.optional(),
  input: template.optional().describe('The text of the user, with values.'),
  foreach: pointer.optional().describe('A list: one generation for each of its elements, which is /item.'),
  maxParallel: parallel.optional().describe('Generations of this step that run at once.'),
  model: request.model,
  route: request.route,
  task: request.task,
  maxOutputTokens: request.maxOutputTokens,
  temperature: request.temperature,
  topP: request.topP,
  topK: request.topK,
  seed: request.seed,
  frequencyPenalty: request.frequencyPenalty,
  presencePenalty: request.presencePenalty,
  verbosity: request.verbosity,
  stop: request.stop,
  reasoning: request.reasoning,
  output: request.output.describe('The answer is JSON that fits this schema; other steps read its members.'),
  outputCheck: request.outputCheck,
  cache: request.cache,
  cacheMaxAgeMs: request.cacheMaxAgeMs,
  promptCaching: request.promptCaching,
  compression: request.compression,
  maxCostMicroUsd: microUsd.optional().describe('Of the whole step, with all items and retries.'),
  deadlineMs: jobTime.optional().describe('For the whole step, from its start.'),
  retries: z
    .int()
    .min(0)
    .max(LIMITS.retriesPerStep)
    .optional()
    .describe(
      'Further generations for one that failed, beside the retries and fallbacks within each; 0 if absent.',
    ),
  onError: z
    .enum(['fail', 'continue'])
    .optional()
    .describe('fail (the default): the job fails. continue: the value of what failed is null.'),
});
export type GenerationStep = z.infer<typeof generationStepSchema>;

const approvalStepSchema = z.strictObject({
  ...everyStep,
  approve: z
    .strictObject({
      message: template.optional().describe('What the person decides about, with values.'),
      timeoutMs: jobTime.optional().describe('If absent, the deadline of the job is the limit.'),
      onTimeout: z.enum(['reject', 'approve']).optional().describe('reject if absent.'),
      onReject: z
        .enum(['fail', 'continue'])
        .optional()
        .describe('fail (the default): the job fails. continue: the value has approved: false.'),
    })
    .describe('A person approves or rejects; the value is {approved, by, note}.'),
});
export type ApprovalStep = z.infer<typeof approvalStepSchema>;

const pipelineStepSchema = z.union([generationStepSchema, approvalStepSchema]);
export type PipelineStep = z.infer<typeof pipelineStepSchema>;

export function isApproval(step: PipelineStep): step is ApprovalStep {
  return 'approve' in step;
}

const inputTypes = ['text', 'number', 'boolean', 'list', 'object'] as const;
const declaredInputSchema = z.strictObject({
  description: z.string().max(500).optional(),
  type: z.enum(inputTypes).default('text'),
  maxChars: z
    .int()
    .min(1)
    .max(LIMITS.jobInputBytes)
    .default(DEFAULTS.variableChars)
    .describe('Of the text, or of the value as JSON.'),
  default: z.unknown().optional().describe('If absent, a job must have a value.'),
});

const settings = {
  maxCostMicroUsd: microUsd
    .optional()
    .describe('The job starts no generation whose worst case would cost more than what is left of this.'),
  deadlineMs: jobTime.optional().describe('For the whole job, with what it waits for people.'),
};

/** What a version consists of. */
export const pipelineContentSchema = z.strictObject({
  $schema: z.string().max(500).optional().describe('For editors.'),
  description: z.string().max(1_000).optional(),
  input: limitedRecord(inputName, declaredInputSchema, LIMITS.inputsPerPipeline).default({}),
  steps: limitedRecord(stepNameSchema, pipelineStepSchema, LIMITS.stepsPerPipeline).refine(
    (steps) => Object.keys(steps).length > 0,
    'expected at least one step',
  ),
  output: template
    .optional()
    .describe(
      'The document that the job makes. If absent, the values of the steps that no other step needs.',
    ),
  maxParallel: parallel
    .optional()
    .describe(`Generations that run at once; ${DEFAULTS.parallelPerJob} if absent.`),
  ...settings,
  note: z.string().max(1_000).optional().describe('Why this version was made.'),
});
export type PipelineContent = z.infer<typeof pipelineContentSchema>;

export const newPipelineSchema = pipelineContentSchema.extend({ name: pipelineNameSchema });

export const pipelineReferenceSchema = z
  .strictObject({
    name: pipelineNameSchema,
    version: versionNumberSchema.optional(),
    label: z.string().min(1).max(64).optional().describe('Without version and label: "production".'),
  })
  .refine(({ version, label }) => version === undefined || label === undefined, {
    path: ['label'],
    message: 'name a version or a label, not both',
  });
export type PipelineReference = z.infer<typeof pipelineReferenceSchema>;

export const pipelineLabelSchema = z.strictObject({ version: versionNumberSchema });

export const pipelineVersionViewSchema = z.object({
  name: z.string(),
  version: z.int(),
  createdAt: z.int().describe('Milliseconds since 1970.'),
  createdBy: z.string().describe('The id of the API key.'),
  content: pipelineContentSchema,
});
export type PipelineVersionView = z.infer<typeof pipelineVersionViewSchema>;

export const pipelineViewSchema = z.object({
  name: z.string(),
  latest: z.int(),
  labels: z.record(z.string(), pipelineLabelSchema),
});
export type PipelineView = z.infer<typeof pipelineViewSchema>;

/** What a rerun or a job changes of a step. */
export const stepChangeSchema = z.strictObject({
  prompt: z
    .strictObject({
      name: z.string().max(64).optional(),
      version: versionNumberSchema.optional(),
      label: z.string().min(1).max(64).optional(),
    })
    .optional(),
  system: template.optional(),
  input: template.optional(),
  model: request.model,
  route: request.route,
  maxOutputTokens: request.maxOutputTokens,
  temperature: request.temperature,
  reasoning: request.reasoning,
  cache: request.cache,
});
export type StepChange = z.infer<typeof stepChangeSchema>;

export const jobSettings = settings;
