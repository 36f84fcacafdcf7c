/** Reports to Temporal that a long step is alive, so that the death of its worker is noticed. */
import { activityInfo, Context } from '@temporalio/activity';

/** The share of the heartbeat timeout after which a heartbeat is sent: one of two may be lost. */
const HEARTBEAT = 0.4;

/** @param details of each heartbeat, which the next attempt receives if this one ends. */
export async function withHeartbeats<Result>(
  act: () => Promise<Result>,
  details: () => unknown = () => undefined,
): Promise<Result> {
  const context = Context.current();
  const { heartbeatTimeoutMs = 0 } = activityInfo();
  if (heartbeatTimeoutMs === 0) return act();
  const heartbeats = setInterval(() => context.heartbeat(details()), heartbeatTimeoutMs * HEARTBEAT);
  try {
    return await act();
  } finally {
    clearInterval(heartbeats);
  }
}
