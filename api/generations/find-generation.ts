/** A generation that the caller may see. Another's is not found, like one that never was. */
import { UnbrokenError } from '../../contracts/errors.ts';
import type { LogHead } from '../../engine/streaming/event-log.ts';
import type { Caller } from '../access/api-keys.ts';
import type { ApiDependencies } from '../dependencies.ts';

/** @param mayUse whether one that its caller did not want stored is this caller's to read: by default nobody's. */
export async function findGeneration(
  { log, runs }: Pick<ApiDependencies, 'log' | 'runs'>,
  caller: Caller,
  generationId: string,
  mayUse: (generationId: string) => boolean = () => false,
): Promise<LogHead> {
  if (caller.onlyGeneration !== undefined && caller.onlyGeneration !== generationId)
    throw unknown(generationId);
  const head = await log.head(generationId);
  const isHidden = head !== null && (head.erased || (isUnstored(head) && !mayUse(generationId)));
  if (head !== null && !isHidden && mayRead(caller, head)) return head;
  if (head === null && (await runs.has(caller, generationId))) {
    throw new UnbrokenError('cursor_expired', `The log of ${generationId} is past its retention.`);
  }
  throw unknown(generationId);
}

/**
 * Whether its caller asked for `store: false`: it is given to the request that began it, or that joins it by the same
 * Idempotency-Key, and hidden from everyone else, under every id.
 */
export function isUnstored({ origin }: { readonly origin?: unknown }): boolean {
  return typeof origin === 'object' && origin !== null && 'store' in origin && origin.store === false;
}

function mayRead(caller: Caller, { tenant, user }: LogHead): boolean {
  return tenant === caller.tenant && (user === caller.user || caller.scopes.includes('any-user'));
}

function unknown(generationId: string): UnbrokenError {
  return new UnbrokenError('not_found', `There is no generation ${generationId}.`);
}
