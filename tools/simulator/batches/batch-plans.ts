/** How the next batches go, on command. Each plan applies to the next `times` batches that it matches. */
import { z } from 'zod';

export const batchPlanSchema = z.strictObject({
  /** A substring of any of its lines. */
  match: z.string().optional(),
  times: z.int().positive().default(1),
  /** From its first line to its last; the lines are answered at even distances. */
  runMs: z.int().nonnegative().default(0),
  /** After so many lines it stays as it is, until it is released, cancelled or expired on command. */
  holdAfterLines: z.int().nonnegative().optional(),
  /** How long a cancellation takes. */
  cancelMs: z.int().nonnegative().default(0),
  /** It expires by itself after this; the vendors give it a day. */
  expiresAfterMs: z.int().positive().optional(),
  /** OpenAI: the code with which the batch as a whole fails, such as token_limit_exceeded. */
  failsWith: z.string().optional(),
  /** The request that creates it is refused with this status, and creates nothing. */
  refusesWith: z.int().optional(),
  /** It is created, but the answer that says so never arrives. */
  losesAnswer: z.boolean().default(false),
});
export type BatchPlan = z.output<typeof batchPlanSchema>;

export class BatchPlans {
  readonly #usual: BatchPlan;
  #waiting: BatchPlan[] = [];

  /** @param runMs of batches without a plan. */
  constructor(runMs: number) {
    this.#usual = { times: 1, runMs, cancelMs: 0, losesAnswer: false };
  }

  add(plan: BatchPlan): void {
    this.#waiting.push(plan);
  }

  clear(): void {
    this.#waiting = [];
  }

  /** The first plan that matches these lines, used up once. */
  take(lines: string): BatchPlan {
    const index = this.#waiting.findIndex(({ match }) => match === undefined || lines.includes(match));
    const plan = this.#waiting[index];
    if (plan === undefined) return this.#usual;
    if (plan.times > 1) this.#waiting[index] = { ...plan, times: plan.times - 1 };
    else this.#waiting.splice(index, 1);
    return plan;
  }
}
