/** How far a batch is: a line on a terminal that is written over, elsewhere a line for each change. */
import type { Batch } from 'openai/resources/batches';
import type { BatchExtras } from '../../contracts/batches.ts';

/** An older API, or another one, does not have the extras. */
export type ShownBatch = Pick<Batch, 'status' | 'request_counts'> & Partial<BatchExtras>;

const BAR_CHARS = 20;

/** @param nowMs null: without what changes with time alone. */
export function progressText(batch: ShownBatch, nowMs: number | null): string {
  const { status, request_counts: counts, requests_per_second: rate } = batch;
  const { total = 0, completed = 0, failed = 0 } = counts ?? {};
  const done = completed + failed;
  const perSecond = rate == null ? '' : `, ${rate} lines/s`;
  const left = nowMs === null ? '' : leftOf(batch, nowMs);
  const wait = waitOf(batch);
  return `${barOf(done, total)} ${done}/${total} ${status}, ${failed} failed${wait}${perSecond}${left}`;
}

function waitOf({ handover }: ShownBatch): string {
  if (handover?.status !== 'waiting') return '';
  const { lines, answered, live_at: liveAt } = handover;
  const until = liveAt === null ? '' : ` until ${new Date(liveAt * 1_000).toISOString().slice(0, 16)}Z`;
  return `, ${lines} wait at their vendors${until}, ${answered} of them answered`;
}

function leftOf({ estimated_completion_at: at }: ShownBatch, nowMs: number): string {
  return at == null ? '' : `, about ${durationOf(Math.max(0, at - nowMs / 1_000))} left`;
}

function durationOf(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function barOf(done: number, total: number): string {
  const full = total === 0 ? 0 : Math.floor((BAR_CHARS * done) / total);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_CHARS - full)}]`;
}

export class ProgressLine {
  readonly #isShown: boolean;
  readonly #isTerminal = process.stderr.isTTY === true;
  #last = '';

  constructor(isShown: boolean) {
    this.#isShown = isShown;
  }

  show(batch: ShownBatch): void {
    const text = progressText(batch, this.#isTerminal ? Date.now() : null);
    if (!this.#isShown || text === this.#last) return;
    process.stderr.write(this.#isTerminal ? `\r\u001b[2K${text}` : `${text}\n`);
    this.#last = text;
  }

  end(): void {
    if (this.#isShown && this.#isTerminal && this.#last !== '') process.stderr.write('\n');
  }
}
