import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { totalTokens } from '../../../contracts/money.ts';
import { checkBudgets } from '../../prove/check-budget.ts';
import {
  ask,
  bill,
  charge,
  HOUR_MS,
  type LedgerBench,
  ledgerOn,
  more,
  NOON,
  newOwner,
  startLedgerBench,
  type TestLedger,
} from './ledger-bench.ts';

let bench: LedgerBench;
beforeAll(async () => {
  bench = await startLedgerBench();
});
afterAll(() => bench?.stop());

const id = fc.integer({ min: 1, max: 6 }).map((number) => `g${number}`);
const user = fc.constantFrom('ann', 'bob');
const tokens = fc.nat({ max: 120 });
const price = fc.record({
  fixedMicroUsd: fc.nat({ max: 50 }),
  outputMicroUsdPerMillion: fc.nat({ max: 4_000_000 }),
});

/** A step of some generation; `share` of what it may use is used. */
const steps = fc.array(
  fc.oneof(
    fc.record({
      op: fc.constant('reserve' as const),
      id,
      user,
      input: tokens,
      max: fc.integer({ min: 1, max: 200 }),
      price,
    }),
    fc.record({
      op: fc.constant('extend' as const),
      id,
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      input: tokens,
      price,
    }),
    fc.record({ op: fc.constant('raise' as const), id, cap: fc.nat({ max: 400 }) }),
    fc.record({ op: fc.constant('settle' as const), id, share: fc.double({ min: 0, max: 1, noNaN: true }) }),
    fc.record({ op: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 7 }) }),
  ),
  { minLength: 1, maxLength: 40 },
);
type Step = typeof steps extends fc.Arbitrary<(infer One)[]> ? One : never;

const LIMITS = [
  { per: 'user', window: 'day', amount: 500, timeZone: 'Pacific/Apia' },
  { per: 'user', window: 'day', unit: 'micro-usd', amount: 900 },
  { per: 'team', window: 'month', amount: 700 },
  { per: 'key', window: '31d', amount: 650 },
] as const;
const CHECKED = LIMITS.map((limit) => ({ unit: 'tokens' as const, timeZone: 'UTC', id: '*', ...limit }));

/** What a generation has and has used: the model that the ledger is compared with. */
interface Known {
  user: string;
  tokens: number;
  microUsd: number;
  charges: ReturnType<typeof charge>[];
  isSettled: boolean;
}

async function take(
  step: Step,
  on: TestLedger,
  owner: ReturnType<typeof newOwner>,
  known: Map<string, Known>,
) {
  if (step.op === 'wait') return;
  const held = known.get(step.id);
  const owned = { ...owner, user: held?.user ?? (step.op === 'reserve' ? step.user : 'ann') };
  const free = (reservation: Known) => ({
    tokens: reservation.tokens - reservation.charges.reduce((sum, { usage }) => sum + totalTokens(usage), 0),
    microUsd:
      reservation.microUsd - reservation.charges.reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0),
  });
  if (step.op === 'reserve') {
    const { input, max, price } = step;
    const outcome = await on.ledger.reserve(ask(owned, step.id, { input, max, price }));
    if (held !== undefined) {
      // The first answer again, or the end.
      expect(outcome.granted).toBe(!held.isSettled);
    } else if (outcome.granted) {
      const { reservedTokens, reservedMicroUsd } = outcome;
      known.set(step.id, {
        user: owned.user,
        tokens: reservedTokens,
        microUsd: reservedMicroUsd,
        charges: [],
        isSettled: false,
      });
    }
    return;
  }
  if (held === undefined) return;
  if (step.op === 'raise') {
    const outcome = await on.ledger.raise({ ...owned, generationId: step.id, maxOutputTokens: step.cap });
    if (held.isSettled) expect(outcome.granted).toBe(false);
    if (outcome.granted) noteHeld(held, outcome);
    return;
  }
  if (step.op === 'extend') {
    if (held.isSettled) return;
    const left = free(held);
    const used = charge(
      held.charges.length + 1,
      Math.floor(left.tokens * step.share),
      Math.floor(left.microUsd * step.share),
    );
    held.charges.push(used);
    const next = more(owned, step.id, { charges: held.charges, inputTokens: step.input, price: step.price });
    const outcome = await on.ledger.extend(next);
    expect(await on.ledger.extend(next)).toMatchObject({ granted: outcome.granted });
    if (outcome.granted) noteHeld(held, outcome);
    return;
  }
  if (!held.isSettled) {
    const left = free(held);
    const last = charge(
      held.charges.length + 1,
      Math.floor(left.tokens * step.share),
      Math.floor(left.microUsd * step.share),
    );
    held.charges.push(last);
    held.isSettled = true;
  }
  await on.ledger.settle(
    bill(
      owned,
      step.id,
      spent(held),
      held.charges.reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0),
    ),
  );
}

function spent({ charges }: Known): number {
  return charges.reduce((sum, { usage }) => sum + totalTokens(usage), 0);
}

/** What is held, with what was charged already. */
function noteHeld(
  held: Known,
  { reservedTokens, reservedMicroUsd }: { reservedTokens: number; reservedMicroUsd: number },
) {
  held.tokens = reservedTokens + spent(held);
  held.microUsd = reservedMicroUsd + held.charges.reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0);
}

test('in any history no hard budget is overspent, every balance is the sum of its entries, and every generation is booked at its usage', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      const owner = newOwner();
      let now = NOON;
      const on = ledgerOn(bench.clients[0], LIMITS, () => now);
      const known = new Map<string, Known>();
      for (const step of history) {
        if (step.op === 'wait') now += step.hours * HOUR_MS;
        else await take(step, on, owner, known);
      }
      const used = () =>
        new Map(
          [...known]
            .filter(([, { isSettled }]) => isSettled)
            .map(([generationId, held]) => [generationId, spent(held)]),
        );
      expect(await checkBudgets(bench.clients[0], owner.tenant, CHECKED, used())).toMatchObject({
        overspent: 0,
        unbalanced: 0,
        leaked: [...known.values()].filter(({ isSettled }) => !isSettled).length,
      });
      expect(await on.accounts.audit(owner.tenant, { repair: false })).toMatchObject({ differences: 0 });
      for (const open of known.keys()) await take({ op: 'settle', id: open, share: 1 }, on, owner, known);
      expect(await checkBudgets(bench.clients[0], owner.tenant, CHECKED, used())).toMatchObject({
        overspent: 0,
        unbalanced: 0,
        leaked: 0,
      });
    }),
    { numRuns: 150 },
  );
});
