/**
 * Ends a log whose run can no longer write its end: readers wait for it. A stream that still runs is silenced by it. A
 * follower pays its share here as at any other end.
 */
import { docPage, type ErrorCode } from '../../contracts/errors.ts';
import { isTerminal } from '../../contracts/fold-events.ts';
import { addUsage } from '../../contracts/money.ts';
import { followedBy, usedSoFar } from '../../contracts/used-so-far.ts';
import type { ApiDependencies } from '../dependencies.ts';

/** @returns false where the log must stay open: the follower's share is not known before its leader's log has ended. */
export async function endLog(
  { log, flightMembers }: Pick<ApiDependencies, 'log' | 'flightMembers'>,
  generationId: string,
  { code, message }: { readonly code: ErrorCode; readonly message: string },
): Promise<boolean> {
  const [head, events] = await Promise.all([log.head(generationId), log.read(generationId, -1)]);
  if (head?.status !== 'running' || events.some(isTerminal)) return true;
  const used = usedSoFar(events);
  const leader = followedBy(events);
  const debt = leader === null ? null : await flightMembers.leave(leader, generationId);
  if (debt?.state === 'pending') return false;
  const share = debt?.state === 'owed' ? debt.share : null;
  await log.appendOnce(generationId, 'close', [
    {
      type: 'generation-error',
      error: { code, message, doc: docPage(code) },
      attempts: events.reduce((most, event) => (event.type === 'provider-start' ? event.attempt : most), 0),
      usage: { ...(share === null ? used.usage : addUsage(used.usage, share.usage)), estimated: true },
      costMicroUsd: used.costMicroUsd + (share?.costMicroUsd ?? 0),
    },
  ]);
  if (leader !== null) await flightMembers.discharge(leader, generationId);
  return true;
}
