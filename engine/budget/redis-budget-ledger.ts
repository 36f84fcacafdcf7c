/**
 * Budgets in Redis: a saga of reserve, extend and settle. One script decides each step over all budgets that it
 * touches, so no two callers can share the last tokens. Every change is an entry of an append-only stream; the sum of
 * the entries is the balance.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { BudgetLimit, BudgetOwner, BudgetStanding, BudgetWarning } from '../../contracts/budgets.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { BoundedMap } from '../../platform/bounded-map.ts';
import type { ConfigFile } from '../../platform/config/schema.ts';
import { buildWindows, SUBJECT_KEEP_MS, subjectKey } from './audit.ts';
import { dayOf, entriesKey } from './entries.ts';
import type { BudgetLedger, Granted, Refused, ReserveOutcome } from './ledger.ts';
import { askWithNames, type LedgerRedis, questionOf } from './ledger-redis.ts';
import {
  createLimitBook,
  type LimitBook,
  parseBudgetName,
  type SubjectPlan,
  subjectsOf,
} from './limit-book.ts';
import { STEP } from './step-script.ts';
import { resetOf, spanOf, type WindowId } from './windows.ts';

export interface LedgerOptions {
  readonly redis: LedgerRedis;
  /** The limits of the config, for every tenant. */
  readonly limits: readonly BudgetLimit[];
  /** IANA name; of day and month where a limit names none. */
  readonly timeZone: string;
  /** How long entries are kept after the day that they are booked on; at least 40 days, for the longest month. */
  readonly keepEntriesMs: number;
  readonly clock?: () => number;
}

/** The settings of a ledger in the config. */
export function budgetSettings({ budgets }: ConfigFile): Omit<LedgerOptions, 'redis'> {
  const { limits, timeZone, keepEntriesDays } = budgets;
  return { limits, timeZone, keepEntriesMs: keepEntriesDays * DAY_MS };
}

const DAY_MS = 24 * 3_600_000;
/** A settled generation is remembered so long: a step that is repeated later finds nothing and would book again. */
const REMEMBER_MS = 7 * DAY_MS;
/** A reservation is made by the clock of a worker, and its generation by that of Redis. */
const CLOCK_SKEW_MS = 60_000;
/** A look may go by limits of this age. */
const LOOK_AGE_MS = 5_000;
/**
 * A window that no reservation has asked for since then is dropped. Long enough for a deploy, in which processes with old and
 * new limits work side by side: each drop makes the next reservation of the others read the entries.
 */
const IDLE_WINDOW_MS = 3_600_000;
/** Subjects whose windows of other processes are remembered; what is forgotten is asked for again. */
const SPARE_SUBJECTS = 10_000;
/** Limits changed, a window was built, or another step came first: each is settled by asking again. */
const MOST_ROUNDS = 20;

const placeSchema = z.object({
  subject: z.number(),
  window: z.string(),
  name: z.string(),
  amount: z.number(),
  hard: z.boolean(),
  spent: z.number(),
  left: z.number(),
  oldest: z.number(),
  period: z.string(),
  level: z.number().optional(),
});
type Place = z.infer<typeof placeSchema>;

const stepAnswerSchema = z.discriminatedUnion('answer', [
  z.object({ answer: z.literal('stale') }),
  z.object({ answer: z.literal('build') }),
  z.object({ answer: z.literal('moved') }),
  z.object({ answer: z.literal('abandoned') }),
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
  }),
  z.object({ answer: z.literal('refused'), place: placeSchema.optional() }),
  z.object({ answer: z.literal('settled'), warnings: z.array(placeSchema).default([]) }),
]);
type StepAnswer = z.infer<typeof stepAnswerSchema>;
type Final = Exclude<StepAnswer, { answer: 'stale' | 'build' | 'moved' | 'unasked' | 'abandoned' }>;

/** Settles with no more than what is booked. */
const RELEASE = { op: 'settle', tokens: 0, microUsd: 0, estimated: true, attempt: 0 };

/** What one step asks of the script, beside what every step asks. */
type StepFacts = Readonly<Record<string, string | number | boolean | readonly object[]>>;

/** Names that a step carries besides those of its owner: of the model that a settlement is for, and of each charge. */
type StepNames = readonly { readonly provider: string | null; readonly model: string | null }[];
const NO_MODEL = { provider: null, model: null };

type Owned = BudgetOwner & { readonly generationId: string };

