/** Delays between retries: exponential with jitter, until `giveUpAfterMs` after the connection was found lost. */
import { ClientError } from './errors.ts';

const LONGEST_DELAY_MS = 2_000;
/** Timers take no more: a longer one would end at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface Retry {
  /** Why the last attempt ended. */
  readonly cause: unknown;
  readonly delayMs: number;
}

export class Backoff {
  readonly #firstDelayMs: number;
  readonly #giveUpAfterMs: number;
  #lostAt = performance.now();
  #isLost = true;
  #failures = 0;

  constructor(firstDelayMs: number, giveUpAfterMs: number) {
    this.#firstDelayMs = firstDelayMs;
    this.#giveUpAfterMs = giveUpAfterMs;
  }

  progress(): void {
    this.#isLost = false;
    this.#failures = 0;
  }

  get waitedMs(): number {
    return performance.now() - this.#lostAt;
  }

  /** The next delay, or undefined when it is time to give up. Up to half of it is jitter, to spread clients out. */
  nextDelayMs(cause: unknown): number | undefined {
    // While the machine sleeps, or an event is being handled, nothing is read: that is no time of trying in vain.
    if (!this.#isLost) this.#lostAt = performance.now();
    this.#isLost = true;
    const leftMs = this.#giveUpAfterMs - this.waitedMs;
    if (leftMs <= 0) return undefined;
    const fullMs = Math.min(LONGEST_DELAY_MS, this.#firstDelayMs * 2 ** Math.min(this.#failures, 16));
    this.#failures += 1;
    const retryAfterMs = cause instanceof ClientError ? (cause.retryAfterMs ?? 0) : 0;
    return Math.min(leftMs, LONGEST_TIMER_MS, Math.max(retryAfterMs, fullMs * (0.5 + Math.random() / 2)));
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
