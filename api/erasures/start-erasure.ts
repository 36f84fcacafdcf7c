/** Starts an erasure. A second request for the same data joins the one that runs. */
import { TypedSearchAttributes } from '@temporalio/common';
import type { ErasureView } from '../../contracts/erasure.ts';
import type { ErasureOrder } from '../../contracts/erasure-stages.ts';
import { ERASURE_TYPE, workflowId } from '../../contracts/names.ts';
import type { NewErasure } from '../../engine/erasure/erasures.ts';
import { SEARCH_KEYS } from '../../platform/temporal/search-keys.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { startOnce } from '../generations/ask-temporal.ts';

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

async function startRun(dependencies: Dependencies, order: ErasureOrder): Promise<void> {
  const { tenant, erasureId } = order;
  await startOnce(dependencies, ERASURE_TYPE, {
    workflowId: workflowId(tenant, erasureId),
    args: [order],
    // One that has failed, because Redis had lost its data for a while, is tried again.
    workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
    staticSummary: 'an erasure',
    typedSearchAttributes: new TypedSearchAttributes([
      { key: SEARCH_KEYS.tenant, value: tenant },
      { key: SEARCH_KEYS.status, value: 'running' },
    ]),
  });
}