export function createRedisBudgetLedger(options: LedgerOptions): BudgetLedger & { readonly book: LimitBook } {
  const { redis, keepEntriesMs, clock = Date.now } = options;
  const book = createLimitBook({ redis, defaults: options.limits, timeZone: options.timeZone, clock });
  const building = new Map<string, Promise<void>>();
  /** Windows that other processes keep, by the key of their subject. */
  const spares = new BoundedMap<string, Set<WindowId>>(SPARE_SUBJECTS);

  const noteSpares = (
    tenant: string,
    plans: readonly SubjectPlan[],
    windows: readonly { readonly subject: number; readonly window: WindowId }[],
  ) => {
    for (const { subject, window } of windows) {
      const plan = plans[subject];
      if (plan === undefined) throw new Error(`The ledger named subject ${subject} of ${tenant}.`);
      const key = subjectKey(tenant, plan.kind, plan.id);
      spares.set(key, (spares.get(key) ?? new Set()).add(window));
    }
  };

  /** Two reservations that miss the same window wait for one reading of its entries. */
  const build = async (tenant: string, plans: readonly SubjectPlan[]): Promise<void> => {
    for (const plan of plans) {
      const key = subjectKey(tenant, plan.kind, plan.id);
      const running = building.get(key) ?? buildWindows(redis, tenant, plan, clock());
      building.set(key, running);
      await running.finally(() => building.delete(key));
    }
  };

  const once = async (owned: Owned, onMs: number, facts: StepFacts, names: StepNames) => {
    const { tenant, generationId, user, team, keyId } = owned;
    const rules = await book.rulesOf(tenant);
    const nowMs = clock();
    const bookedMs = facts['op'] === 'reserve' || facts['op'] === 'look' ? nowMs : onMs;
    const plans = subjectsOf(owned).map(({ kind, id }) => rules.planOf(kind, id));
    const keys = [
      REDIS_KEYS.budget(tenant, 'limits'),
      REDIS_KEYS.budget(tenant, 'reservation', generationId),
      entriesKey(tenant, dayOf(bookedMs)),
      REDIS_KEYS.budget(tenant, 'open'),
      ...plans.map(({ kind, id }) => subjectKey(tenant, kind, id)),
    ];
    const question = questionOf({
      version: rules.version,
      now: nowMs,
      on: bookedMs,
      keepMs: SUBJECT_KEEP_MS,
      keepEntriesMs,
      rememberMs: REMEMBER_MS,
      idleMs: IDLE_WINDOW_MS,
      subjects: plans.map((plan) => {
        const others = spares.get(subjectKey(tenant, plan.kind, plan.id));
        return windowsOf(plan, others ?? NO_SPARES, { nowMs, bookedMs });
      }),
      ...facts,
    });
    const answer = await askWithNames(redis, STEP, keys, [
      question,
      generationId,
      user,
      team ?? '',
      keyId,
      ...names.flatMap(({ provider, model }) => [provider ?? '', model ?? '']),
    ]);
    return { answer: stepAnswerSchema.parse(answer), plans, rules };
  };

  /** Asks until the answer is final. */
  const ask = async (owned: Owned, facts: StepFacts, names: StepNames = [NO_MODEL]): Promise<Final> => {
    const reservation = REDIS_KEYS.budget(owned.tenant, 'reservation', owned.generationId);
    const begins = facts['op'] === 'reserve' || facts['op'] === 'look';
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const bookedOn = begins ? null : await redis.hGet(reservation, 'on');
      const { answer, plans, rules } = await once(
        owned,
        bookedOn === null ? clock() : Number(bookedOn),
        facts,
        names,
      );
      if (answer.answer === 'stale') await book.refresh(owned.tenant, rules);
      else if (answer.answer === 'build') await build(owned.tenant, plans);
      else if (answer.answer === 'abandoned') await ask(owned, RELEASE);
      else if (answer.answer === 'unasked') noteSpares(owned.tenant, plans, answer.windows);
      else if (answer.answer !== 'moved') return answer;
    }
    throw new Error(`The budgets of ${owned.tenant} change faster than they can be read.`);
  };

  const decide = async (owned: Owned, facts: StepFacts, names?: StepNames): Promise<ReserveOutcome> =>
    outcomeOf(await ask(owned, facts, names), owned, clock());

  return {
    book,

    async reserve(reservation) {
      const { inputTokens, maxOutputTokens, minOutputTokens, price, againSinceMs = 0 } = reservation;
      assertCounts({ inputTokens, maxOutputTokens, minOutputTokens, againSinceMs, ...price });
      return decide(reservation, {
        op: 'reserve',
        input: inputTokens,
        wish: maxOutputTokens,
        least: minOutputTokens,
        again: againSinceMs,
        skewMs: CLOCK_SKEW_MS,
        fixed: price.fixedMicroUsd,
        rate: price.outputMicroUsdPerMillion,
      });
    },

    async extend(extension) {
      const { inputTokens, deliveredTokens, minOutputTokens, price } = extension;
      assertCounts({ inputTokens, deliveredTokens, minOutputTokens, ...price });
      const charges = extension.charges.map(({ tokens, costMicroUsd, attempt, estimated }) => {
        assertCounts({ tokens, costMicroUsd });
        return { attempt, estimated, tokens, microUsd: costMicroUsd };
      });
      const facts = {
        op: 'extend',
        charges,
        input: inputTokens,
        delivered: deliveredTokens,
        least: minOutputTokens,
        fixed: price.fixedMicroUsd,
        rate: price.outputMicroUsdPerMillion,
      };
      return decide(extension, facts, [NO_MODEL, ...extension.charges]);
    },

    async raise(raise) {
      assertCounts({ maxOutputTokens: raise.maxOutputTokens });
      return decide(raise, { op: 'raise', cap: raise.maxOutputTokens });
    },

    async settle(settlement) {
      const { tokens, costMicroUsd, estimated, attempt, provider, model } = settlement;
      assertCounts({ tokens, costMicroUsd, attempt });
      const facts = { op: 'settle', tokens, microUsd: costMicroUsd, estimated, attempt };
      const answer = await ask(settlement, facts, [{ provider, model }]);
      const places = answer.answer === 'settled' ? answer.warnings : [];
      return { warnings: places.map((place) => warningOf(place, settlement, clock())) };
    },

    async look(owner, needed) {
      const known = await book.rulesOf(owner.tenant);
      const isOld = clock() - known.readAtMs > LOOK_AGE_MS;
      const rules = isOld ? await book.refresh(owner.tenant, known) : known;
      const limited = subjectsOf(owner).some(({ kind, id }) =>
        rules.planOf(kind, id).windows.some(({ limits }) => limits.some(({ mode }) => mode === 'hard')),
      );
      if (!limited) return null;
      // A fixed price of 1: money that is all spent refuses whatever it would cost.
      const facts = { op: 'look', input: await needed(), fixed: 1, rate: 0 };
      const outcome = await decide({ ...owner, generationId: '' }, facts);
      return outcome.granted ? null : outcome;
    },
  };
}

