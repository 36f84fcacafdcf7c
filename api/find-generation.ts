/** A generation that the caller may see. Another tenant's is not found, like one that never was. */
import { WorkflowNotFoundError } from '@temporalio/client';
import { UnbrokenError } from '../contracts/errors.ts';
import { workflowId } from '../contracts/names.ts';
import type { LogHead } from '../streaming/event-log.ts';
import type { Caller } from './api-keys.ts';
import type { ApiDependencies } from './dependencies.ts';

export async function findGeneration(
  { log, temporal }: Pick<ApiDependencies, 'log' | 'temporal'>,
  caller: Caller,
  generationId: string,
): Promise<LogHead> {
  const head = await log.head(generationId);
  if (head?.tenant === caller.tenant && !head.erased) return head;
  if (head === null && (await hasRun(temporal, caller, generationId))) {
    throw new UnbrokenError('cursor_expired', `The log of ${generationId} is past its retention.`);
  }
  throw new UnbrokenError('not_found', `There is no generation ${generationId}.`);
}

async function hasRun(
  temporal: ApiDependencies['temporal'],
  { tenant }: Caller,
  generationId: string,
): Promise<boolean> {
  try {
    await temporal.workflow.getHandle(workflowId(tenant, generationId)).describe();
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw new UnbrokenError('service_unavailable', 'Temporal does not answer.', { cause: error });
  }
}
