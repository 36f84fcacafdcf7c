/**
 * The end of a following. Every way in which a follower can end passes here, so each member of a flight either pays its
 * share or is not counted, and the shares of all members are the provider's bill.
 */

import { addUsage } from '../contracts/money.ts';
import type { Debt } from '../engine/cache/flights.ts';
import type { Dependencies } from './dependencies.ts';
import type { GenerationRecord } from './generation-record.ts';

const ASK_AGAIN_MS = 100;

export type Share = Extract<Debt, { state: 'owed' }>;

interface Ending {
  readonly leader: string;
  readonly generationId: string;
  /** How long this call may wait for the leader's end, which follows within milliseconds unless the leader crashes. */
  readonly withinMs: number;
}

/**
 * Leaves the flight. Where the follower was counted before, it waits for the leader's end, which fixes the share.
 * @returns null where nothing is owed. Throws where the leader has not ended in time; it is then to be called again.
 */
export async function endFollowing(
  { flights }: Pick<Dependencies, 'flights'>,
  { leader, generationId, withinMs }: Ending,
): Promise<Share | null> {
  const untilMs = performance.now() + withinMs;
  for (;;) {
    const debt = await flights.leave(leader, generationId);
    if (debt.state === 'owed') return debt;
    if (debt.state === 'none') return null;
    if (performance.now() > untilMs)
      throw new Error(`The leader ${leader} has fixed shares and not ended yet.`);
    await pause(ASK_AGAIN_MS);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The same generation with the share that it owes if it ends now. */
export async function withShare(
  dependencies: Pick<Dependencies, 'flights'>,
  record: GenerationRecord,
  { generationId, withinMs }: Pick<Ending, 'generationId' | 'withinMs'>,
): Promise<GenerationRecord> {
  const { follows: leader } = record;
  if (leader === null) return record;
  const owed = await endFollowing(dependencies, { leader, generationId, withinMs });
  return owed === null ? record : { ...record, ...addShare(record, owed) };
}

/** What a generation has used itself, such as a judge, and its share. */
export function addShare(
  { usage, costMicroUsd }: Pick<GenerationRecord, 'usage' | 'costMicroUsd'>,
  owed: Share | null,
): Pick<GenerationRecord, 'usage' | 'costMicroUsd'> {
  if (owed === null) return { usage, costMicroUsd };
  return {
    usage: addUsage(usage, owed.share.usage),
    costMicroUsd: costMicroUsd + owed.share.costMicroUsd,
  };
}

/** The share is in the follower's own log. What is left behind by a Redis that does not answer expires. */
export function dischargeMember(
  { flights }: Pick<Dependencies, 'flights'>,
  { follows }: Pick<GenerationRecord, 'follows'>,
  generationId: string,
): void {
  if (follows !== null) flights.discharge(follows, generationId).catch(() => undefined);
}