const NO_SPARES: ReadonlySet<WindowId> = new Set();

/** The windows of a subject as the script wants them, by id. */
function windowsOf(
  { windows }: SubjectPlan,
  spares: ReadonlySet<WindowId>,
  { nowMs, bookedMs }: { readonly nowMs: number; readonly bookedMs: number },
) {
  const planned = windows.map(({ id, limits }) => ({ id, limits, isSpare: false }));
  const others = [...spares].filter((id) => windows.every((window) => window.id !== id));
  const all = [...planned, ...others.map((id) => ({ id, limits: [], isSpare: true }))];
  return {
    windows: all
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map(({ id, limits, isSpare }) => {
        const { at, first, last, stepMs, keepFrom } = spanOf(id, nowMs, bookedMs);
        return {
          id,
          at,
          first,
          last,
          step: stepMs,
          keepFrom,
          spare: isSpare,
          period: first === last ? String(at) : 'rolling',
          limits: limits.map((limit) => ({
            name: `${limit.per}/${limit.id}/${limit.window}/${limit.unit}`,
            unit: limit.unit,
            amount: limit.amount ?? 0,
            hard: limit.mode === 'hard',
            warn: Math.ceil((limit.amount ?? 0) * limit.warnAt),
          })),
        };
      }),
  };
}

function outcomeOf(answer: Final, owner: BudgetOwner, nowMs: number): Granted | Refused {
  if (answer.answer !== 'granted') {
    const place = answer.answer === 'refused' ? answer.place : undefined;
    return {
      granted: false,
      budget: place === undefined ? null : standingOf(place, owner, nowMs),
      remaining: place?.left ?? 0,
    };
  }
  return {
    granted: true,
    reservedTokens: answer.tokens,
    reservedMicroUsd: answer.microUsd,
    maxOutputTokens: answer.output,
    capTokens: answer.cap,
    remainingTokens: answer.remaining ?? null,
    warnings: answer.warnings.map((place) => standingOf(place, owner, nowMs)),
  };
}

function standingOf(place: Place, owner: BudgetOwner, nowMs: number): BudgetStanding {
  const { window, unit } = parseBudgetName(place.name);
  const subject = subjectsOf(owner)[place.subject];
  if (subject === undefined) throw new Error(`The ledger named subject ${place.subject} of ${owner.tenant}.`);
  const { amount, spent, oldest } = place;
  const resetsAtMs = resetOf(place.window, nowMs, oldest < 0 ? null : oldest);
  return { per: subject.kind, id: subject.id, window, unit, limit: amount, spent, resetsAtMs };
}

function warningOf(place: Place, settlement: Owned, nowMs: number): BudgetWarning {
  const standing = standingOf(place, settlement, nowMs);
  const { tenant, generationId } = settlement;
  const level = place.level === 2 ? 'reached' : 'near';
  // One for each crossing: of a calendar period by its start, of a rolling window by who crossed.
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

/** Redis keeps what a script wrote before it failed, so nothing may reach one that it cannot add. */
function assertCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new RangeError(`${name} must be a whole number from 0, but is ${count}`);
    }
  }
}
