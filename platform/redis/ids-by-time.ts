/** Ids in a sorted set, by the times at which they were added. */
type Order = 'asc' | 'desc';

export interface IdsByTimeRedis {
  zRange(
    key: string,
    from: number | string,
    to: number | string,
    options: { BY: 'SCORE'; REV?: true; LIMIT: { offset: number; count: number } },
  ): Promise<string[]>;
}

interface Page {
  /** `desc`, the default: the newest first. */
  readonly order?: Order;
  /** The first time: `(` before it leaves that one out. Absent: all ids. */
  readonly from?: number | `(${number}` | undefined;
  readonly offset?: number;
  readonly count: number;
}

export function idsByTime(
  redis: IdsByTimeRedis,
  key: string,
  { order = 'desc', from, offset = 0, count }: Page,
): Promise<string[]> {
  const limit = { BY: 'SCORE', LIMIT: { offset, count } } as const;
  if (order === 'asc') return redis.zRange(key, from ?? '-inf', '+inf', limit);
  return redis.zRange(key, from ?? '+inf', '-inf', { ...limit, REV: true });
}

interface PagesAfter {
  readonly order?: Order;
  /** The last id that is known; null: none is. */
  readonly last: { readonly id: string; readonly atMs: number } | null;
  /** Ids of one page. */
  readonly count: number;
}

/** The ids after a known one. Some share its time, so the first page begins with that time and is cut. */
export async function* pagesAfter(
  redis: IdsByTimeRedis,
  key: string,
  { order = 'desc', last, count }: PagesAfter,
): AsyncGenerator<readonly string[]> {
  let isBehind = last === null;
  for (let offset = 0; ; offset += count) {
    const ids = await idsByTime(redis, key, { order, from: last?.atMs, offset, count });
    const cut = isBehind || last === null ? 0 : ids.indexOf(last.id) + 1;
    isBehind ||= cut > 0;
    if (isBehind) yield ids.slice(cut);
    if (ids.length < count) return;
  }
}
