/** How the answer to a schema is checked: by a request, a route, or the config. */
import { z } from 'zod';
import { LIMITS } from './limits.ts';

/** The defaults are those of the config. */
export const outputCheckSchema = z
  .union([
    z.literal('off'),
    z.strictObject({
      attempts: z
        .int()
        .min(1)
        .max(LIMITS.outputAttempts)
        .optional()
        .describe(
          'Answers that each model is asked for, the first one included. 1: a wrong answer is an error at once.',
        ),
      maxCostMicroUsd: z
        .int()
        .nonnegative()
        .optional()
        .describe('No further answer is requested once the generation has cost this much.'),
    }),
  ])
  .describe(
    'How an answer to `output` is checked, and how often a model is asked again after one that does not fit. off: it ' +
      'is returned as it is. If absent, the route decides.',
  );
export type OutputCheck = Exclude<z.infer<typeof outputCheckSchema>, 'off'>;
