/** Ids in a sorted set, each with the time at which it was added, the newest first. */
export interface IdsByTimeRedis {
  zRange(
    key: string,
    from: number | string,
    to: number | string,
    options: { BY: 'SCORE'; REV: true; LIMIT: { offset: number; count: number } },
  ): Promise<string[]>;
}

interface Page {
  /** The newest time: `(` before it leaves that one out. Absent: from the newest id on. */
  readonly from?: number | `(${number}` | undefined;
  readonly offset?: number;
  readonly count: number;
}

export function newestIds(
  redis: IdsByTimeRedis,
  key: string,
  { from, offset = 0, count }: Page,
): Promise<string[]> {
  return redis.zRange(key, from ?? '+inf', '-inf', { BY: 'SCORE', REV: true, LIMIT: { offset, count } });
}
