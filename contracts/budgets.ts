/**
 * What a budget is: whose, over which window, in which unit, and how much. Shared by the config, the ledger and the
 * API.
 */
import { z } from 'zod';
import type { MicroUsd, Usage } from './money.ts';
import { DAY_MS, HOUR_MS } from './time.ts';

/** Whom a budget limits. `key` is the id of an API key, such as key_1a2b3c4d5e6f. */
export const budgetSubjects = ['user', 'team', 'key'] as const;
export type BudgetSubjectKind = (typeof budgetSubjects)[number];

export const budgetUnits = ['tokens', 'micro-usd'] as const;
export type BudgetUnit = (typeof budgetUnits)[number];

/** Lua writes larger numbers with an exponent, which loses digits. */
const MOST_AMOUNT = 10 ** 14 - 1;
const UNIT_MS = { h: HOUR_MS, d: DAY_MS } as const;
/** No window is longer than the longest month; entries are kept longer than this. */
export const LONGEST_WINDOW_MS = 31 * DAY_MS;

/** The length in ms of a rolling window such as 24h or 7d; null if the text is not one. */
export function rollingMs(window: string): number | null {
  const [, count, unit] = /^([1-9]\d{0,2})([hd])$/.exec(window) ?? [];
  if (count === undefined || (unit !== 'h' && unit !== 'd')) return null;
  const ms = Number(count) * UNIT_MS[unit];
  return ms <= LONGEST_WINDOW_MS ? ms : null;
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

export const timeZoneSchema = z
  .string()
  .regex(/^[A-Za-z0-9_+/-]{1,64}$/)
  .refine(isTimeZone, 'expected an IANA time zone, such as Europe/Berlin');

const budgetWindowSchema = z
  .string()
  .regex(/^(day|month|[1-9]\d{0,2}[hd])$/, 'expected day, month, or a rolling window such as 24h or 7d')
  .refine((window) => window === 'day' || window === 'month' || rollingMs(window) !== null, {
    message: 'expected day, month, or a rolling window from 1h to 31d, such as 24h or 7d',
  });

export const budgetKeySchema = z.strictObject({
  per: z.enum(budgetSubjects),
  id: z
    .string()
    .regex(/^(\*|[A-Za-z0-9_.@:-]{1,128})$/, 'expected a name, or * for all')
    .default('*')
    .describe('One user, team or key; * applies to each of them that has no limit itself.'),
  window: budgetWindowSchema,
  unit: z.enum(budgetUnits).default('tokens'),
});
/** Names a limit: there is one for each subject, window and unit. */
export type BudgetKey = z.infer<typeof budgetKeySchema>;

export const budgetLimitSchema = budgetKeySchema.extend({
  amount: z
    .int()
    .nonnegative()
    .max(MOST_AMOUNT)
    .nullable()
    .describe('null: no limit, although one for * would apply'),
  mode: z.enum(['hard', 'soft']).default('hard').describe('soft: only warns'),
  warnAt: z.number().gt(0).max(1).default(0.8).describe('The share of the amount at which a warning is sent'),
  timeZone: timeZoneSchema.optional().describe('Of day and month; absent: budgets.timeZone of the config'),
});
export type BudgetLimit = z.infer<typeof budgetLimitSchema>;

/** The name of a limit in messages, ids and Redis. */
export function nameOfBudget({ per, id, window, unit }: BudgetKey): string {
  return `${per}/${id}/${window}/${unit}`;
}

/** Who is debited: the user, the team of the API key (if it has one), and the key itself. */
export interface BudgetOwner {
  readonly tenant: string;
  readonly user: string;
  readonly team: string | null;
  readonly keyId: string;
}

/** The owner's fields alone, of an order or of anything else that has them. */
export function budgetOwnerOf({ tenant, user, team, keyId }: BudgetOwner): BudgetOwner {
  return { tenant, user, team, keyId };
}

/** Where one limit stands. Tokens or micro-USD, as its unit says. */
export const budgetStandingSchema = z.object({
  per: z.enum(budgetSubjects),
  id: z.string(),
  window: z.string(),
  unit: z.enum(budgetUnits),
  limit: z.int(),
  spent: z.int(),
  resetsAtMs: z.int().describe('When the window ends, or the oldest use leaves a rolling one'),
});
export type BudgetStanding = z.infer<typeof budgetStandingSchema>;

/** A budget has reached its warning share (`near`) or its amount (`reached`). */
export interface BudgetWarning extends BudgetStanding {
  /** The same in every report of one event, so that a receiver can drop duplicates. */
  readonly warningId: string;
  readonly tenant: string;
  readonly level: 'near' | 'reached';
  readonly mode: 'hard' | 'soft';
  readonly generationId: string;
  readonly atMs: number;
}

/** What was charged for one attempt of a generation. */
export interface AttemptCharge {
  readonly attempt: number;
  readonly provider: string;
  readonly model: string;
  readonly usage: Usage;
  readonly costMicroUsd: MicroUsd;
}
