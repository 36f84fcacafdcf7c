/** Delays between retries: exponential with jitter, until `giveUpAfterMs` after the last progress. */
import { ClientError } from './errors.ts';

const LONGEST_DELAY_MS = 2_000;

export interface Retry {
  /** Why the last attempt ended. */
  readonly cause: unknown;
  readonly delayMs: number;
}

export class Backoff {
  readonly #firstDelayMs: number;
  readonly #giveUpAfterMs: number;
  #progressAt = performance.now();
  #failures = 0;

  constructor(firstDelayMs: number, giveUpAfterMs: number) {
    this.#firstDelayMs = firstDelayMs;
    this.#giveUpAfterMs = giveUpAfterMs;
  }

  progress(): void {
    this.#progressAt = performance.now();
    this.#failures = 0;
  }

  get waitedMs(): number {
    return performance.now() - this.#progressAt;
  }

  /** The next delay, or undefined when it is time to give up. Up to half of it is jitter, to spread clients out. */
  nextDelayMs(cause: unknown): number | undefined {
    const leftMs = this.#giveUpAfterMs - this.waitedMs;
    if (leftMs <= 0) return undefined;
    const fullMs = Math.min(LONGEST_DELAY_MS, this.#firstDelayMs * 2 ** Math.min(this.#failures, 16));
    this.#failures += 1;
    const retryAfterMs = cause instanceof ClientError ? (cause.retryAfterMs ?? 0) : 0;
    return Math.min(leftMs, Math.max(retryAfterMs, fullMs * (0.5 + Math.random() / 2)));
  }
}

/** Resolves after `delayMs`; rejects with the signal's reason as soon as it is aborted. */
export function wait(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, delayMs);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
