/**
 * What must be true of the books of a tenant, read from Redis as it lies there. Written apart from the ledger: it has
 * its own calendar and its own sums, and shares with it only what the limits are called.
 */
import type { createClient } from 'redis';
import { countWrongUsage, type SpentLine } from './check-usage.ts';

type Redis = Pick<ReturnType<typeof createClient>, 'keys' | 'hGetAll' | 'xRange' | 'zRange'>;

export interface CheckedLimit {
  readonly per: 'user' | 'team' | 'key';
  /** Each of them, where it is *. */
  readonly id: string;
  /** day, month or a number of hours, such as 24h. */
  readonly window: string;
  readonly unit: 'tokens' | 'micro-usd';
  readonly amount: number;
  readonly timeZone: string;
}

export interface BudgetFaults {
  readonly entries: number;
  /** How many entries there are of each kind. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Entries after which a hard budget held or had spent more than it may. */
  readonly overspent: number;
  /** Generations whose reservation nobody gave back. */
  readonly leaked: number;
  /**
   * Buckets and usage statistics that are not the sum of their entries, and generations that were booked at another sum
   * than they used.
   */
  readonly unbalanced: number;
  readonly examples: readonly string[];
}

interface Line extends SpentLine {
  readonly id: string;
  /** Entries have one stream for each day. */
  readonly stream: string;
  readonly kind: string;
  readonly generation: string;
  readonly held: Readonly<Record<CheckedLimit['unit'], number>>;
}

/** @param used what each generation really used in tokens, where that is known. */
export async function checkBudgets(
  redis: Redis,
  tenant: string,
  limits: readonly CheckedLimit[],
  used: ReadonlyMap<string, number> = new Map(),
): Promise<BudgetFaults> {
  const root = `ub:budget:{${tenant}}:`;
  const lines: Line[] = [];
  for (const key of await redis.keys(`${root}entries:*`)) {
    for (const { id, message } of (await redis.xRange(key, '-', '+')) ?? [])
      lines.push(lineOf(key, id, message));
  }
  lines.sort((a, b) => compareIds(a.id, b.id));
  const examples: string[] = [];
  const note = (fault: string) => {
    if (examples.length < 10) examples.push(fault);
  };
  const overspent = countOverspent(lines, limits, note);
  const leaked = await countLeaked(redis, root, lines, note);
  const unbalanced =
    (await countWrongBuckets(redis, root, lines, note)) +
    (await countWrongUsage(redis, root, lines, note)) +
    countWrongGenerations(lines, used, note);
  const kinds: Record<string, number> = {};
  for (const { kind } of lines) kinds[kind] = (kinds[kind] ?? 0) + 1;
  return { entries: lines.length, kinds, overspent, leaked, unbalanced, examples };
}

function lineOf(stream: string, id: string, entry: Record<string, string>): Line {
  const number = (name: string) => {
    const value = Number(entry[name]);
    if (!Number.isSafeInteger(value)) throw new Error(`${id}: ${name} is ${entry[name]}`);
    return value;
  };
  return {
    id,
    stream,
    kind: entry['kind'] ?? '',
    generation: entry['generation'] ?? '',
    who: { user: entry['user'] ?? '', team: entry['team'] ?? '', key: entry['key'] ?? '' },
    model: entry['provider'] === '' ? '' : `${entry['provider']}/${entry['model']}`,
    on: number('on'),
    spent: { tokens: number('spentTokens'), 'micro-usd': number('spentMicroUsd') },
    held: { tokens: number('reservedTokens'), 'micro-usd': number('reservedMicroUsd') },
  };
}

function countOverspent(
  lines: readonly Line[],
  limits: readonly CheckedLimit[],
  note: (fault: string) => void,
): number {
  let faults = 0;
  for (const limit of limits) {
    const sums = new Map<string, number>();
    const unchecked = new Set<string>();
    const limited = lines.filter(({ who }) => {
      const id = who[limit.per];
      return id !== '' && (limit.id === '*' || limit.id === id);
    });
    for (const [index, line] of limited.entries()) {
      const who = line.who[limit.per];
      // A rolling window longer than the whole run holds all of it.
      const period = /^\d/.test(limit.window) ? 'all' : calendarName(limit.window, limit.timeZone, line.on);
      const sum = (sums.get(`${who} ${period}`) ?? 0) + line.spent[limit.unit] + line.held[limit.unit];
      sums.set(`${who} ${period}`, sum);
      unchecked.add(`${who} ${period}`);
      if (isOrderUnknown(line, limited[index + 1])) continue;
      for (const name of unchecked) {
        const total = sums.get(name) ?? 0;
        if (total <= limit.amount) continue;
        faults += 1;
        note(
          `${limit.per} ${name} ${limit.window}: ${total} ${limit.unit} of ${limit.amount} after ${line.id}`,
        );
      }
      unchecked.clear();
    }
  }
  return faults;
}

