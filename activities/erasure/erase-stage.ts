/** One pass of a stage of an erasure. Its heartbeats say how far it is, so that an attempt after a crash continues. */
import { activityInfo, Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { ErasedStage, EraseStage } from '../../contracts/erasure.ts';
import type { StagePosition } from '../../engine/erasure/erasures.ts';
import type { ErasureDependencies } from './erasure-dependencies.ts';

/** The share of the heartbeat timeout after which a heartbeat is sent. */
const HEARTBEAT = 0.3;

export function eraseStage({ erasures, eraser }: ErasureDependencies) {
  return async ({ tenant, erasureId, stage }: EraseStage): Promise<ErasedStage> => {
    const scope = await erasures.scope(tenant, erasureId);
    if (scope === null) throw lost(erasureId);
    const context = Context.current();
    const { heartbeatTimeoutMs = 0, heartbeatDetails } = activityInfo();
    let position: StagePosition | null = heartbeatDetails ?? null;
    const heartbeat = () => context.heartbeat(position);
    const heartbeats = setInterval(heartbeat, heartbeatTimeoutMs * HEARTBEAT);
    try {
      const from = position;
      const report = (reached: StagePosition) => {
        position = reached;
        heartbeat();
      };
      const signal = context.cancellationSignal;
      const { found, pending } = await eraser.run(stage, scope, { from, report, signal });
      return { found, pending };
    } finally {
      clearInterval(heartbeats);
    }
  };
}

/** Without its head nothing says whose data it erases; the caller asks again. */
function lost(erasureId: string): ApplicationFailure {
  const message = `Redis has lost the erasure ${erasureId}.`;
  return ApplicationFailure.create({ message, type: 'not_found', nonRetryable: true });
}
