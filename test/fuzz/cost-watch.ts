/**
 * How long others wait for an API and for a worker. The probes run in their own thread, so that what the fuzzer does
 * meanwhile does not count.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Longest since they were last asked for, in ms of work of the event loop that was waited for. */
export interface Waits {
  /** Of requests to the API. */
  readonly api: number;
  /** Of a stream from the worker. */
  readonly worker: number;
}

export interface WatchPlan {
  readonly api: { readonly url: string; readonly pid: number };
  /** Absent: only the API is watched. */
  readonly stream?: { readonly workerPid: number; readonly key: string; readonly generationId: string };
}

export class CostWatch {
  readonly #thread: Worker;

  constructor(plan: WatchPlan) {
    this.#thread = new Worker(new URL('./cost-watch-thread.ts', import.meta.url), { workerData: plan });
  }

  /** Resolves once each probe has come back again, with the longest waits since the last call. */
  async take(): Promise<Waits> {
    this.#thread.postMessage('take');
    const [waits] = (await once(this.#thread, 'message')) as [Waits];
    return waits;
  }

  async stop(): Promise<void> {
    await this.#thread.terminate();
  }
}
