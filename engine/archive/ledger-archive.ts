/**
 * Old days of the ledger in the object store. No window and no settlement reaches back so far, so a day is complete
 * when it moves: its entries are written in parts, and only then removed from Redis. An interrupted move is repeated,
 * and writes the same parts again.
 */
import { z } from 'zod';
import { LIMITS } from '../../contracts/limits.ts';
import { OBJECT_FOLDERS, REDIS_KEYS } from '../../contracts/names.ts';
import { DAY_MS, dayOf } from '../../contracts/time.ts';
import { BoundedMap } from '../../platform/bounded-map.ts';
import { keyPart, type ObjectStore } from '../../platform/object-store/object-store.ts';
import { runScript, script } from '../../platform/redis/lua-script.ts';
import { withMethods } from '../../platform/with-methods.ts';
import type { ArchivedDays } from '../budget/entries.ts';
import type { BudgetLedger } from '../budget/ledger.ts';
import type { LedgerRedis, StreamEntry } from '../budget/ledger-redis.ts';
import { CLAIM } from './archive-scripts.ts';
import type { ObjectCodec } from './archived-object.ts';
import type { DueRedis } from './due-logs.ts';

const ENTRIES_PER_PART = 2_000;
const CLAIMED_AT_ONCE = 8;
/** Days of tenants that this process has noted. */
const NOTED = 10_000;

/**
 * As many entries are not the same ones: a failover may have lost the last, and another one came since.
 * KEYS entries of a day. ARGV how many were archived; id of the last. -> 1, or 0 if there are others
 */
const REMOVE_DAY = script(`
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if redis.call('XLEN', KEYS[1]) ~= tonumber(ARGV[1]) or last[1] ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
return 1
`);

const memberSchema = z.tuple([z.string(), z.string()]);
const entriesSchema = z.array(z.object({ id: z.string(), message: z.record(z.string(), z.string()) }));

type LedgerArchiveRedis = DueRedis & Pick<LedgerRedis, 'xRange'>;

interface LedgerArchiveOptions {
  readonly redis: LedgerArchiveRedis;
  readonly store: ObjectStore;
  readonly codec: ObjectCodec;
  /** Age of a day, in days, at which it moves, and at which it is deleted. */
  readonly afterDays: number;
  readonly keepDays: number;
  /** Receives why a day was not noted or moved; it stays in Redis. */
  readonly onError: (error: unknown) => void;
}

export class LedgerArchive implements ArchivedDays {
  readonly #options: LedgerArchiveOptions;
  readonly #noted = new BoundedMap<string, true>(NOTED);

  constructor(options: LedgerArchiveOptions) {
    this.#options = options;
  }

  /** A ledger whose days will move. */
  observe(ledger: BudgetLedger): BudgetLedger {
    return withMethods(ledger, {
      reserve: (reservation) => {
        this.#note(reservation.tenant, Date.now());
        return ledger.reserve(reservation);
      },
    });
  }

  mayHave(day: string): boolean {
    // A day earlier: clocks differ.
    return Date.parse(day) + (this.#options.afterDays - 1) * DAY_MS < Date.now();
  }

  async read(tenant: string, day: string, after: string): Promise<readonly StreamEntry[]> {
    const { store, codec } = this.#options;
    const afterName = after === '' ? '' : partName(after);
    for (let cursor: string | undefined; ; ) {
      const page = await store.list(folderOf(tenant, day), cursor === undefined ? {} : { after: cursor });
      for (const { key } of page.objects) {
        if ((key.split('/').at(-1) ?? '') <= afterName) continue;
        const bytes = await store.get(key);
        if (bytes === null) continue;
        const entries = entriesSchema.parse(JSON.parse(await codec.read(bytes)));
        return entries.filter(({ id }) => partName(id) > afterName);
      }
      if (page.next === null) return [];
      cursor = page.next;
    }
  }

  /** Moves the days that are due, and deletes those that were kept long enough. @returns how many moved */
  async sweep(nowMs: number, signal: AbortSignal): Promise<number> {
    let moved = 0;
    while (!signal.aborted) {
      const claimed = await this.#claim();
      if (claimed.length === 0) break;
      for (const member of claimed) {
        const [tenant, day] = memberSchema.parse(JSON.parse(member));
        const isMoved = await this.#moveDay(tenant, day).catch(this.#options.onError);
        if (isMoved !== true) continue;
        await this.#options.redis.zRem(REDIS_KEYS.archiveDaysDue, [member]);
        moved += 1;
      }
    }
    await this.#deleteBefore(dayOf(nowMs - this.#options.keepDays * DAY_MS));
    return moved;
  }

  async #claim(): Promise<string[]> {
    const claimed = await runScript(
      this.#options.redis,
      CLAIM,
      [REDIS_KEYS.archiveDaysDue],
      [CLAIMED_AT_ONCE, LIMITS.archiveClaimMs],
    );
    return z.array(z.string()).parse(claimed);
  }

  async #moveDay(tenant: string, day: string): Promise<boolean> {
    const { redis, store, codec } = this.#options;
    const key = REDIS_KEYS.budget(tenant, 'entries', day);
    let count = 0;
    let lastId = '';
    for (let from = '-'; ; ) {
      const page = (await redis.xRange(key, from, '+', { COUNT: ENTRIES_PER_PART })) ?? [];
      const last = page.at(-1);
      if (last === undefined) break;
      const plain = page.map(({ id, message }) => ({ id, message: { ...message } }));
      await store.put(
        `${folderOf(tenant, day)}${partName(last.id)}`,
        await codec.write(JSON.stringify(plain)),
      );
      count += page.length;
      lastId = last.id;
      from = `(${lastId}`;
    }
    return count === 0 || (await runScript(redis, REMOVE_DAY, [key], [count, lastId])) === 1;
  }

  async #deleteBefore(firstKept: string): Promise<void> {
    const { store } = this.#options;
    for (let after: string | undefined; ; ) {
      const page = await store.list(`${OBJECT_FOLDERS.ledger}/`, after === undefined ? {} : { after });
      const over = page.objects.filter(({ key }) => (key.split('/')[1] ?? '') < firstKept);
      await store.delete(over.map(({ key }) => key));
      // Days are listed in their order.
      if (page.next === null || over.length === 0) return;
      after = page.next;
    }
  }

  /** The day that a reservation is booked on is that of this moment, or, around midnight, the one before. */
  #note(tenant: string, nowMs: number): void {
    const day = dayOf(nowMs);
    const name = `${tenant}\0${day}`;
    if (this.#noted.get(name) === true) return;
    this.#noted.set(name, true);
    const { redis, afterDays, onError } = this.#options;
    for (const noted of [day, dayOf(nowMs - DAY_MS)]) {
      const member = {
        score: Date.parse(noted) + afterDays * DAY_MS,
        value: JSON.stringify([tenant, noted]),
      };
      redis.zAdd(REDIS_KEYS.archiveDaysDue, member, { condition: 'NX' }).catch((error: unknown) => {
        this.#noted.delete(name);
        onError(error);
      });
    }
  }
}

function folderOf(tenant: string, day: string): string {
  return `${OBJECT_FOLDERS.ledger}/${day}/${keyPart(tenant)}/`;
}

/** The id of an entry so that names sort as the ids do. */
function partName(id: string): string {
  const [ms = '', sequence = ''] = id.split('-');
  return `${ms.padStart(15, '0')}-${sequence.padStart(10, '0')}`;
}
