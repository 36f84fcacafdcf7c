/** What a batch shows of its wait at vendors. */
import type { HandoverView, VendorBatchView } from '../../contracts/batches.ts';
import type { BatchHead } from '../../engine/batches/batch-store.ts';
import type { PartState } from '../../engine/batches/handover.ts';

/** @returns null for a batch whose lines do not wait */
export function handoverView({ handover }: Pick<BatchHead, 'handover'>): HandoverView | null {
  if (handover === null) return null;
  const { liveReason, liveAtMs, parts, done, answers } = handover;
  const isOver = parts.length > 0 && parts.every(({ end }) => end !== null);
  const status = liveReason !== null ? 'live' : isOver ? 'ended' : parts.length > 0 ? 'waiting' : 'preparing';
  return {
    status,
    reason: liveReason,
    live_at: liveAtMs === null ? null : Math.floor(liveAtMs / 1_000),
    lines: parts.reduce((sum, { lines }) => sum + lines, 0),
    answered: answers ?? done,
    batches: parts.map(viewOf),
  };
}

function viewOf({ provider, lines, ref, end }: PartState): VendorBatchView {
  const status = end?.state ?? (ref === null ? 'submitting' : 'running');
  return { provider, id: ref?.vendorId ?? null, lines, status, error: end?.message ?? null };
}
