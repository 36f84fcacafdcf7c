/** Finds a generation that the caller may read. One of another caller is `not_found`, as if it did not exist. */
import { UnbrokenError } from '../../contracts/errors.ts';
import type { LogHead } from '../../engine/streaming/event-log.ts';
import type { Caller } from '../access/api-keys.ts';
import { mayRead } from '../access/may-read.ts';
import type { ApiDependencies } from '../dependencies.ts';

/**
 * @param mayUse whether this caller may read a generation with `store: false`; by default no caller may.
 * @throws not_found, cursor_expired, service_unavailable
 */
export async function findGeneration(
  { log, runs }: Pick<ApiDependencies, 'log' | 'runs'>,
  caller: Caller,
  generationId: string,
  mayUse: (generationId: string) => boolean = () => false,
): Promise<LogHead> {
  if (caller.onlyGeneration !== undefined && caller.onlyGeneration !== generationId)
    throw notFound(generationId);
  const head = await log.head(generationId);
  const isHidden = head !== null && (head.erased || (isUnstored(head) && !mayUse(generationId)));
  if (head !== null && !isHidden && mayRead(caller, head)) return head;
  if (head === null && (await runs.has(caller, generationId))) {
    throw new UnbrokenError('cursor_expired', `The log of ${generationId} is past its retention.`);
  }
  throw notFound(generationId);
}

/**
 * Whether the generation has `store: false`. Only the request that started it, or that joins it with the same
 * Idempotency-Key, receives it; to all other requests it does not exist.
 */
export function isUnstored({ origin }: { readonly origin?: unknown }): boolean {
  return typeof origin === 'object' && origin !== null && 'store' in origin && origin.store === false;
}

function notFound(generationId: string): UnbrokenError {
  return new UnbrokenError('not_found', `There is no generation ${generationId}.`);
}
