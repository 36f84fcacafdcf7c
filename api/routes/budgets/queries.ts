/** The queries of the routes of budgets. */
import { z } from 'zod';
import { budgetSubjects } from '../../../contracts/budgets.ts';
import { pageLimitSchema } from '../../http/read-request.ts';

const page = {
  limit: pageLimitSchema({ most: 1_000, byDefault: 100 }),
  after: z.string().min(1).max(512).optional(),
};
const subject = { per: z.enum(budgetSubjects), id: z.string().min(1).max(256) };
const day = z.iso.date();

export const limitsQuerySchema = z.strictObject(page);

export const balancesQuerySchema = z.strictObject(subject);

export const entriesQuerySchema = z
  .strictObject({
    ...page,
    from: day.optional(),
    until: day.optional(),
    generation: z.string().min(1).max(128).optional(),
    per: subject.per.optional(),
    id: subject.id.optional(),
  })
  .refine(({ per, id }) => (per === undefined) === (id === undefined), {
    path: ['per'],
    message: 'per and id are given together or not at all',
  });

export const reconcileSchema = z.strictObject({ repair: z.boolean().default(false) });