/** Ids of different streams tell no order within a millisecond: a reservation may seem to precede what made room. */
function isOrderUnknown(line: Line, next: Line | undefined): boolean {
  const msOf = ({ id }: Line) => id.split('-')[0];
  return next !== undefined && next.stream !== line.stream && msOf(next) === msOf(line);
}

async function countLeaked(
  redis: Redis,
  root: string,
  lines: readonly Line[],
  note: (fault: string) => void,
): Promise<number> {
  const held = new Map<string, number>();
  for (const { generation, held: change } of lines) {
    held.set(generation, (held.get(generation) ?? 0) + change.tokens + change['micro-usd']);
  }
  const leaked = new Set([...held].filter(([, sum]) => sum !== 0).map(([generation]) => generation));
  for (const generation of await redis.zRange(`${root}open`, 0, -1)) leaked.add(generation);
  for (const generation of leaked) note(`${generation} holds ${held.get(generation) ?? 0}`);
  return leaked.size;
}

async function countWrongBuckets(
  redis: Redis,
  root: string,
  lines: readonly Line[],
  note: (fault: string) => void,
): Promise<number> {
  let faults = 0;
  for (const key of await redis.keys(`${root}subject:*`)) {
    const [kind, encoded = ''] = key.slice(`${root}subject:`.length).split(':');
    if (kind !== 'user' && kind !== 'team' && kind !== 'key') throw new Error(`what is ${key}?`);
    const own = lines.filter((line) => line.who[kind] === decodeURIComponent(encoded));
    for (const [field, stored] of Object.entries(await redis.hGetAll(key))) {
      const [, window, start] = /^(.+)@(\d+)$/.exec(field) ?? [];
      if (window === undefined) continue;
      const sums = [0, 0, 0, 0];
      for (const line of own.filter(({ on }) => isIn(window, Number(start), on))) {
        const parts = [line.spent.tokens, line.held.tokens, line.spent['micro-usd'], line.held['micro-usd']];
        for (const [index, part] of parts.entries()) sums[index] = (sums[index] ?? 0) + part;
      }
      if (stored === sums.join(' ')) continue;
      faults += 1;
      note(`${key} ${field} is ${stored}, its entries are ${sums.join(' ')}`);
    }
  }
  return faults;
}

function countWrongGenerations(
  lines: readonly Line[],
  used: ReadonlyMap<string, number>,
  note: (fault: string) => void,
): number {
  const booked = new Map<string, number>();
  for (const { generation, spent } of lines) {
    booked.set(generation, (booked.get(generation) ?? 0) + spent.tokens);
  }
  let faults = 0;
  for (const [generation, tokens] of used) {
    if ((booked.get(generation) ?? 0) === tokens) continue;
    faults += 1;
    note(`${generation} used ${tokens} and was booked at ${booked.get(generation) ?? 0}`);
  }
  return faults;
}

/** Whether a moment is in the bucket that begins at `start`. */
function isIn(window: string, start: number, on: number): boolean {
  const [, kind, timeZone] = /^(day|month)\[(.+)\]$/.exec(window) ?? [];
  if (kind !== undefined && timeZone !== undefined) {
    return calendarName(kind, timeZone, start) === calendarName(kind, timeZone, on);
  }
  const [, count, unit] = /^(\d+)([hd])$/.exec(window) ?? [];
  if (count === undefined) throw new Error(`what is the window ${window}?`);
  const step = Math.ceil((Number(count) * (unit === 'h' ? 3_600_000 : 86_400_000)) / 48);
  return on >= start && on < start + step;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** 2026-11-24 or 2026-11, as a calendar on that wall shows it. */
function calendarName(kind: string, timeZone: string, at: number): string {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  formats.set(timeZone, format);
  return format.format(at).slice(0, kind === 'day' ? 10 : 7);
}

function compareIds(a: string, b: string): number {
  const [aMs = 0, aCount = 0] = a.split('-').map(Number);
  const [bMs = 0, bCount = 0] = b.split('-').map(Number);
  return aMs - bMs || aCount - bCount;
}
