/**
 * One of the processes that spend: plays its generations against the real ledger, all at once, as workers do. What a
 * call used is written down before the next step, as in the event log; so a process that was killed and started again
 * continues from there. Prints `{"ready":true}`, and `{"done":true}` at the end.
 */
import { createClient, TimeoutError } from 'redis';
import type { AttemptCharge } from '../../contracts/budgets.ts';
import { addUsage, NO_USAGE, type Usage } from '../../contracts/money.ts';
import { UNKNOWN_END } from '../../engine/budget/ledger.ts';
import { RedisBudgetLedger } from '../../engine/budget/redis-budget-ledger.ts';
import { pause } from '../harness/wait-for.ts';
import {
  diaryKey,
  type PlannedGeneration,
  planGeneration,
  plannedLimits,
  type SpendingPlan,
  TIME_ZONE,
} from './spending-plan.ts';

const plan: SpendingPlan = JSON.parse(process.env['UNBROKEN_SPENDING_PLAN'] ?? '');
const redis = createClient({ url: plan.redisUrl });
redis.on('error', (error: Error) => process.stderr.write(`${error.message}\n`));
await redis.connect();
const ledger = new RedisBudgetLedger({
  redis,
  limits: plannedLimits(),
  timeZone: TIME_ZONE,
  keepEntriesMs: 40 * 86_400_000,
  keepUsageMs: 40 * 86_400_000,
});
process.stdout.write('{"ready":true}\n');
await Promise.all(
  Array.from({ length: plan.until - plan.from }, (_, index) =>
    play(planGeneration(plan.seed, plan.from + index)),
  ),
);
await redis.close();
process.stdout.write('{"done":true}\n');

/** As Temporal does: a step whose reply did not come in time is tried again, whether or not it was done. */
async function untilAnswered<Answer>(act: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      await pause(100);
    }
  }
}

/** Twice at once where the plan says so. */
async function step<Answer>({ repeats }: PlannedGeneration, act: () => Promise<Answer>): Promise<Answer> {
  if (!repeats) return untilAnswered(act);
  const [answer] = await Promise.all([untilAnswered(act), untilAnswered(act)]);
  return answer;
}

async function play(planned: PlannedGeneration): Promise<void> {
  const { id: generationId, user, team, keyId, inputTokens, wish, price } = planned;
  const owned = { tenant: plan.tenant, user, team, keyId, generationId };
  const outcome = await step(planned, () =>
    ledger.reserve({ ...owned, inputTokens, maxOutputTokens: wish, minOutputTokens: 1, price }),
  );
  const charges: AttemptCharge[] = [];
  const isOver = !outcome.granted || planned.endsEarly;
  let output = outcome.granted ? outcome.maxOutputTokens : 0;
  for (const [index, attempt] of (isOver ? [] : planned.attempts).entries()) {
    if (index > 0) {
      const next = { ...owned, charges, inputTokens, deliveredTokens: 0, minOutputTokens: 1, price };
      const extended = await step(planned, () => ledger.extend(next));
      if (!extended.granted) break;
      output = extended.maxOutputTokens;
    }
    charges.push(await call(planned, index + 1, attempt, output));
    if (index === 0 && planned.raiseTo !== null) {
      const raise = { ...owned, maxOutputTokens: planned.raiseTo };
      await untilAnswered(() => ledger.raise(raise));
    }
  }
  await step(planned, () =>
    ledger.settle({
      ...owned,
      usage: charges.reduce<Usage>((sum, { usage }) => addUsage(sum, usage), NO_USAGE),
      costMicroUsd: charges.reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0),
      attempt: charges.length,
      provider: 'p',
      model: 'm',
      counted: { ...UNKNOWN_END, status: 'completed', failures: [] },
    }),
  );
}

/** A call that keeps to its cap. What it used is what was first written down, whichever process plays it. */
async function call(
  { id, inputTokens, price }: PlannedGeneration,
  attempt: number,
  { inputShare, outputShare }: { inputShare: number; outputShare: number },
  output: number,
): Promise<AttemptCharge> {
  const input = Math.floor((inputTokens * inputShare) / 1_000);
  const used = Math.floor((output * outputShare) / 1_000);
  const cost = Math.floor((price.fixedMicroUsd * inputShare) / 1_000);
  const outputCost = Math.floor((used * price.outputMicroUsdPerMillion) / 1_000_000);
  const diary = diaryKey(plan.tenant, id);
  await untilAnswered(() => redis.hSetNX(diary, String(attempt), `${input + used} ${cost + outputCost}`));
  const [tokens = 0, costMicroUsd = 0] = (
    (await untilAnswered(() => redis.hGet(diary, String(attempt)))) ?? ''
  )
    .split(' ')
    .map(Number);
  return { attempt, provider: 'p', model: 'm', usage: { ...NO_USAGE, inputTokens: tokens }, costMicroUsd };
}
