/**
 * Budgets in Redis: a saga of reserve, extend and settle. One script decides each step over all budgets that it
 * touches, so two callers cannot share the last tokens. Every change is an entry of an append-only stream; the sum of
 * the entries is the balance.
 */
import { strict as assert } from 'node:assert';
import type { BudgetLimit, BudgetOwner } from '../../contracts/budgets.ts';
import { type MicroUsd, NO_USAGE, type Usage } from '../../contracts/money.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { DAY_MS, dayOf, HOUR_MS } from '../../contracts/time.ts';
import { BoundedMap } from '../../platform/bounded-map.ts';
import type { ConfigFile } from '../../platform/config/schema.ts';
import { BudgetLimits, type SubjectPlan, subjectsOf } from './budget-limits.ts';
import { buildWindows } from './build-windows.ts';
import { entriesKey } from './entries.ts';
import {
  type BudgetLedger,
  type CountedGeneration,
  type Extension,
  type Raise,
  type Refused,
  type Reservation,
  type ReserveOutcome,
  type Settled,
  type Settlement,
  UNKNOWN_END,
  type Wish,
} from './ledger.ts';
import { askLedger, type LedgerRedis } from './ledger-redis.ts';
import { type FinalAnswer, stepAnswerSchema, toReserveOutcome, toWarnings } from './step-answer.ts';
import { STEP } from './step-script.ts';
import { SUBJECT_KEEP_MS, subjectKey } from './subject-key.ts';
import { countedFacts, rollUpAt, usageKeys } from './usage-rows.ts';
import { spanOf, type WindowId } from './windows.ts';

interface LedgerOptions {
  readonly redis: LedgerRedis;
  /** The limits of the config, for every tenant. */
  readonly limits: readonly BudgetLimit[];
  /** IANA name; the time zone of days and months in limits that name none. */
  readonly timeZone: string;
  /** How long entries are kept after the day that they are booked on; at least 40 days, for the longest month. */
  readonly keepEntriesMs: number;
  /** How long usage by day is kept. */
  readonly keepUsageMs: number;
  readonly clock?: () => number;
}

/** The settings of a ledger in the config. */
export function budgetSettings({ budgets }: ConfigFile): Omit<LedgerOptions, 'redis'> {
  const { limits, timeZone, keepEntriesDays, keepUsageDays } = budgets;
  const [keepEntriesMs, keepUsageMs] = [keepEntriesDays * DAY_MS, keepUsageDays * DAY_MS];
  return { limits, timeZone, keepEntriesMs, keepUsageMs };
}

/** How long a settled generation is remembered. A step that is repeated after that would book again. */
const REMEMBER_MS = 7 * DAY_MS;
/** A reservation is stamped by a worker's clock, and its generation by that of Redis. */
const CLOCK_SKEW_MS = 60_000;
/** A look may use limits of this age. */
const LOOK_AGE_MS = 5_000;
/**
 * A window that no reservation has named for this long is dropped. It outlasts a deploy, in which processes with old
 * and new limits work side by side: each drop would make the next reservation of the others read the entries.
 */
const IDLE_WINDOW_MS = HOUR_MS;
/** Subjects whose windows of other processes are remembered; a forgotten one costs another round. */
const SPARE_SUBJECTS = 10_000;
/** Limits changed, a window was built, or another step came first: each costs one more round. */
const MOST_ROUNDS = 20;

/** Settles with no more than what is booked. */
const RELEASE = settleFacts(
  { usage: NO_USAGE, costMicroUsd: 0, attempt: 0, provider: null, model: null },
  UNKNOWN_END,
);
const NO_SPARES: ReadonlySet<WindowId> = new Set();

/** What one step sends to the script, beside what every step sends. */
interface StepFacts {
  readonly step: 'look' | 'reserve' | 'extend' | 'raise' | 'settle';
  readonly prompt?: string | undefined;
  readonly againSinceMs?: number;
  readonly [fact: string]: string | number | boolean | object | undefined;
}

