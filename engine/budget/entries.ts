/** The entries of a tenant: one append-only stream for each day (UTC) that they are booked on. They are the truth. */
import { z } from 'zod';
import type { BudgetSubjectKind } from '../../contracts/budgets.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { DAY_MS, dayOf } from '../../contracts/time.ts';
import { type LedgerRedis, readStream, type StreamEntry } from './ledger-redis.ts';

const READ_COUNT = 1_000;
/** Entries that one page reads, including those that it filters out. */
const SCANNED_PER_PAGE = 20_000;

const count = z.coerce.number().int();
const entrySchema = z.object({
  kind: z.enum(['reserve', 'extend', 'raise', 'debit', 'release']),
  generation: z.string(),
  user: z.string(),
  team: z.string(),
  key: z.string(),
  on: count,
  at: count,
  spentTokens: count,
  reservedTokens: count,
  spentMicroUsd: count,
  reservedMicroUsd: count,
  attempt: count,
  provider: z.string(),
  model: z.string(),
  estimated: z.enum(['0', '1']).transform((flag) => flag === '1'),
});

/** A change of the four sums: `on` is when it counts (the moment of the reservation), `at` when it was written. */
export type BudgetEntry = z.infer<typeof entrySchema> & { readonly id: string };

function parseEntry({ id, message }: StreamEntry): BudgetEntry {
  return { id, ...entrySchema.parse({ ...message }) };
}

/** The days (UTC) from the one that holds `fromMs` to the one that holds `untilMs`, both included. */
export function daysBetween(fromMs: number, untilMs: number): string[] {
  const days: string[] = [];
  for (let at = Math.floor(fromMs / DAY_MS) * DAY_MS; at <= untilMs; at += DAY_MS) days.push(dayOf(at));
  return days;
}

export function entriesKey(tenant: string, day: string): string {
  return REDIS_KEYS.budget(tenant, 'entries', day);
}

/** The entries of a day after an id ('' for all), oldest first. @returns the id of the last that was read. */
export async function readDay(
  redis: LedgerRedis,
  tenant: string,
  { day, after }: { readonly day: string; readonly after: string },
  visit: (entry: BudgetEntry) => void,
): Promise<string> {
  let last = after;
  for (;;) {
    const page = await readStream(redis, entriesKey(tenant, day), last, READ_COUNT);
    for (const entry of page) visit(parseEntry(entry));
    last = page.at(-1)?.id ?? last;
    if (page.length < READ_COUNT) return last;
  }
}

export interface EntriesQuery {
  /** Days in UTC, such as 2026-11-24, both included. */
  readonly from: string;
  readonly until: string;
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string | undefined;
  readonly generation?: string | undefined;
  readonly subject?: { readonly per: BudgetSubjectKind; readonly id: string } | undefined;
}

export interface EntriesPage {
  readonly data: readonly BudgetEntry[];
  /** Where the next page starts; null at the end. A short or empty page may still have a next one. */
  readonly next: string | null;
}

/** The entries of days that have left Redis. */
export interface ArchivedDays {
  /** Whether entries of the day may have been archived. */
  mayHave(day: string): boolean;
  /** Some of its entries, oldest first, after the id (exclusive; '' for all); empty if the archive has no more. */
  read(tenant: string, day: string, after: string): Promise<readonly StreamEntry[]>;
}

interface EntrySource {
  readonly redis: LedgerRedis;
  readonly archived: ArchivedDays | null;
}

/** The next entries of a day. One that is being moved is in the archive before it is removed from Redis. */
async function readNext(
  { redis, archived }: EntrySource,
  tenant: string,
  { day, after }: { readonly day: string; readonly after: string },
): Promise<{ readonly entries: readonly StreamEntry[]; readonly isEnd: boolean }> {
  const isOld = archived?.mayHave(day) === true;
  const moved = isOld ? await archived.read(tenant, day, after) : [];
  if (moved.length > 0) return { entries: moved, isEnd: false };
  const here = await readStream(redis, entriesKey(tenant, day), after, READ_COUNT);
  if (!isOld) return { entries: here, isEnd: here.length < READ_COUNT };
  if (here.length > 0) return { entries: here, isEnd: false };
  const movedSince = await archived.read(tenant, day, after);
  return { entries: movedSince, isEnd: movedSince.length === 0 };
}

export async function readEntriesPage(
  source: EntrySource,
  tenant: string,
  query: EntriesQuery,
): Promise<EntriesPage> {
  const [, dayAfter, idAfter] = /^(\d{4}-\d\d-\d\d)\/(\d+-\d+)$/.exec(query.after ?? '') ?? [];
  if (query.after !== undefined && dayAfter === undefined) {
    throw new UnbrokenError('invalid_request', 'after: expected the "next" of the page before.');
  }
  const { per, id } = query.subject ?? {};
  const wanted = (entry: BudgetEntry) =>
    (query.generation === undefined || entry.generation === query.generation) &&
    (per === undefined || entry[per] === id);
  const data: BudgetEntry[] = [];
  let scanned = 0;
  for (const day of daysBetween(Date.parse(query.from), Date.parse(query.until))) {
    if (dayAfter !== undefined && day < dayAfter) continue;
    let last = day === dayAfter ? (idAfter ?? '') : '';
    for (;;) {
      const { entries, isEnd } = await readNext(source, tenant, { day, after: last });
      for (const entry of entries.map(parseEntry)) {
        scanned += 1;
        last = entry.id;
        if (wanted(entry)) data.push(entry);
        if (data.length >= query.limit || scanned >= SCANNED_PER_PAGE)
          return { data, next: `${day}/${last}` };
      }
      if (isEnd) break;
    }
  }
  return { data, next: null };
}
