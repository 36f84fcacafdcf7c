/** The administrator's side of budgets: limits, balances, entries, and the audit of balances against entries. */
import { z } from 'zod';
import type { BudgetLimit, BudgetOwner, BudgetStanding, BudgetSubjectKind } from '../../contracts/budgets.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { askScript, script } from '../../platform/redis/lua-script.ts';
import { type Audit, auditTenant } from './audit.ts';
import type { BudgetLimits, Rules } from './budget-limits.ts';
import { type ArchivedDays, type EntriesPage, type EntriesQuery, readEntriesPage } from './entries.ts';
import type { LedgerRedis } from './ledger-redis.ts';
import { subjectKey } from './subject-key.ts';
import { resetOf, spanOf } from './windows.ts';

/** Open reservations that one step of a scan reads. */
const SCANNED_AT_ONCE = 1_000;

/** KEYS open reservations, reservation. An expired reservation will never be settled. */
const DROP_EXPIRED = script(`
local ask = cjson.decode(ARGV[1])
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
return redis.call('ZREM', KEYS[1], ask.generationId)
`);

interface WindowBalance {
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
  /** The batch whose run holds it until the generation has its own; null: none. */
  readonly heldBy: string | null;
}

const sumsSchema = z
  .string()
  .transform((packed) => packed.split(' ').map(Number))
  .pipe(z.tuple([z.int(), z.int(), z.int(), z.int()]));

interface BudgetAccountsOptions {
  readonly redis: LedgerRedis;
  readonly limits: BudgetLimits;
  readonly clock?: () => number;
  /** Days of the ledger that have left Redis; null: there is no archive. */
  readonly archived?: ArchivedDays | null;
}

export class BudgetAccounts {
  readonly limits: BudgetLimits;
  readonly #redis: LedgerRedis;
  readonly #archived: ArchivedDays | null;
  readonly #clock: () => number;

  constructor({ redis, limits, clock = Date.now, archived = null }: BudgetAccountsOptions) {
    this.limits = limits;
    this.#archived = archived;
    this.#redis = redis;
    this.#clock = clock;
  }

  /** The limits as they are in Redis now; this process may remember older ones. */
  async listLimits(tenant: string): Promise<Rules['limits']> {
    return (await this.limits.refresh(tenant)).limits;
  }

  async balances(tenant: string, per: BudgetSubjectKind, id: string): Promise<readonly WindowBalance[]> {
    const nowMs = this.#clock();
    const [rules, stored] = await Promise.all([
      this.limits.refresh(tenant),
      this.#redis.hGetAll(subjectKey(tenant, per, id)),
    ]);
    return rules.planOf(per, id).windows.map((window) => {
      const { first, last, stepMs } = spanOf(window.id, nowMs);
      const { sums, oldest } = addBuckets(stored, window.id, { first, last, stepMs });
      const [spentTokens, reservedTokens, spentMicroUsd, reservedMicroUsd] = sums;
      const resetsAtMs = resetOf(window.id, nowMs, oldest);
      const standing = (limit: BudgetLimit) => {
        const inTokens = limit.unit === 'tokens';
        const amount = limit.amount ?? 0;
        const spent = inTokens ? spentTokens : spentMicroUsd;
        const remaining = Math.max(0, amount - spent - (inTokens ? reservedTokens : reservedMicroUsd));
        const { unit, mode } = limit;
        return { per, id, window: limit.window, unit, limit: amount, spent, resetsAtMs, mode, remaining };
      };
      return {
        window: window.id,
        fromMs: first,
        resetsAtMs,
        spentTokens,
        reservedTokens,
        spentMicroUsd,
        reservedMicroUsd,
        limits: window.limits.map(standing),
      };
    });
  }

  entries(tenant: string, query: EntriesQuery): Promise<EntriesPage> {
    return readEntriesPage({ redis: this.#redis, archived: this.#archived }, tenant, query);
  }

  /** Recomputes all balances from entries. @param repair also corrects the ones that differ. */
  async audit(tenant: string, { repair }: { readonly repair: boolean }): Promise<Audit> {
    const rules = await this.limits.refresh(tenant);
    return auditTenant(this.#redis, tenant, { rules, nowMs: this.#clock(), repair });
  }

  /** The owner in whose budgets a generation has reserved; null if it has not. */
  async ownerOf(tenant: string, generationId: string): Promise<BudgetOwner | null> {
    return (await this.#readReservation(tenant, generationId))?.owner ?? null;
  }

  /** All unsettled reservations, including those of running generations, oldest first. */
  async open(tenant: string): Promise<readonly OpenReservation[]> {
    const open = new Map<string, OpenReservation>();
    for await (const ids of this.#openIds(tenant)) {
      for (const reservation of await Promise.all(ids.map((id) => this.reservationOf(tenant, id)))) {
        if (reservation !== null) open.set(reservation.generationId, reservation);
      }
    }
    return [...open.values()].toSorted((a, b) => a.reservedAtMs - b.reservedAtMs);
  }

  /** One unsettled reservation, as it is now; null if it was settled or never made. */
  async reservationOf(tenant: string, generationId: string): Promise<OpenReservation | null> {
    const reservation = await this.#readReservation(tenant, generationId);
    return reservation?.isOpen === true ? reservation : null;
  }

  /** Removes expired reservations from the list of open ones: no step will settle them. */
  async dropExpired(tenant: string): Promise<void> {
    const open = REDIS_KEYS.budget(tenant, 'open');
    for await (const ids of this.#openIds(tenant)) {
      await Promise.all(
        ids.map((generationId) => {
          const keys = [open, reservationKey(tenant, generationId)];
          return askScript(this.#redis, DROP_EXPIRED, { keys, ask: { generationId } });
        }),
      );
    }
  }

  async #readReservation(tenant: string, generationId: string) {
    const stored = await this.#redis.hGetAll(reservationKey(tenant, generationId));
    const { on, user, team, key, state, tokens, microUsd, heldBy = null } = stored;
    if (user === undefined || key === undefined) return null;
    return {
      isOpen: state === 'reserved',
      generationId,
      reservedAtMs: Number(on),
      reservedTokens: Number(tokens),
      reservedMicroUsd: Number(microUsd),
      heldBy,
      owner: { tenant, user, team: team || null, keyId: key },
    };
  }

  /** A scan returns each member that is present from its start to its end, however many come and go meanwhile. */
  async *#openIds(tenant: string): AsyncGenerator<readonly string[]> {
    const key = REDIS_KEYS.budget(tenant, 'open');
    let cursor = '0';
    do {
      const page = await this.#redis.zScan(key, cursor, { COUNT: SCANNED_AT_ONCE });
      yield page.members.map(({ value }) => value);
      cursor = String(page.cursor);
    } while (cursor !== '0');
  }
}

function reservationKey(tenant: string, generationId: string): string {
  return REDIS_KEYS.budget(tenant, 'reservation', generationId);
}

/** The sums of the buckets of a window, and the first ms of the oldest bucket. */
function addBuckets(
  stored: Readonly<Record<string, string>>,
  window: string,
  { first, last, stepMs }: { readonly first: number; readonly last: number; readonly stepMs: number },
) {
  const sums: [number, number, number, number] = [0, 0, 0, 0];
  let oldest: number | null = null;
  for (let at = first; at <= last; at += stepMs) {
    const packed = stored[`${window}@${at}`];
    if (packed === undefined) continue;
    oldest ??= at;
    const bucket = sumsSchema.parse(packed);
    sums[0] += bucket[0];
    sums[1] += bucket[1];
    sums[2] += bucket[2];
    sums[3] += bucket[3];
  }
  return { sums, oldest };
}
