/** What an administrator sees and does: limits, balances, entries, and the audit of one against the other. */
import { z } from 'zod';
import type { BudgetLimit, BudgetOwner, BudgetStanding, BudgetSubjectKind } from '../../contracts/budgets.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { runScript, script } from '../../platform/redis/lua-script.ts';
import { type Audit, auditTenant, subjectKey } from './audit.ts';
import { type EntriesPage, type EntriesQuery, readEntriesPage } from './entries.ts';
import type { LedgerRedis } from './ledger-redis.ts';
import type { LimitBook, Rules } from './limit-book.ts';
import { resetOf, spanOf } from './windows.ts';

/** Open reservations that one step of a scan reads. */
const SCANNED_AT_ONCE = 1_000;

/** KEYS open reservations, reservation. ARGV generation. A reservation that has expired will never be settled. */
const DROP_DEAD = script(`
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
return redis.call('ZREM', KEYS[1], ARGV[1])
`);

export interface WindowBalance {
  /** day[UTC], month[Europe/Berlin], 24h. */
  readonly window: string;
  readonly fromMs: number;
  readonly resetsAtMs: number;
  readonly spentTokens: number;
  readonly reservedTokens: number;
  readonly spentMicroUsd: number;
  readonly reservedMicroUsd: number;
  readonly limits: readonly (BudgetStanding & {
    readonly mode: 'hard' | 'soft';
    readonly remaining: number;
  })[];
}

export interface OpenReservation {
  readonly owner: BudgetOwner;
  readonly generationId: string;
  readonly reservedAtMs: number;
  readonly reservedTokens: number;
  readonly reservedMicroUsd: number;
}

export interface BudgetBooks {
  readonly limits: LimitBook;
  listLimits(tenant: string): Promise<Rules['limits']>;
  balances(tenant: string, per: BudgetSubjectKind, id: string): Promise<readonly WindowBalance[]>;
  entries(tenant: string, query: EntriesQuery): Promise<EntriesPage>;
  /** Recomputes all balances from entries. @param repair also puts right what differs. */
  audit(tenant: string, options: { readonly repair: boolean }): Promise<Audit>;
  /** Whose budgets a generation has reserved in; null where it has not. */
  ownerOf(tenant: string, generationId: string): Promise<BudgetOwner | null>;
  /** All reservations that nobody has settled, those of running generations among them. */
  open(tenant: string): Promise<readonly OpenReservation[]>;
  /** One of them, as it is now; null where it is settled or was never made. */
  reservationOf(tenant: string, generationId: string): Promise<OpenReservation | null>;
  /** Forgets open reservations of which nothing is left: nobody will settle them. */
  dropDead(tenant: string): Promise<void>;
}

const sumsSchema = z
  .string()
  .transform((packed) => packed.split(' ').map(Number))
  .pipe(z.tuple([z.int(), z.int(), z.int(), z.int()]));

export function createBudgetBooks({
  redis,
  book,
  clock = Date.now,
}: {
  readonly redis: LedgerRedis;
  readonly book: LimitBook;
  readonly clock?: () => number;
}): BudgetBooks {
  /** As they are in Redis now, whatever this process remembers. */
  const fresh = (tenant: string): Promise<Rules> => book.refresh(tenant);
  const keyOf = (tenant: string, generationId: string) =>
    REDIS_KEYS.budget(tenant, 'reservation', generationId);
  const read = async (tenant: string, generationId: string) => {
    const stored = await redis.hGetAll(keyOf(tenant, generationId));
    const { on, user, team, key, state, tokens, microUsd } = stored;
    if (user === undefined || key === undefined) return null;
    return {
      isOpen: state === 'reserved',
      generationId,
      reservedAtMs: Number(on),
      reservedTokens: Number(tokens),
      reservedMicroUsd: Number(microUsd),
      owner: { tenant, user, team: team || null, keyId: key },
    };
  };
  const reservationOf = async (tenant: string, generationId: string): Promise<OpenReservation | null> => {
    const found = await read(tenant, generationId);
    return found?.isOpen === true ? found : null;
  };
  /** A scan meets each member that is there all the time, however many come and go meanwhile. */
  const openIds = async function* (tenant: string): AsyncGenerator<readonly string[]> {
    let cursor = '0';
    do {
      const page = await redis.zScan(REDIS_KEYS.budget(tenant, 'open'), cursor, { COUNT: SCANNED_AT_ONCE });
      yield page.members.map(({ value }) => value);
      cursor = String(page.cursor);
    } while (cursor !== '0');
  };
  return {
    limits: book,
    listLimits: async (tenant) => (await fresh(tenant)).limits,
    async balances(tenant, per, id) {
      const nowMs = clock();
      const [rules, stored] = await Promise.all([fresh(tenant), redis.hGetAll(subjectKey(tenant, per, id))]);
      return rules.planOf(per, id).windows.map(({ id: window, limits }) => {
        const { first, last, stepMs } = spanOf(window, nowMs);
        const sums = [0, 0, 0, 0];
        let oldest: number | null = null;
        for (let at = first; at <= last; at += stepMs) {
          const packed = stored[`${window}@${at}`];
          if (packed === undefined) continue;
          oldest ??= at;
          for (const [index, sum] of sumsSchema.parse(packed).entries())
            sums[index] = (sums[index] ?? 0) + sum;
        }
        const [spentTokens = 0, reservedTokens = 0, spentMicroUsd = 0, reservedMicroUsd = 0] = sums;
        const resetsAtMs = resetOf(window, nowMs, oldest);
        const standing = (limit: BudgetLimit) => {
          const inTokens = limit.unit === 'tokens';
          const amount = limit.amount ?? 0;
          const spent = inTokens ? spentTokens : spentMicroUsd;
          const remaining = Math.max(0, amount - spent - (inTokens ? reservedTokens : reservedMicroUsd));
          const { unit, mode } = limit;
          return { per, id, window: limit.window, unit, limit: amount, spent, resetsAtMs, mode, remaining };
        };
        return {
          window,
          fromMs: first,
          resetsAtMs,
          spentTokens,
          reservedTokens,
          spentMicroUsd,
          reservedMicroUsd,
          limits: limits.map(standing),
        };
      });
    },
    entries: (tenant, query) => readEntriesPage(redis, tenant, query),
    audit: async (tenant, { repair }) =>
      auditTenant(redis, tenant, { rules: await fresh(tenant), nowMs: clock(), repair }),
    ownerOf: async (tenant, generationId) => (await read(tenant, generationId))?.owner ?? null,
    reservationOf,
    async open(tenant) {
      const found = new Map<string, OpenReservation>();
      for await (const ids of openIds(tenant)) {
        for (const one of await Promise.all(ids.map((id) => reservationOf(tenant, id)))) {
          if (one !== null) found.set(one.generationId, one);
        }
      }
      return [...found.values()].toSorted((a, b) => a.reservedAtMs - b.reservedAtMs);
    },
    async dropDead(tenant) {
      for await (const ids of openIds(tenant)) {
        await Promise.all(
          ids.map((id) =>
            runScript(redis, DROP_DEAD, [REDIS_KEYS.budget(tenant, 'open'), keyOf(tenant, id)], [id]),
          ),
        );
      }
    },
  };
}
