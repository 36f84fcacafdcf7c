/** Wakes one waiter. A `set` while no one waits is kept for the next `wait`. */
export class AutoResetEvent {
  #isSet = false;
  #wake: (() => void) | null = null;

  set(): void {
    this.#isSet = true;
    this.#wake?.();
  }

  /** @returns true if it was set; false after `timeoutMs`, or when the signal was aborted. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    if (!this.#isSet && !signal.aborted) await this.#sleep(timeoutMs, signal);
    const wasSet = this.#isSet;
    this.#isSet = false;
    return wasSet;
  }

  async #sleep(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    const wake = () => {
      clearTimeout(timer);
      resolve();
    };
    this.#wake = wake;
    signal.addEventListener('abort', wake, { once: true });
    await promise;
    signal.removeEventListener('abort', wake);
    this.#wake = null;
  }
}
