/** The limits and the generations of the ledger's proof: the same seed plans the same, in every process. */
import { type BudgetLimit, budgetLimitSchema } from '../../contracts/budgets.ts';
import { createRandom } from '../harness/random.ts';
import type { CheckedLimit } from './check-budget.ts';

export interface SpendingPlan {
  readonly redisUrl: string;
  readonly tenant: string;
  readonly seed: number;
  /** This process plays the generations `from` to `until`, exclusive. */
  readonly from: number;
  readonly until: number;
}

export const TIME_ZONE = 'Asia/Kathmandu';

/** Small beside what is asked for, so that budgets are full most of the time. */
export const HARD_LIMITS: readonly CheckedLimit[] = [
  { per: 'user', id: '*', window: 'day', unit: 'tokens', amount: 60_000, timeZone: TIME_ZONE },
  { per: 'user', id: 'user-1', window: 'month', unit: 'tokens', amount: 20_000, timeZone: 'UTC' },
  { per: 'team', id: '*', window: 'month', unit: 'micro-usd', amount: 250_000, timeZone: TIME_ZONE },
  { per: 'key', id: '*', window: '24h', unit: 'tokens', amount: 90_000, timeZone: TIME_ZONE },
];

export function plannedLimits(): BudgetLimit[] {
  const soft = { per: 'user', window: '7d', unit: 'micro-usd', amount: 10, mode: 'soft' };
  return [...HARD_LIMITS, soft].map((limit) => budgetLimitSchema.parse(limit));
}

interface PlannedAttempt {
  /** Shares of a thousand: of the worst input, and of the output that was granted. */
  readonly inputShare: number;
  readonly outputShare: number;
}

export interface PlannedGeneration {
  readonly id: string;
  readonly user: string;
  readonly team: string | null;
  readonly keyId: string;
  readonly inputTokens: number;
  readonly wish: number;
  readonly price: { readonly fixedMicroUsd: number; readonly outputMicroUsdPerMillion: number };
  /** All but the last one fail. */
  readonly attempts: readonly PlannedAttempt[];
  /** The cap that is asked for in the middle; null: none. */
  readonly raiseTo: number | null;
  /** Ends before a provider is called: a hit of the cache, or a cancel. */
  readonly endsEarly: boolean;
  /** Each step is sent twice at once, as after a lost reply. */
  readonly repeats: boolean;
}

export function planGeneration(seed: number, index: number): PlannedGeneration {
  const random = createRandom(seed * 100_003 + index);
  const wish = random.between(1, 600);
  const attempts = Array.from({ length: random.between(1, 10) <= 6 ? 1 : random.between(2, 4) }, () => ({
    inputShare: random.between(500, 1_000),
    outputShare: random.between(0, 1_000),
  }));
  const team = random.between(0, 3);
  return {
    id: `gen_${seed}_${index}`,
    user: `user-${random.between(1, 9)}`,
    team: team === 0 ? null : `team-${team}`,
    keyId: `key_${random.between(1, 5)}`,
    inputTokens: random.between(1, 300),
    wish,
    price: { fixedMicroUsd: random.between(0, 200), outputMicroUsdPerMillion: random.between(0, 3_000_000) },
    attempts,
    raiseTo: random.between(1, 10) === 1 ? wish + random.between(1, 300) : null,
    endsEarly: random.between(1, 8) === 1,
    repeats: random.between(1, 6) === 1,
  };
}

/** Where a spender writes down what a generation used, as the event log does: a hash of attempt -> "tokens cost". */
export function diaryKey(tenant: string, generationId: string): string {
  return `prove:budget:${tenant}:${generationId}`;
}
