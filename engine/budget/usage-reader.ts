/** Reads the usage statistics of a tenant from Redis, a page of rows at a time, so that no request waits for long. */
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { DAY_MS, HOUR_MS } from '../../contracts/time.ts';
import { daysBetween } from './entries.ts';
import { parseRow, SEPARATOR, type UsageRow, usageKeys } from './usage-rows.ts';

const ROWS_AT_ONCE = 1_000;
const DAYS_AT_ONCE = 16;

export interface UsageRedis {
  hScan(
    key: string,
    cursor: string,
    options: { COUNT: number; MATCH?: string },
  ): Promise<{
    readonly cursor: string | number;
    readonly entries: readonly { readonly field: string; readonly value: string }[];
  }>;
}

export interface UsagePeriod {
  /** Days in UTC, both included. */
  readonly from: string;
  readonly until: string;
  readonly each: 'day' | 'hour';
}

/** `day`: sums without users, latencies and failures; `users`: sums with users; `hours`: as `day`, by the hour. */
type RowSource = 'day' | 'users' | 'hours';

interface RowQuery {
  readonly period: UsagePeriod;
  readonly source: RowSource;
  /** Only rows of this user. */
  readonly user?: string | undefined;
}

export class UsageReader {
  readonly #redis: UsageRedis;

  constructor(redis: UsageRedis) {
    this.#redis = redis;
  }

  /**
   * Calls `visit` for each row, days in any order.
   * @throws invalid_request if there are more rows than one request may read.
   */
  async read(tenant: string, query: RowQuery, visit: (atMs: number, row: UsageRow) => void): Promise<void> {
    const { from, until } = query.period;
    const days = daysBetween(Date.parse(from), Date.parse(until));
    let left = LIMITS.usageRowsPerQuery;
    for (let first = 0; first < days.length; first += DAYS_AT_ONCE) {
      const batch = days.slice(first, first + DAYS_AT_ONCE);
      await Promise.all(
        batch.map(async (day) => {
          // A scan may return a field twice.
          const rows = new Map<string, string>();
          for await (const { field, value } of this.#scan(tenant, day, query)) {
            if (!rows.has(field)) left -= 1;
            if (left < 0) throw tooManyRows();
            rows.set(field, value);
          }
          for (const [field, value] of rows) visitRow(day, query.source, { field, value }, visit);
        }),
      );
    }
  }

  async *#scan(tenant: string, day: string, { source, user }: RowQuery) {
    const [dayKey, usersKey, hoursKey] = usageKeys(tenant, day);
    const key = { day: dayKey, users: usersKey, hours: hoursKey }[source];
    const match = user === undefined ? {} : { MATCH: `*${SEPARATOR}${literal(user)}${SEPARATOR}*` };
    let cursor = '0';
    do {
      const page = await this.#redis.hScan(key, cursor, { COUNT: ROWS_AT_ONCE, ...match });
      yield* page.entries;
      cursor = String(page.cursor);
    } while (cursor !== '0');
  }
}

function visitRow(
  day: string,
  source: RowSource,
  { field, value }: { readonly field: string; readonly value: string },
  visit: (atMs: number, row: UsageRow) => void,
): void {
  const parts = field.split(SEPARATOR);
  const hour = source === 'hours' ? Number(parts.shift()) : 0;
  const row = parseRow(parts, value);
  if (row !== null) visit(Date.parse(day) + hour * HOUR_MS, row);
}

/** The pattern that matches this text alone. */
function literal(text: string): string {
  return text.replaceAll(/[\\*?[\]]/g, '\\$&');
}

function tooManyRows(): UnbrokenError {
  const message = `The period has more than ${LIMITS.usageRowsPerQuery} rows; ask for a shorter one, or for one user.`;
  return new UnbrokenError('invalid_request', message);
}

/** When each day or hour of a period begins. */
export function beginnings({ from, until, each }: UsagePeriod): number[] {
  const stepMs = each === 'hour' ? HOUR_MS : DAY_MS;
  const endMs = Date.parse(until) + DAY_MS;
  const starts: number[] = [];
  for (let atMs = Date.parse(from); atMs < endMs; atMs += stepMs) starts.push(atMs);
  return starts;
}
