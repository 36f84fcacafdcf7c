/**
 * A clock that moves only on request. While it is installed, it replaces the global timers, `Date.now` and
 * `performance.now`, so code that waits takes no time, and a run with the same seed is the same run.
 */
import { replaceProperty } from '../harness/replace-property.ts';

const STARTS_AT_MS = Date.UTC(2030, 0, 1);

/** What `setTimeout` of Node returns, as far as the product uses it. */
class Timer {
  readonly everyMs: number | null;
  readonly fire: () => void;
  dueMs: number;

  constructor(fire: () => void, dueMs: number, everyMs: number | null) {
    this.fire = fire;
    this.dueMs = dueMs;
    this.everyMs = everyMs;
  }

  unref(): this {
    return this;
  }
}

export class VirtualTime {
  #nowMs = STARTS_AT_MS;
  /** The earliest first; of those that are due at the same time, the one that was set first. */
  #timers: Timer[] = [];

  /** How long until the next timer is due; null where there is none. */
  untilNextMs(): number | null {
    const next = this.#timers[0];
    return next === undefined ? null : Math.max(0, next.dueMs - this.#nowMs);
  }

  /** Moves on to the next timer and fires it. */
  fireNext(): void {
    const timer = this.#timers.shift();
    if (timer === undefined) return;
    this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
    if (timer.everyMs !== null) {
      timer.dueMs = this.#nowMs + timer.everyMs;
      this.#insert(timer);
    }
    timer.fire();
  }

  /** Forgets every timer, as when all processes have ended, and starts over. */
  restart(): void {
    this.#nowMs = STARTS_AT_MS;
    this.#timers = [];
  }

  /** @returns a function that puts the real clock back. */
  install(): () => void {
    const stands = {
      setTimeout: (fire: () => void, ms = 0) => this.#add(fire, ms, null),
      setInterval: (fire: () => void, ms = 0) => this.#add(fire, ms, ms),
      setImmediate: (fire: () => void) => this.#add(fire, 0, null),
      clearTimeout: (timer?: Timer) => this.#remove(timer),
      clearInterval: (timer?: Timer) => this.#remove(timer),
      performance: { now: () => this.#nowMs - STARTS_AT_MS },
    };
    const put = Object.entries(stands).map(([name, value]) => replaceProperty(globalThis, name, value));
    put.push(replaceProperty(Date, 'now', () => this.#nowMs));
    return () => {
      for (const restore of put) restore();
    };
  }

  #add(fire: () => void, ms: number, everyMs: number | null): Timer {
    const timer = new Timer(fire, this.#nowMs + Math.max(0, ms), everyMs);
    this.#insert(timer);
    return timer;
  }

  #insert(timer: Timer): void {
    let place = this.#timers.length;
    while (place > 0 && (this.#timers[place - 1]?.dueMs ?? 0) > timer.dueMs) place -= 1;
    this.#timers.splice(place, 0, timer);
  }

  #remove(timer: Timer | undefined): void {
    const place = timer === undefined ? -1 : this.#timers.indexOf(timer);
    if (place >= 0) this.#timers.splice(place, 1);
  }
}
