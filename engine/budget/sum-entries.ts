/**
 * Sums up the entries of a tenant by bucket: to build a window, and to compare a balance with its entries. The entries
 * are the truth; the buckets are sums of them.
 */
import { type BudgetEntry, entriesKey, readDay } from './entries.ts';
import type { LedgerRedis } from './ledger-redis.ts';
import { periodOf, type WindowId } from './windows.ts';

/** New entries that one call of the script may add up. */
const MOST_IN_SCRIPT = 500;
/** Rounds after which a subject is left to the next audit, because its entries arrive faster than they are read. */
const MOST_ROUNDS = 20;

/** What the entries of a bucket add up to, in the form that the script reads. */
interface BucketSum {
  /** Window and first ms of the bucket: `day[UTC]@1767225600000`. */
  readonly field: string;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly sums: [
    spentTokens: number,
    reservedTokens: number,
    spentMicroUsd: number,
    reservedMicroUsd: number,
  ];
}

/** The buckets of one subject. */
export class BucketSums {
  readonly #buckets = new Map<string, BucketSum>();

  /** Adds an entry to its bucket, unless that begins before `earliestMs`. */
  add(id: WindowId, entry: BudgetEntry, earliestMs: number): void {
    const { from } = periodOf(id, entry.on);
    if (from < earliestMs) return;
    const { sums } = this.bucket(id, from);
    sums[0] += entry.spentTokens;
    sums[1] += entry.reservedTokens;
    sums[2] += entry.spentMicroUsd;
    sums[3] += entry.reservedMicroUsd;
  }

  /** @param firstMs of the bucket. One without entries has sums of 0. */
  bucket(id: WindowId, firstMs: number): BucketSum {
    const field = `${id}@${firstMs}`;
    const known = this.#buckets.get(field);
    if (known !== undefined) return known;
    const { from, until } = periodOf(id, firstMs);
    const bucket: BucketSum = { field, from, to: until, sums: [0, 0, 0, 0] };
    this.#buckets.set(field, bucket);
    return bucket;
  }

  all(): readonly BucketSum[] {
    return [...this.#buckets.values()];
  }
}

/** How far the entries are read, for the script, which adds up the newer ones itself. */
interface ReadEntries {
  /** The streams of the days. */
  readonly keys: readonly string[];
  /** By stream, the id of the last entry that was read; '' for none. */
  readonly after: readonly string[];
  /** Newer entries that the script may add up. */
  readonly most: number;
}

/** Reads the entries of days, each once, while more come. */
export class EntryReader {
  readonly #redis: LedgerRedis;
  readonly #tenant: string;
  readonly #visit: (entry: BudgetEntry) => void;
  /** By day, the id of the last entry that was read; '' for none. */
  readonly #last: Map<string, string>;
  #count = 0;

  constructor(
    redis: LedgerRedis,
    tenant: string,
    days: readonly string[],
    visit: (entry: BudgetEntry) => void,
  ) {
    this.#redis = redis;
    this.#tenant = tenant;
    this.#visit = visit;
    this.#last = new Map(days.map((day) => [day, '']));
  }

  get count(): number {
    return this.#count;
  }

  async readOn(): Promise<void> {
    for (const [day, last] of this.#last) {
      const read = await readDay(this.#redis, this.#tenant, { day, after: last }, (entry) => {
        this.#count += 1;
        this.#visit(entry);
      });
      this.#last.set(day, read);
    }
  }

  /** Sends the script how far was read, and reads on when the script answers that this is too far behind. */
  async keepUp(ask: (read: ReadEntries) => Promise<unknown>): Promise<unknown> {
    const keys = [...this.#last.keys()].map((day) => entriesKey(this.#tenant, day));
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const answer = await ask({ keys, after: [...this.#last.values()], most: MOST_IN_SCRIPT });
      if (answer !== 'behind') return answer;
      await this.readOn();
    }
    return 'moved';
  }
}
