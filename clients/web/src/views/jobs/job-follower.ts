/** Follows the events of one job while it is shown. Those of its generations are in their own timelines. */
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { type FoldedJob, foldJob } from '../../../../../contracts/fold-job.ts';
import type { JobEvent } from '../../../../../contracts/jobs.ts';
import { followJob } from '../../../../typescript/follow-job.ts';
import { baseUrl, pageFetch } from '../../session.ts';

/** A job may have thousands of events: those that arrive together are drawn together. */
const DRAW_MS = 50;

export class JobFollower {
  readonly #events = signal<readonly JobEvent[]>([]);
  readonly #error = signal<Error | null>(null);
  readonly #stopped = new AbortController();
  readonly job: ReadonlySignal<FoldedJob> = computed(() => foldJob(this.#events.value));
  #arrived: JobEvent[] = [];
  #timer: number | undefined;

  /** Starts to follow at once, until `stop` or the end of the job. */
  constructor(jobId: string) {
    this.#follow(jobId).catch((error: unknown) => {
      if (this.#stopped.signal.aborted) return;
      this.#draw();
      this.#error.value = error instanceof Error ? error : new Error(String(error));
    });
  }

  get error(): ReadonlySignal<Error | null> {
    return this.#error;
  }

  stop(): void {
    this.#stopped.abort();
    clearTimeout(this.#timer);
  }

  async #follow(jobId: string): Promise<void> {
    const events = followJob({
      jobId,
      baseUrl: baseUrl(),
      fetch: pageFetch,
      signal: this.#stopped.signal,
      withText: false,
      giveUpAfterMs: Number.POSITIVE_INFINITY,
    });
    for await (const event of events) {
      if (event.type === 'generation-event') continue;
      this.#arrived.push(event);
      this.#timer ??= window.setTimeout(() => this.#draw(), DRAW_MS);
    }
    this.#draw();
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#arrived;
    this.#arrived = [];
    if (events.length > 0) this.#events.value = [...this.#events.value, ...events];
  }
}
