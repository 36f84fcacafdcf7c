/**
 * Reservations that nobody will settle: their workflow was terminated by hand, or lost with its server. They are found
 * by asking Temporal for each that is open, and settled by what their log tells of them.
 */
import { WorkflowNotFoundError } from '@temporalio/client';
import type { OpenReservation } from '../budget/budget-books.ts';
import { UnbrokenError } from '../contracts/errors.ts';
import { NO_USAGE, totalTokens } from '../contracts/money.ts';
import { workflowId } from '../contracts/names.ts';
import type { ApiDependencies } from './dependencies.ts';
import { endLog } from './end-log.ts';
import { readView } from './generation-view.ts';

export async function releaseOrphans(
  { books, budget, log, temporal }: ApiDependencies,
  tenant: string,
  { repair }: { repair: boolean },
): Promise<readonly string[]> {
  const ended: OpenReservation[] = [];
  for (const one of await books.open(tenant)) {
    if (!(await isRunning(temporal, tenant, one.generationId))) ended.push(one);
  }
  // A run that ended while we asked has settled before it ended.
  const still = new Set((await books.open(tenant)).map(({ generationId }) => generationId));
  const orphans = ended.filter(({ generationId }) => still.has(generationId));
  for (const { generationId, owner } of repair ? orphans : []) {
    await endLog(log, generationId, {
      code: 'internal',
      message: 'The run of this generation was ended by hand.',
    });
    const view = await readView(log, generationId, { withText: false });
    await budget.settle({
      ...owner,
      generationId,
      tokens: totalTokens(view?.usage ?? NO_USAGE),
      costMicroUsd: view?.costMicroUsd ?? 0,
      estimated: true,
      attempt: view?.attempts ?? 0,
      provider: view?.provider ?? null,
      model: view?.model ?? null,
    });
  }
  return orphans.map(({ generationId }) => generationId);
}

async function isRunning(
  temporal: ApiDependencies['temporal'],
  tenant: string,
  generationId: string,
): Promise<boolean> {
  try {
    const { status } = await temporal.workflow.getHandle(workflowId(tenant, generationId)).describe();
    return status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw new UnbrokenError('service_unavailable', 'Temporal does not answer.', { cause: error });
  }
}
