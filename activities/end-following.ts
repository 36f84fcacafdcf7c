/**
 * Ends the following of a leader. Every end of a follower passes here, so each member of a flight either pays its share
 * or is not counted, and all shares add up to the provider's bill.
 */

import { addUsed } from '../contracts/share.ts';
import type { Debt } from '../engine/cache/flights.ts';
import type { Dependencies } from './dependencies.ts';
import type { GenerationRecord } from './generation-record.ts';

const ASK_AGAIN_MS = 100;

export type Share = Extract<Debt, { state: 'owed' }>;

interface Ending {
  readonly leader: string;
  readonly generationId: string;
  /** How long to wait for the leader's end, which takes milliseconds unless the leader crashes. */
  readonly withinMs: number;
}

/**
 * Leaves the flight. If the leader has counted this follower, waits for the leader's end, which fixes the share.
 * @returns null if nothing is owed. Throws if the leader has not ended in time; then the caller must retry.
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

/** The record with the share that the generation owes if it ends now. */
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

/** Adds the share to what the generation has used itself, such as a judge. */
export function addShare(
  { usage, costMicroUsd }: Pick<GenerationRecord, 'usage' | 'costMicroUsd'>,
  owed: Share | null,
): Pick<GenerationRecord, 'usage' | 'costMicroUsd'> {
  const used = { usage, costMicroUsd };
  return owed === null ? used : addUsed(used, owed.share);
}

/** The share is in the follower's own log now. If Redis does not answer, the rest of the membership expires. */
export function dischargeMember(
  { flights }: Pick<Dependencies, 'flights'>,
  { follows }: Pick<GenerationRecord, 'follows'>,
  generationId: string,
): void {
  if (follows !== null) flights.discharge(follows, generationId).catch(() => undefined);
}
