/** What a step's script answers, and what callers of the ledger receive for it. */
import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { BudgetOwner, BudgetStanding, BudgetWarning } from '../../contracts/budgets.ts';
import { parseBudgetName, subjectsOf } from './budget-limits.ts';
import type { Granted, Refused } from './ledger.ts';
import { resetOf } from './windows.ts';

/** A limit, where it stands, and what it has left. Warnings are stored in Redis in this form. */
const placeSchema = z.object({
  subject: z.number(),
  window: z.string(),
  name: z.string(),
  amount: z.number(),
  hard: z.boolean(),
  spent: z.number(),
  left: z.number(),
  /** What the step needs more than it holds, at least. */
  needed: z.number().optional(),
  oldest: z.number(),
  period: z.string(),
  level: z.number().optional(),
});
type Place = z.infer<typeof placeSchema>;

export const stepAnswerSchema = z.discriminatedUnion('answer', [
  /** The limits have changed since this process read them. */
  z.object({ answer: z.literal('stale') }),
  /** A subject lacks the sums of a window. */
  z.object({ answer: z.literal('build') }),
  /** The reservation is of another moment than the step assumed. */
  z.object({ answer: z.literal('moved') }),
  /** An earlier generation of this id left a reservation that was never settled. */
  z.object({ answer: z.literal('abandoned') }),
  /** Redis keeps windows for another process that this one did not send. */
  z.object({
    answer: z.literal('unasked'),
    windows: z.array(z.object({ subject: z.number(), window: z.string() })),
  }),
  z.object({
    answer: z.literal('granted'),
    tokens: z.number(),
    microUsd: z.number(),
    output: z.number(),
    cap: z.number(),
    remaining: z.number().optional(),
    warnings: z.array(placeSchema).default([]),
    isUnlimited: z.literal(true).optional(),
  }),
  z.object({ answer: z.literal('refused'), place: placeSchema.optional() }),
  z.object({ answer: z.literal('settled'), warnings: z.array(placeSchema).default([]) }),
]);
type StepAnswer = z.infer<typeof stepAnswerSchema>;
/** An answer that no further round can change. */
export type FinalAnswer = Exclude<
  StepAnswer,
  { answer: 'stale' | 'build' | 'moved' | 'unasked' | 'abandoned' }
>;

export function toReserveOutcome(answer: FinalAnswer, owner: BudgetOwner, nowMs: number): Granted | Refused {
  assert(answer.answer !== 'settled', 'a step that reserves was answered as a settlement');
  if (answer.answer === 'refused') {
    const { place } = answer;
    const needed = place?.needed;
    return {
      granted: false,
      budget: place === undefined ? null : standingOf(place, owner, nowMs),
      remaining: place?.left ?? 0,
      ...(needed === undefined ? {} : { needed }),
    };
  }
  const { tokens, microUsd, output, cap, remaining } = answer;
  assert(tokens >= 0 && microUsd >= 0, `a reservation holds ${tokens} tokens and ${microUsd} micro-USD`);
  assert(output >= 0 && output <= Math.max(1, cap), `a call may write ${output} of ${cap} tokens`);
  return {
    granted: true,
    reservedTokens: tokens,
    reservedMicroUsd: microUsd,
    maxOutputTokens: output,
    capTokens: cap,
    remainingTokens: remaining ?? null,
    warnings: answer.warnings.map((warning) => standingOf(warning, owner, nowMs)),
    ...(answer.isUnlimited === undefined ? {} : { isUnlimited: answer.isUnlimited }),
  };
}

export function toWarnings(
  answer: FinalAnswer,
  settlement: BudgetOwner & { readonly generationId: string },
  nowMs: number,
): readonly BudgetWarning[] {
  assert(answer.answer === 'settled', `a settlement was answered "${answer.answer}"`);
  return answer.warnings.map((place) => toWarning(place, settlement, nowMs));
}

function standingOf(place: Place, owner: BudgetOwner, nowMs: number): BudgetStanding {
  const { window, unit } = parseBudgetName(place.name);
  const subject = subjectsOf(owner)[place.subject];
  assert(subject !== undefined, `the script named subject ${place.subject} of ${owner.tenant}`);
  const { amount, spent, oldest } = place;
  const resetsAtMs = resetOf(place.window, nowMs, oldest < 0 ? null : oldest);
  return { per: subject.kind, id: subject.id, window, unit, limit: amount, spent, resetsAtMs };
}

function toWarning(
  place: Place,
  settlement: BudgetOwner & { readonly generationId: string },
  nowMs: number,
): BudgetWarning {
  const standing = standingOf(place, settlement, nowMs);
  const { tenant, generationId } = settlement;
  const level = place.level === 2 ? 'reached' : 'near';
  // One warning for each crossing: in a calendar window per period, in a rolling window per generation that crossed.
  const period = place.period === 'rolling' ? generationId : place.period;
  const event = [tenant, standing.per, standing.id, place.name, place.amount, period, level].join('\0');
  const warningId = `warn_${createHash('sha256').update(event).digest('hex').slice(0, 32)}`;
  return {
    warningId,
    tenant,
    ...standing,
    level,
    mode: place.hard ? 'hard' : 'soft',
    generationId,
    atMs: nowMs,
  };
}
