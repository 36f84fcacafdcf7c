/** A generation that the caller may see. Another's is not found, like one that never was. */
import { UnbrokenError } from '../contracts/errors.ts';
import type { LogHead } from '../streaming/event-log.ts';
import type { Caller } from './api-keys.ts';
import type { ApiDependencies } from './dependencies.ts';

export async function findGeneration(
  { log, runs }: Pick<ApiDependencies, 'log' | 'runs'>,
  caller: Caller,
  generationId: string,
): Promise<LogHead> {
  if (caller.onlyGeneration !== undefined && caller.onlyGeneration !== generationId)
    throw unknown(generationId);
  const head = await log.head(generationId);
  if (head !== null && !head.erased && mayRead(caller, head)) return head;
  if (head === null && (await runs.has(caller, generationId))) {
    throw new UnbrokenError('cursor_expired', `The log of ${generationId} is past its retention.`);
  }
  throw unknown(generationId);
}

function mayRead(caller: Caller, { tenant, user }: LogHead): boolean {
  return tenant === caller.tenant && (user === caller.user || caller.scopes.includes('any-user'));
}

function unknown(generationId: string): UnbrokenError {
  return new UnbrokenError('not_found', `There is no generation ${generationId}.`);
}
