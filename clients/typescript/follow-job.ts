/**
 * Follows a job through any disconnect: its own events, and between `generation-open` and `generation-close` those of
 * each generation. Every event arrives exactly once, or this throws.
 */
import type { GenerationEvent } from '../../contracts/events.ts';
import type { JobEvent } from '../../contracts/jobs.ts';
import { RELAY_HEARTBEAT_MS } from '../../contracts/limits.ts';
import { Backoff, wait } from './backoff.ts';
import { baseOf } from './check-options.ts';
import { ClientError, ConnectionLostError, StreamIntegrityError, UnusableOptionError } from './errors.ts';
import { type FollowOptions, headersOf } from './follow-generation.ts';
import { readEvents } from './read-events.ts';

/** An event of one of the job's generations, in its place. */
export interface JobGenerationEvent {
  readonly type: 'generation-event';
  readonly step: string;
  readonly item: number | null;
  readonly generationId: string;
  readonly event: GenerationEvent;
}

/** `cursor`: pass it as `after` to continue behind this event. */
export type FollowedJobEvent = (JobEvent | JobGenerationEvent) & { readonly cursor: string };

export type JobStreamOptions = Pick<
  FollowOptions,
  'apiKey' | 'baseUrl' | 'fetch' | 'giveUpAfterMs' | 'maxSilenceMs' | 'reconnectDelayMs'
>;

export interface FollowJobOptions extends Pick<FollowOptions, 'signal'> {
  /** The `cursor` of the last event that you have; absent: all. */
  readonly after?: string | undefined;
  /** false: without the events of generations. */
  readonly withText?: boolean | undefined;
}

const ENDS: ReadonlySet<string> = new Set(['job-end', 'job-error', 'job-cancel']);

/** Yields the events up to the one that ends the job, which is included. Throws as `followGeneration` does. */
export async function* followJob(
  options: JobStreamOptions & FollowJobOptions & { readonly jobId: string },
): AsyncGenerator<FollowedJobEvent, void, undefined> {
  const backoff = new Backoff(options.reconnectDelayMs ?? 50, options.giveUpAfterMs ?? 300_000);
  const base = `${baseOf(options)}/v1/jobs/${encodeURIComponent(options.jobId)}`;
  const order = new JobOrder(options.jobId);
  let { after = '' } = options;
  const headers = headersOf(options.apiKey);
  for (;;) {
    options.signal?.throwIfAborted();
    const before = after;
    let cause: unknown;
    try {
      const query = new URLSearchParams({ after, ...(options.withText === false ? { text: 'false' } : {}) });
      for await (const data of readEvents({
        url: `${base}/events?${query}`,
        headers,
        fetch: options.fetch ?? globalThis.fetch.bind(globalThis),
        signal: options.signal,
        silenceMs: () => options.maxSilenceMs ?? 3 * RELAY_HEARTBEAT_MS,
        onBytes: () => backoff.progress(),
      })) {
        const event = order.accept(data);
        after = event.cursor;
        yield event;
        if (ENDS.has(event.type)) return;
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof StreamIntegrityError || error instanceof UnusableOptionError) throw error;
      if (error instanceof ClientError && !error.passing) throw error;
      cause = error;
    }
    // A cursor at the end of an ended job gets an empty stream.
    if (cause === undefined && after === before && after !== '' && !after.includes('~')) return;
    cause ??= new Error('the server closed the stream before the job ended');
    const delayMs = after === before ? backoff.nextDelayMs(cause) : 0;
    if (delayMs === undefined) throw new ConnectionLostError(base, backoff.waitedMs, cause);
    await wait(delayMs, options.signal);
  }
}

/** Rejects every event but the next one, of the job and of each of its generations. */
class JobOrder {
  readonly #jobId: string;
  /** null before the first event, which may follow any cursor. */
  #after: number | null = null;
  readonly #generations = new Map<string, number>();

  constructor(jobId: string) {
    this.#jobId = jobId;
  }

  accept(data: string): FollowedJobEvent {
    const event: unknown = JSON.parse(data);
    if (!isJobEvent(event)) throw this.#broken(`unreadable event ${data.slice(0, 120)}`);
    if (event.type === 'generation-event') this.#acceptOf(event);
    else {
      if (this.#after !== null && event.seq !== this.#after + 1) {
        throw this.#broken(`expected event ${this.#after + 1}, got ${event.seq}`);
      }
      this.#after = event.seq;
      if (event.type === 'generation-open') this.#generations.set(event.generationId, -1);
    }
    return event;
  }

  #acceptOf({ generationId, event }: JobGenerationEvent): void {
    const before = this.#generations.get(generationId);
    const first = event.from ?? event.seq;
    if (before !== undefined && first !== before + 1) {
      throw this.#broken(`expected event ${before + 1} of ${generationId}, got ${first}`);
    }
    this.#generations.set(generationId, event.seq);
  }

  #broken(what: string): StreamIntegrityError {
    return new StreamIntegrityError(this.#jobId, this.#after ?? -1, what);
  }
}

function isJobEvent(value: unknown): value is FollowedJobEvent {
  if (typeof value !== 'object' || value === null) return false;
  if (!('type' in value) || typeof value.type !== 'string') return false;
  if (!('cursor' in value) || typeof value.cursor !== 'string') return false;
  return value.type === 'generation-event' || ('seq' in value && Number.isInteger(value.seq));
}
