/** Starts an erasure. A second request for the same data joins the one that runs. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { ErasureOrder, ErasureView } from '../../contracts/erasure.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import { ERASURE_TYPE, workflowId } from '../../contracts/names.ts';
import type { NewErasure } from '../../engine/erasure/erasures.ts';
import { SEARCH_KEYS } from '../../platform/temporal/search-keys.ts';
import type { ApiDependencies } from '../dependencies.ts';

type Dependencies = Pick<ApiDependencies, 'config' | 'erasures' | 'temporal'>;

/** Both steps may be repeated: a caller that got no answer sends the request again. @throws service_unavailable */
export async function startErasure(dependencies: Dependencies, erasure: NewErasure): Promise<ErasureView> {
  const { tenant } = erasure;
  const erasureId = await dependencies.erasures.open(erasure);
  await startRun(dependencies, { tenant, erasureId });
  const view = await dependencies.erasures.view(tenant, erasureId);
  if (view === null) throw new Error(`The erasure ${erasureId} was lost as it began.`);
  return view;
}

async function startRun({ config, temporal }: Dependencies, order: ErasureOrder): Promise<void> {
  const { tenant, erasureId } = order;
  try {
    await temporal.connection.withDeadline(Date.now() + config.submit.waitForTemporalMs, () =>
      temporal.workflow.start(ERASURE_TYPE, {
        workflowId: workflowId(tenant, erasureId),
        taskQueue: config.temporal.taskQueue,
        args: [order],
        workflowIdConflictPolicy: 'USE_EXISTING',
        // One that has failed, because Redis had lost its data for a while, is tried again.
        workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
        staticSummary: 'an erasure',
        typedSearchAttributes: new TypedSearchAttributes([
          { key: SEARCH_KEYS.tenant, value: tenant },
          { key: SEARCH_KEYS.status, value: 'running' },
        ]),
      }),
    );
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return;
    throw new UnbrokenError('service_unavailable', 'Temporal does not answer; send the request again.', {
      cause: error,
    });
  }
}
