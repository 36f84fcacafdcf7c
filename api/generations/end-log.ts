/**
 * Ends a log whose run can no longer write the end, because readers wait for it. The end fences off a stream that still
 * runs. A follower of another generation pays its share here, as at every other end.
 */
import { docPage, type ErrorCode } from '../../contracts/errors.ts';
import { isTerminal } from '../../contracts/fold-events.ts';
import { addUsage } from '../../contracts/money.ts';
import { followedBy, usedSoFar } from '../../contracts/used-so-far.ts';
import type { FlightMembers } from '../../engine/cache/flights.ts';
import type { EventLog } from '../../engine/streaming/event-log.ts';

export interface OpenLogs {
  readonly log: EventLog;
  readonly flightMembers: FlightMembers;
}

/** Why the answer ends. */
type LogEnd = 'cancelled' | { readonly code: ErrorCode; readonly message: string };

/** @returns false if the log must stay open: a follower's share is unknown until its leader's log has ended. */
export async function endLog(
  { log, flightMembers }: OpenLogs,
  generationId: string,
  end: LogEnd,
): Promise<boolean> {
  const [head, events] = await Promise.all([log.head(generationId), log.read(generationId, -1)]);
  if (head?.status !== 'running' || events.some(isTerminal)) return true;
  const used = usedSoFar(events);
  const leader = followedBy(events);
  const debt = leader === null ? null : await flightMembers.leave(leader, generationId);
  if (debt?.state === 'pending') return false;
  const share = debt?.state === 'owed' ? debt.share : null;
  const spent = {
    attempts: events.reduce((latest, event) => (event.type === 'provider-start' ? event.attempt : latest), 0),
    usage: { ...(share === null ? used.usage : addUsage(used.usage, share.usage)), estimated: true },
    costMicroUsd: used.costMicroUsd + (share?.costMicroUsd ?? 0),
  };
  await log.appendOnce(generationId, 'close', [
    end === 'cancelled'
      ? { type: 'generation-cancel', ...spent }
      : { type: 'generation-error', error: { ...end, doc: docPage(end.code) }, ...spent },
  ]);
  if (leader !== null) await flightMembers.discharge(leader, generationId);
  return true;
}