type Owned = BudgetOwner & { readonly generationId: string };

interface Round {
  readonly rules: Awaited<ReturnType<BudgetLimits['rulesOf']>>;
  readonly plans: readonly SubjectPlan[];
  /** The moment that the step books on; null: now. */
  readonly bookedAtMs: number | null;
}

export class RedisBudgetLedger implements BudgetLedger {
  readonly limits: BudgetLimits;
  readonly #redis: LedgerRedis;
  readonly #keepEntriesMs: number;
  readonly #keepUsageMs: number;
  readonly #clock: () => number;
  /** Windows that are being built, by the key of their subject. */
  readonly #builds = new Map<string, Promise<void>>();
  /** Windows that other processes keep, by the key of their subject. */
  readonly #spareWindows = new BoundedMap<string, Set<WindowId>>(SPARE_SUBJECTS);

  constructor({ redis, limits, timeZone, keepEntriesMs, keepUsageMs, clock = Date.now }: LedgerOptions) {
    this.limits = new BudgetLimits({ redis, defaults: limits, timeZone, clock });
    this.#redis = redis;
    this.#keepEntriesMs = keepEntriesMs;
    this.#keepUsageMs = keepUsageMs;
    this.#clock = clock;
  }

  async reserve(reservation: Reservation): Promise<ReserveOutcome> {
    const { inputTokens, maxOutputTokens, minOutputTokens, price, againSinceMs = 0, heldBy } = reservation;
    assertCounts({ inputTokens, maxOutputTokens, minOutputTokens, againSinceMs, ...price });
    return this.#decide(reservation, {
      step: 'reserve',
      inputTokens,
      maxOutputTokens,
      minOutputTokens,
      againSinceMs,
      skewMs: CLOCK_SKEW_MS,
      heldBy,
      ...price,
    });
  }

  async extend(extension: Extension): Promise<ReserveOutcome> {
    const { inputTokens, deliveredTokens, minOutputTokens, price, prompt } = extension;
    assertCounts({ inputTokens, deliveredTokens, minOutputTokens, ...price });
    const charges = extension.charges.map(({ usage, costMicroUsd, attempt, provider, model }) => {
      return { attempt, provider, model, costMicroUsd, ...usageFacts(usage, costMicroUsd) };
    });
    return this.#decide(extension, {
      step: 'extend',
      prompt,
      charges,
      inputTokens,
      deliveredTokens,
      minOutputTokens,
      ...price,
    });
  }

  async raise(raise: Raise): Promise<ReserveOutcome> {
    assertCounts({ maxOutputTokens: raise.maxOutputTokens });
    return this.#decide(raise, { step: 'raise', capTokens: raise.maxOutputTokens });
  }

  async currentCap(tenant: string, generationId: string): Promise<number | null> {
    const key = REDIS_KEYS.budget(tenant, 'reservation', generationId);
    const [state, capTokens] = await this.#redis.hmGet(key, ['state', 'cap']);
    return state === 'reserved' && capTokens != null ? Number(capTokens) : null;
  }

  async settle(settlement: Settlement): Promise<Settled> {
    // Sent together with what `counted` reads.
    const reading = this.#readBookedAtMs(settlement, settlement.againSinceMs);
    reading.catch(() => undefined);
    const facts = settleFacts(settlement, await settlement.counted);
    const answer = await this.#ask(settlement, facts, reading);
    return { warnings: toWarnings(answer, settlement, this.#clock()) };
  }

  async look(owner: BudgetOwner, { neededTokens, isFree }: Wish): Promise<Refused | null> {
    const remembered = await this.limits.rulesOf(owner.tenant);
    const isOld = this.#clock() - remembered.readAtMs > LOOK_AGE_MS;
    const rules = isOld ? await this.limits.refresh(owner.tenant, remembered) : remembered;
    const isLimited = subjectsOf(owner).some(({ kind, id }) =>
      rules.planOf(kind, id).windows.some(({ limits }) => limits.some(({ mode }) => mode === 'hard')),
    );
    if (!isLimited) return null;
    const outcome = await this.#decide(
      { ...owner, generationId: '' },
      {
        step: 'look',
        inputTokens: await neededTokens(),
        // A price of 1: a money budget with nothing left refuses whatever costs anything.
        fixedMicroUsd: isFree ? 0 : 1,
        outputMicroUsdPerMillion: 0,
      },
    );
    return outcome.granted ? null : outcome;
  }

  async #decide(owned: Owned, facts: StepFacts): Promise<ReserveOutcome> {
    return toReserveOutcome(await this.#ask(owned, facts), owned, this.#clock());
  }

  /**
   * The moment that the reservation of a generation is booked on; null if there is none.
   * @param againSinceMs a settlement from before it belongs to an earlier generation of the same id.
   */
  async #readBookedAtMs({ tenant, generationId }: Owned, againSinceMs = 0): Promise<number | null> {
    const key = REDIS_KEYS.budget(tenant, 'reservation', generationId);
    const [state, on] = await this.#redis.hmGet(key, ['state', 'on']);
    const isEarlier = state === 'settled' && Number(on) < againSinceMs - CLOCK_SKEW_MS;
    return on == null || isEarlier ? null : Number(on);
  }

  /**
   * Runs rounds until the answer is final.
   * @param reading the moment that the reservation is booked on, if it is being read already.
   */
  async #ask(owned: Owned, facts: StepFacts, reading?: Promise<number | null>): Promise<FinalAnswer> {
    const { tenant } = owned;
    const isFirst = facts.step === 'reserve' || facts.step === 'look';
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const alreadyRead = round === 0 ? reading : undefined;
      const since = facts.againSinceMs;
      const bookedAtMs = isFirst ? null : await (alreadyRead ?? this.#readBookedAtMs(owned, since));
      const rules = await this.limits.rulesOf(tenant);
      const plans = subjectsOf(owned).map(({ kind, id }) => rules.planOf(kind, id));
      const answer = await this.#askOnce(owned, { rules, plans, bookedAtMs }, facts);
      if (answer.answer === 'stale') await this.limits.refresh(tenant, rules);
      else if (answer.answer === 'build') await this.#build(tenant, plans);
      else if (answer.answer === 'abandoned') await this.#ask(owned, RELEASE);
      else if (answer.answer === 'unasked') this.#rememberSpares(tenant, plans, answer.windows);
      else if (answer.answer !== 'moved') return answer;
    }
    throw new Error(`The budgets of ${tenant} change faster than they can be read.`);
  }

  async #askOnce(owned: Owned, round: Round, { prompt, ...facts }: StepFacts) {
    const { tenant, generationId, user, team, keyId } = owned;
    const { rules, plans } = round;
    const nowMs = this.#clock();
    const bookedAtMs = round.bookedAtMs ?? nowMs;
    const books = facts.step === 'extend' || facts.step === 'settle';
    const keys = [
      REDIS_KEYS.budget(tenant, 'limits'),
      REDIS_KEYS.budget(tenant, 'reservation', generationId),
      entriesKey(tenant, dayOf(bookedAtMs)),
      REDIS_KEYS.budget(tenant, 'open'),
      ...plans.map(({ kind, id }) => subjectKey(tenant, kind, id)),
      ...(books ? usageKeys(tenant, dayOf(bookedAtMs)) : []),
    ];
    const ask = {
      limitsVersion: rules.version,
      nowMs,
      bookedAtMs,
      keepMs: SUBJECT_KEEP_MS,
      keepEntriesMs: this.#keepEntriesMs,
      rememberMs: REMEMBER_MS,
      idleMs: IDLE_WINDOW_MS,
      generationId,
      user,
      team: team ?? '',
      keyId,
      subjects: plans.map((plan) => {
        const spares = this.#spareWindows.get(subjectKey(tenant, plan.kind, plan.id)) ?? NO_SPARES;
        return { windows: windowsOf(plan, spares, { nowMs, bookedAtMs }) };
      }),
      ...facts,
      ...(books ? { rollUp: rollUpAt(bookedAtMs, this.#keepUsageMs, prompt) } : {}),
    };
    return stepAnswerSchema.parse(await askLedger(this.#redis, STEP, { keys, ask }));
  }

  /** Two reservations that lack the same window wait for one reading of its entries. */
  async #build(tenant: string, plans: readonly SubjectPlan[]): Promise<void> {
    for (const plan of plans) {
      const key = subjectKey(tenant, plan.kind, plan.id);
      const build = this.#builds.get(key) ?? buildWindows(this.#redis, tenant, plan, this.#clock());
      this.#builds.set(key, build);
      await build.finally(() => this.#builds.delete(key));
    }
  }

  #rememberSpares(
    tenant: string,
    plans: readonly SubjectPlan[],
    windows: readonly { readonly subject: number; readonly window: WindowId }[],
  ): void {
    for (const { subject, window } of windows) {
      const plan = plans[subject];
      assert(plan !== undefined, `the script named subject ${subject} of ${tenant}`);
      const key = subjectKey(tenant, plan.kind, plan.id);
      this.#spareWindows.set(key, (this.#spareWindows.get(key) ?? new Set()).add(window));
    }
  }
}

/** The windows of a subject in the form that the script reads, by id. */
function windowsOf(
  { windows }: SubjectPlan,
  spares: ReadonlySet<WindowId>,
  { nowMs, bookedAtMs }: { readonly nowMs: number; readonly bookedAtMs: number },
) {
  const planned = windows.map(({ id, limits }) => ({ id, limits, isSpare: false }));
  const others = [...spares].filter((id) => windows.every((window) => window.id !== id));
  const all = [...planned, ...others.map((id) => ({ id, limits: [], isSpare: true }))];
  return all
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ id, limits, isSpare }) => {
      const { at, first, last, stepMs, keepFrom } = spanOf(id, nowMs, bookedAtMs);
      return {
        id,
        at,
        first,
        last,
        stepMs,
        keepFrom,
        isSpare,
        period: first === last ? String(at) : 'rolling',
        limits: limits.map((limit) => ({
          name: `${limit.per}/${limit.id}/${limit.window}/${limit.unit}`,
          unit: limit.unit,
          amount: limit.amount ?? 0,
          isHard: limit.mode === 'hard',
          warnAmount: Math.ceil((limit.amount ?? 0) * limit.warnAt),
        })),
      };
    });
}

