/**
 * A clock that moves only on request. While it is installed, it replaces the global timers, `Date.now` and
 * `performance.now`, so code that waits takes no time, and a run with the same seed is the same run.
 */
interface Timer {
  readonly dueMs: number;
  readonly everyMs: number | null;
  readonly fire: () => void;
}

/** What `setTimeout` of Node returns, as far as the product uses it. */
interface TimerHandle {
  readonly id: number;
  unref(): TimerHandle;
}

const STARTS_AT_MS = Date.UTC(2030, 0, 1);

export class VirtualTime {
  #nowMs = STARTS_AT_MS;
  #lastId = 0;
  readonly #timers = new Map<number, Timer>();

  get nowMs(): number {
    return this.#nowMs;
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }

  /** How long until the next timer is due; null where there is none. */
  untilNextMs(): number | null {
    const next = this.#next();
    return next === null ? null : Math.max(0, next[1].dueMs - this.#nowMs);
  }

  /** Moves on to the next timer and fires it. */
  fireNext(): void {
    const next = this.#next();
    if (next === null) return;
    const [id, timer] = next;
    this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
    if (timer.everyMs === null) this.#timers.delete(id);
    else this.#timers.set(id, { ...timer, dueMs: this.#nowMs + timer.everyMs });
    timer.fire();
  }

  /** Forgets every timer, as when all processes have ended. */
  clear(): void {
    this.#timers.clear();
  }

  /** @returns a function that puts the real clock back. */
  install(): () => void {
    const stands = {
      setTimeout: (fire: () => void, ms = 0) => this.#add(fire, ms, null),
      setInterval: (fire: () => void, ms = 0) => this.#add(fire, ms, ms),
      setImmediate: (fire: () => void) => this.#add(fire, 0, null),
      clearTimeout: (handle?: TimerHandle) => this.#remove(handle),
      clearInterval: (handle?: TimerHandle) => this.#remove(handle),
      performance: { now: () => this.#nowMs - STARTS_AT_MS },
    };
    const put = Object.entries(stands).map(([name, value]) => replace(globalThis, name, value));
    put.push(replace(Date, 'now', () => this.#nowMs));
    return () => {
      for (const restore of put) restore();
    };
  }

  #add(fire: () => void, ms: number, everyMs: number | null): TimerHandle {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#timers.set(id, { dueMs: this.#nowMs + Math.max(0, ms), everyMs, fire });
    const handle: TimerHandle = { id, unref: () => handle };
    return handle;
  }

  #remove(handle: TimerHandle | undefined): void {
    if (handle !== undefined) this.#timers.delete(handle.id);
  }

  /** The earliest; of two that are due at the same time, the one that was set first. */
  #next(): [number, Timer] | null {
    let next: [number, Timer] | null = null;
    for (const entry of this.#timers) if (next === null || entry[1].dueMs < next[1].dueMs) next = entry;
    return next;
  }
}

function replace(owner: object, name: string, value: unknown): () => void {
  const original = Object.getOwnPropertyDescriptor(owner, name);
  Object.defineProperty(owner, name, { value, configurable: true, writable: true });
  return () => {
    if (original === undefined) Reflect.deleteProperty(owner, name);
    else Object.defineProperty(owner, name, original);
  };
}
