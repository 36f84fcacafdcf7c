/**
 * Reservations that nobody will settle: their workflow was terminated by hand, or lost with its server. They are found
 * by asking Temporal for each that is open, and settled by what their log tells of them.
 */
import { WorkflowNotFoundError } from '@temporalio/client';
import { UnbrokenError } from '../contracts/errors.ts';
import { totalTokens } from '../contracts/money.ts';
import { workflowId } from '../contracts/names.ts';
import type { ApiDependencies } from './dependencies.ts';
import { readView } from './generation-view.ts';

/** The workflow exists before its reservation; a young one may not be known to Temporal's replicas yet. */
const YOUNG_MS = 60_000;

export async function releaseOrphans(
  { books, budget, log, temporal }: ApiDependencies,
  tenant: string,
  { repair }: { repair: boolean },
): Promise<readonly string[]> {
  const orphans: string[] = [];
  for (const { generationId, reservedAtMs, owner } of await books.open(tenant)) {
    if (Date.now() - reservedAtMs < YOUNG_MS || (await isRunning(temporal, tenant, generationId))) continue;
    orphans.push(generationId);
    if (!repair) continue;
    const view = await readView(log, generationId, { withText: false });
    await budget.settle({
      ...owner,
      generationId,
      tokens: view?.usage ? totalTokens(view.usage) : 0,
      costMicroUsd: view?.costMicroUsd ?? 0,
      estimated: true,
      attempt: view?.attempts ?? 0,
      provider: view?.provider ?? null,
      model: view?.model ?? null,
    });
  }
  return orphans;
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
