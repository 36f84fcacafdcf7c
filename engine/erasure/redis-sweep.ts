/** Walks all keys of Redis, page by page, and erases those that are in the scope of an erasure. */
import type { ErasureScope, Found, StagePosition, StageProgress, StageResult } from './erasures.ts';
import type { ErasedStores, KeyEraser } from './key-erasers.ts';

const KEYS_PER_PAGE = 1_000;
const ERASED_AT_ONCE = 32;
/** Only our keys, in a database that others may use too. */
const MATCH = 'ub:*';
const START: StagePosition = { at: '0', found: 0, pending: 0 };

interface Sweep {
  readonly redis: Pick<ErasedStores['redis'], 'scan' | 'keyspace'>;
  readonly erasers: readonly KeyEraser[];
  readonly scope: ErasureScope;
  readonly found: Found;
}

export async function sweepKeys(
  { redis, erasers, scope, found }: Sweep,
  { from, report, signal }: StageProgress,
): Promise<StageResult> {
  const keyspace = await redis.keyspace();
  // A cursor means nothing to another server, nor to the same one after its restart.
  const isSame = keyspace !== null && from?.keyspace === keyspace;
  let { at, found: all, pending } = isSame ? from : START;
  do {
    signal.throwIfAborted();
    const page = await redis.scan(at, { MATCH, COUNT: KEYS_PER_PAGE });
    const tasks = page.keys.flatMap((key) => taskOf(erasers, key));
    for (let first = 0; first < tasks.length; first += ERASED_AT_ONCE) {
      const some = tasks.slice(first, first + ERASED_AT_ONCE);
      const results = await Promise.all(some.map(({ eraser, parts }) => eraser.erase(parts, scope, found)));
      for (const result of results) {
        all += result.found;
        pending += result.pending;
      }
    }
    at = String(page.cursor);
    report({ at, found: all, pending, keyspace });
  } while (at !== '0');
  // Where keys have moved meanwhile, some may have been passed over: another pass is needed.
  const isWhole = keyspace !== null && (await redis.keyspace()) === keyspace;
  return { found: all, pending: isWhole ? pending : pending + 1 };
}

function taskOf(erasers: readonly KeyEraser[], key: string) {
  for (const eraser of erasers) {
    const match = eraser.pattern.exec(key);
    if (match !== null) return [{ eraser, parts: match.slice(1) }];
  }
  return [];
}