function settleFacts(
  {
    usage,
    costMicroUsd,
    attempt,
    provider,
    model,
    prompt,
    againSinceMs = 0,
  }: Pick<
    Settlement,
    'usage' | 'costMicroUsd' | 'attempt' | 'provider' | 'model' | 'prompt' | 'againSinceMs'
  >,
  counted: CountedGeneration,
): StepFacts {
  assertCounts({ attempt, againSinceMs });
  return {
    step: 'settle',
    againSinceMs,
    skewMs: CLOCK_SKEW_MS,
    ...usageFacts(usage, costMicroUsd),
    costMicroUsd,
    attempt,
    provider: provider ?? counted.lastCalled?.provider ?? '',
    model: model ?? counted.lastCalled?.model ?? '',
    prompt,
    counted: countedFacts(counted),
  };
}

/** The parts of the usage in the order of the rows. */
function usageFacts(
  { estimated, inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens }: Usage,
  costMicroUsd: MicroUsd,
) {
  assertCounts({
    inputTokens,
    cachedInputTokens,
    cacheWriteTokens,
    outputTokens,
    reasoningTokens,
    costMicroUsd,
  });
  const usage = [inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens];
  return { estimated, usage, tokens: usage.reduce((sum, part) => sum + part) };
}

/** Redis keeps what a script wrote before it failed, so a script must never receive a number that it cannot add. */
function assertCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new RangeError(`${name} must be a whole number from 0, but is ${count}`);
    }
  }
}
