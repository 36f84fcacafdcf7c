/**
 * A worker's part in the archive: it looks for what is due every few seconds, and once an hour one of all workers
 * deletes what has expired there. It is no part of any generation: when it fails, logs stay in Redis for longer.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { HOUR_MS } from '../../contracts/time.ts';

const MOST_PAUSE_MS = 60_000;
const LEAST_TICK_MS = 100;
const MOST_TICK_MS = 10_000;
/** Parts of `archive.afterMs` by which a log may be archived too late. */
const TICKS = 10;

interface SweepRedis {
  set(
    key: string,
    value: string,
    options: {
      readonly condition: 'NX';
      readonly expiration: { readonly type: 'PX'; readonly value: number };
    },
  ): Promise<unknown>;
}

interface SweepParts {
  readonly redis: SweepRedis;
  /** Archives what is due. */
  readonly archive: (signal: AbortSignal) => Promise<unknown>;
  /** Archives and deletes what is due by the day. It may be interrupted and repeated. */
  readonly daily: (nowMs: number, signal: AbortSignal) => Promise<unknown>;
  readonly afterMs: number;
  readonly onError: (error: unknown) => void;
}

export class ArchiveSweep {
  readonly #parts: SweepParts;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(parts: SweepParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const tickMs = Math.min(Math.max(this.#parts.afterMs / TICKS, LEAST_TICK_MS), MOST_TICK_MS);
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.#parts.archive(signal);
        await this.#daily();
        failures = 0;
      } catch (error) {
        failures += 1;
        this.#parts.onError(error);
      }
      // The workers of a deployment, which start together, do not ask together.
      const pauseMs = Math.min(tickMs * 2 ** failures, MOST_PAUSE_MS) * (0.5 + Math.random());
      await sleep(pauseMs, undefined, { signal }).catch(() => 'stopped');
    }
  }

  /** The lease is not given back: it says that this hour's work is done, or is being done. */
  async #daily(): Promise<void> {
    const expiration = { type: 'PX', value: HOUR_MS } as const;
    const lease = await this.#parts.redis.set(REDIS_KEYS.archiveLease, String(process.pid), {
      condition: 'NX',
      expiration,
    });
    if (lease !== null) await this.#parts.daily(Date.now(), this.#stop.signal);
  }
}
