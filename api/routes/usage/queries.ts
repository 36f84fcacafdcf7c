/** The queries of the routes of usage. */
import { z } from 'zod';
import { modelNameSchema } from '../../../contracts/generation.ts';
import { principalNameSchema } from '../../../contracts/keys.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { DAY_MS, dayOf } from '../../../contracts/time.ts';
import { usageGroups, usageIntervals } from '../../../contracts/usage.ts';
import { pageLimitSchema } from '../../http/read-request.ts';

const DEFAULT_DAYS = 30;
const HOURLY_DAYS = LIMITS.usageHoursMs / DAY_MS;

const period = {
  from: z.iso.date().optional().describe('The first day (UTC); if absent, 30 days end with `until`'),
  until: z.iso.date().optional().describe('The last day; today if absent'),
  each: z
    .enum(usageIntervals)
    .default('day')
    .describe(`What an element of a series stands for; hour: of the last ${HOURLY_DAYS} days only`),
};

export const usageQuerySchema = z.strictObject({
  ...period,
  by: z.enum(usageGroups).optional().describe('What a group stands for; without it there are none'),
  user: principalNameSchema.optional(),
  team: principalNameSchema.optional(),
  key: principalNameSchema.optional(),
  model: modelNameSchema.optional().describe('provider/model'),
  prompt: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,63}(@[1-9]\d{0,5})?$/, 'expected name or name@version')
    .optional(),
  limit: pageLimitSchema({ most: 200, byDefault: 20 }),
  after: z
    .string()
    .regex(/^\d{1,9}$/, 'expected the "next" of the page before')
    .optional(),
});

export const latenciesQuerySchema = z.strictObject({ ...period, model: usageQuerySchema.shape.model });

export const failuresQuerySchema = z.strictObject(period);

/** The days of a query with its defaults, and the fault in them, if any. */
export function periodOf(
  { from, until, each }: z.output<typeof failuresQuerySchema>,
  nowMs: number,
): { readonly from: string; readonly until: string; readonly each: 'day' | 'hour'; readonly fault?: string } {
  const today = dayOf(nowMs);
  const last = until ?? (from !== undefined && from > today ? from : today);
  const days = each === 'hour' ? HOURLY_DAYS : DEFAULT_DAYS;
  const first = from ?? dayOf(Date.parse(last) - (days - 1) * DAY_MS);
  const period = { from: first, until: last, each };
  const most = each === 'hour' ? HOURLY_DAYS + 1 : LIMITS.usageDaysPerQuery;
  if (first > last) return { ...period, fault: `until: expected a day from ${first} on` };
  if (Date.parse(last) - Date.parse(first) >= most * DAY_MS)
    return { ...period, fault: `from: expected at most ${most} days` };
  return period;
}
