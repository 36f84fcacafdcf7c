/**
 * The frames of one process. Writers that have appended within a frame wait for its end, all for the same one: their
 * appends leave in one write to Redis, and their batches reach a relay in one read, so many streams cost as few wakeups
 * as one.
 */
export class FrameClock {
  readonly frameMs: number;
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | null = null;

  /** @param frameMs 0: there are no frames, and nothing waits. */
  constructor(frameMs: number) {
    this.frameMs = frameMs;
  }

  /** Calls back at the end of the current frame, once. */
  callAtEnd(callback: () => void): void {
    this.#waiting.add(callback);
    this.#timer ??= setTimeout(() => this.#endFrame(), this.frameMs - (performance.now() % this.frameMs));
  }

  forget(callback: () => void): void {
    this.#waiting.delete(callback);
  }

  #endFrame(): void {
    this.#timer = null;
    const due = [...this.#waiting];
    this.#waiting.clear();
    for (const callback of due) callback();
  }
}
