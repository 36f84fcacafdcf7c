/** A generation that the caller may see. Another's is not found, like one that never was. */
import { WorkflowNotFoundError } from '@temporalio/client';
import { UnbrokenError } from '../contracts/errors.ts';
import { workflowId } from '../contracts/names.ts';
import { SEARCH_KEYS } from '../handoff/search-keys.ts';
import type { LogHead } from '../streaming/event-log.ts';
import type { Caller } from './api-keys.ts';
import type { ApiDependencies } from './dependencies.ts';

export async function findGeneration(
  { log, temporal }: Pick<ApiDependencies, 'log' | 'temporal'>,
  caller: Caller,
  generationId: string,
): Promise<LogHead> {
  if (caller.onlyGeneration !== undefined && caller.onlyGeneration !== generationId)
    throw unknown(generationId);
  const head = await log.head(generationId);
  if (head !== null && !head.erased && mayRead(caller, head)) return head;
  if (head === null && (await hasRun(temporal, caller, generationId))) {
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

async function hasRun(
  temporal: ApiDependencies['temporal'],
  { tenant, user, scopes }: Caller,
  generationId: string,
): Promise<boolean> {
  try {
    const run = await temporal.workflow.getHandle(workflowId(tenant, generationId)).describe();
    return scopes.includes('any-user') || run.typedSearchAttributes.get(SEARCH_KEYS.user) === user;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw new UnbrokenError('service_unavailable', 'Temporal does not answer.', { cause: error });
  }
}
