/** How long answers may be, and how answers to a schema are checked, in unbroken.config.yaml. */
import { z } from 'zod';
import { LIMITS } from '../../contracts/limits.ts';
import { outputCheckSchema } from '../../contracts/output-check.ts';

const CONCISE =
  'Answer as briefly as the question allows: no preamble, no repetition of the question, no closing remarks.';

/** Keys of `routes` are names of routes. */
export const outputSchema = z.strictObject({
  check: outputCheckSchema
    .prefault({})
    .describe(
      'Answers that must fit a schema are checked; attempts is 2 if absent. off: they are returned as they are.',
    ),
  routes: z
    .record(
      z.string(),
      z.strictObject({
        check: outputCheckSchema.optional().describe('In place of output.check.'),
        maxOutputTokens: z.int().min(1).max(LIMITS.maxOutputTokens).optional(),
        concise: z
          .union([z.literal(true).transform(() => CONCISE), z.string().min(1).max(2_000)])
          .optional()
          .describe('An instruction that is added to the system prompt; true: a short one of ours.'),
      }),
    )
    .default({}),
  learn: z
    .strictObject({
      minAnswers: z.int().min(20).default(100),
      margin: z.number().min(1.1).max(10).default(1.5),
    })
    .nullable()
    .prefault({})
    .describe(
      'Sets the output cap of a named prompt: p99 of its answers so far, times the margin. null: off.',
    ),
});
