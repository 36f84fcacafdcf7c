/** What an administrator sees and does: limits, balances, entries, and the audit of one against the other. */
import { z } from 'zod';
import type { BudgetLimit, BudgetStanding, BudgetSubjectKind } from '../contracts/budgets.ts';
import { REDIS_KEYS } from '../contracts/names.ts';
import { type Audit, auditTenant, subjectKey } from './audit.ts';
import { type EntriesPage, type EntriesQuery, readEntriesPage } from './entries.ts';
import type { BudgetOwner } from './ledger.ts';
import type { LedgerRedis } from './ledger-redis.ts';
import type { LimitBook, Rules } from './limit-book.ts';
import { resetOf, spanOf } from './windows.ts';

/** Reservations that one report names. */
const OPEN_LISTED = 1_000;

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
  /** Reservations that nobody has settled, oldest first; those of running generations among them. */
  open(tenant: string): Promise<readonly OpenReservation[]>;
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
  const reservationOf = async (tenant: string, generationId: string): Promise<OpenReservation | null> => {
    const stored = await redis.hGetAll(REDIS_KEYS.budget(tenant, 'reservation', generationId));
    const { on, user, team, key } = stored;
    if (user === undefined || key === undefined) return null;
    return {
      generationId,
      reservedAtMs: Number(on),
      owner: { tenant, user, team: team || null, keyId: key },
    };
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
          ...{
            window,
            fromMs: first,
            resetsAtMs,
            spentTokens,
            reservedTokens,
            spentMicroUsd,
            reservedMicroUsd,
          },
          limits: limits.map(standing),
        };
      });
    },
    entries: (tenant, query) => readEntriesPage(redis, tenant, query),
    audit: async (tenant, { repair }) =>
      auditTenant(redis, tenant, { rules: await fresh(tenant), nowMs: clock(), repair }),
    ownerOf: async (tenant, generationId) => (await reservationOf(tenant, generationId))?.owner ?? null,
    async open(tenant) {
      const ids = await redis.zRange(REDIS_KEYS.budget(tenant, 'open'), 0, OPEN_LISTED - 1);
      const found = await Promise.all(ids.map((id) => reservationOf(tenant, id)));
      return found.filter((one) => one !== null);
    },
  };
}
