/** How far a batch is. */
import type { BatchStatus } from '../../../../../contracts/batches.ts';
import { formatCount } from '../../format.ts';
import { Badge, type Tone } from '../parts.tsx';
import { type Batch, doneOf } from './batch-shape.ts';

const TONES: Readonly<Record<BatchStatus, Tone>> = {
  validating: 'good',
  in_progress: 'good',
  finalizing: 'good',
  cancelling: 'late',
  completed: 'good',
  failed: 'bad',
  expired: 'late',
  cancelled: 'late',
};

export function BatchStatusBadge({ status }: { status: BatchStatus }) {
  return <Badge tone={TONES[status]}>{status.replace('_', ' ')}</Badge>;
}

export function Progress({ batch }: { batch: Pick<Batch, 'request_counts' | 'request_outcomes'> }) {
  const { total } = batch.request_counts;
  const { failed } = batch.request_outcomes;
  if (total === 0) return <span class="muted">–</span>;
  return (
    <div class="sum">
      <span>
        {formatCount(doneOf(batch))} of {formatCount(total)}
        {failed > 0 && <span class="muted">, {formatCount(failed)} failed</span>}
      </span>
      <OutcomeMeter batch={batch} />
    </div>
  );
}

/** Decoration: the text beside it has the numbers. */
export function OutcomeMeter({ batch }: { batch: Pick<Batch, 'request_counts' | 'request_outcomes'> }) {
  const { completed, failed, cancelled, expired } = batch.request_outcomes;
  const share = (count: number) => ({ width: `${(100 * count) / Math.max(1, batch.request_counts.total)}%` });
  return (
    <div class="meter" aria-hidden="true">
      <span style={share(completed)} />
      <span class="bad" style={share(failed)} />
      <span class="late" style={share(cancelled + expired)} />
    </div>
  );
}
