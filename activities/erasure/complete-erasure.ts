/** Writes the receipt of an erasure. A repeated call changes nothing. */
import type { ErasureOrder } from '../../contracts/erasure-stages.ts';
import type { ErasureDependencies } from './erasure-dependencies.ts';

export function completeErasure({ erasures, eraser }: ErasureDependencies) {
  return async ({ tenant, erasureId }: Pick<ErasureOrder, 'tenant' | 'erasureId'>): Promise<void> => {
    const scope = await erasures.scope(tenant, erasureId);
    if (scope === null) await erasures.forget(tenant, erasureId);
    else await erasures.complete(scope, await eraser.remainsOf(scope));
  };
}
