/** How generations are searched: the filters of the list, and its pages. */
import { z } from 'zod';
import { generationStatuses, modelNameSchema } from './generation.ts';
import { principalNameSchema } from './keys.ts';
import { LIMITS } from './limits.ts';

const moment = z.union([z.iso.date(), z.iso.datetime({ offset: true })]);

/** Names become part of a query language, so they have no quotes. */
const quotable = /^[^"'`\\]+$/;

export const generationFilterSchema = z.strictObject({
  user: principalNameSchema.optional().describe('Of another user only with the scope any-user'),
  status: z.enum(generationStatuses).optional(),
  model: modelNameSchema
    .regex(quotable, 'expected a name without quotes')
    .optional()
    .describe('provider/model, or the model alone'),
  prompt: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,63}(@[1-9]\d{0,5})?$/, 'expected name or name@version')
    .optional()
    .describe('A named prompt: one version, or all'),
  from: moment.optional().describe('Started at this time or later: a day (UTC), or a time with its zone'),
  until: moment.optional().describe('Started at this time or before; a day is included as a whole'),
  after: z.string().min(1).max(LIMITS.pageCursorChars).optional().describe('`next` of the page before'),
});
export type GenerationFilter = z.infer<typeof generationFilterSchema>;
