/** One pass of a stage of an erasure. Its heartbeats say how far it is, so that an attempt after a crash continues. */
import { activityInfo, Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { ErasedStage, EraseStage } from '../../contracts/erasure-stages.ts';
import type { StagePosition } from '../../engine/erasure/erasures.ts';
import { withHeartbeats } from '../heartbeats.ts';
import type { ErasureDependencies } from './erasure-dependencies.ts';

export function eraseStage({ erasures, eraser }: ErasureDependencies) {
  return async ({ tenant, erasureId, stage }: EraseStage): Promise<ErasedStage> => {
    const scope = await erasures.scope(tenant, erasureId);
    if (scope === null) throw lost(erasureId);
    const context = Context.current();
    const from: StagePosition | null = activityInfo().heartbeatDetails ?? null;
    let position = from;
    const report = (reached: StagePosition) => {
      position = reached;
      context.heartbeat(position);
    };
    const signal = context.cancellationSignal;
    const { found, pending } = await withHeartbeats(
      () => eraser.run(stage, scope, { from, report, signal }),
      () => position,
    );
    return { found, pending };
  };
}

/** Without its head nothing says whose data it erases; the caller asks again. */
function lost(erasureId: string): ApplicationFailure {
  const message = `Redis has lost the erasure ${erasureId}.`;
  return ApplicationFailure.create({ message, type: 'not_found', nonRetryable: true });
}
