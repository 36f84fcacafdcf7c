/** A batch as `GET /v1/batches` has it: OpenAI's object, and what this API adds. */
import {
  type BatchExtras,
  type BatchFault,
  type BatchStatus,
  type HandoverView,
  isFinal,
} from '../../../../../contracts/batches.ts';
import { formatCount, formatTime } from '../../format.ts';

export interface Batch extends BatchExtras {
  readonly id: string;
  readonly endpoint: string;
  readonly model: string | null;
  readonly errors: { readonly data: readonly BatchFault[] } | null;
  readonly input_file_id: string;
  readonly completion_window: string;
  readonly status: BatchStatus;
  readonly output_file_id: string | null;
  readonly error_file_id: string | null;
  /** Seconds since 1970, as all other times. */
  readonly created_at: number;
  readonly expires_at: number;
  readonly completed_at: number | null;
  readonly failed_at: number | null;
  readonly expired_at: number | null;
  readonly cancelled_at: number | null;
  readonly request_counts: { readonly total: number };
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number };
  readonly metadata: Readonly<Record<string, string>> | null;
}

const OPEN_MS = 3_000;
const IDLE_MS = 30_000;

/** A batch that has ended does not change; others may be created. */
export function pollEvery(batches: readonly Pick<Batch, 'status'>[]): number {
  return batches.some(({ status }) => !isFinal(status)) ? OPEN_MS : IDLE_MS;
}

/** Milliseconds since 1970. */
export function endedAtMs(batch: Batch): number | null {
  const at = batch.completed_at ?? batch.failed_at ?? batch.expired_at ?? batch.cancelled_at;
  return at === null ? null : at * 1_000;
}

/** Lines that need no further wait. */
export function doneOf({ request_outcomes: outcomes }: Pick<Batch, 'request_outcomes'>): number {
  const { completed, failed, cancelled, expired } = outcomes;
  return completed + failed + cancelled + expired;
}

/** Of a batch at half price, whose bar stands still meanwhile. */
export function waitSentence({
  lines,
  answered,
  live_at: liveAt,
}: Pick<HandoverView, 'lines' | 'answered' | 'live_at'>): string {
  const counts = `${formatCount(lines)} lines wait at their vendors, which have answered ${formatCount(answered)}.`;
  return liveAt === null ? counts : `${counts} What is left is called at ${formatTime(liveAt * 1_000)}.`;
}
