/** A discrete-event simulation: a clock, machines whose cores are shared, and processes that queue their work. */

interface Event {
  readonly atMs: number;
  /** Events of the same time happen in the order in which they were planned. */
  readonly order: number;
  act(): void;
}

export class Simulation {
  #nowMs = 0;
  #planned = 0;
  readonly #events = new Heap<Event>((a, b) => a.atMs - b.atMs || a.order - b.order);

  get nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, act: () => void): void {
    this.#events.push({ atMs: this.#nowMs + Math.max(0, delayMs), order: this.#planned++, act });
  }

  /** Until nothing is planned, or until it is done. */
  run(isDone: () => boolean = () => false): void {
    for (let event = this.#events.pop(); event !== undefined; event = this.#events.pop()) {
      this.#nowMs = event.atMs;
      event.act();
      if (isDone()) return;
    }
  }
}

interface Job {
  /** The attained service at which it is done, ms. */
  readonly endsAt: number;
  done(): void;
}

/**
 * Cores that all running jobs share equally, as an operating system's scheduler does; no job runs on two. Every running
 * job attains the same service, so the next to end is the one with the least left.
 */
export class Machine {
  readonly #simulation: Simulation;
  readonly #cores: number;
  readonly #jobs = new Heap<Job>((a, b) => a.endsAt - b.endsAt);
  #attainedMs = 0;
  #updatedAtMs = 0;
  #version = 0;

  constructor(simulation: Simulation, cores: number) {
    this.#simulation = simulation;
    this.#cores = cores;
  }

  start(demandMs: number, done: () => void): void {
    this.#advance();
    this.#jobs.push({ endsAt: this.#attainedMs + demandMs, done });
    this.#planNext();
  }

  #advance(): void {
    const { nowMs } = this.#simulation;
    this.#attainedMs += (nowMs - this.#updatedAtMs) * this.#rate();
    this.#updatedAtMs = nowMs;
  }

  #rate(): number {
    return Math.min(1, this.#cores / this.#jobs.size);
  }

  #planNext(): void {
    const next = this.#jobs.peek();
    if (next === undefined) return;
    const version = ++this.#version;
    this.#simulation.after((next.endsAt - this.#attainedMs) / this.#rate(), () => {
      // Another job has started or ended since, and has planned again.
      if (version !== this.#version) return;
      this.#advance();
      const ended = this.#jobs.pop();
      this.#planNext();
      ended?.done();
    });
  }
}

/** A process: so many threads, and a queue in the order of arrival. */
export class Station {
  readonly #machine: Machine;
  readonly #threads: number;
  #waiting: { readonly demandMs: number; readonly done: () => void }[] = [];
  #next = 0;
  #running = 0;
  /** CPU that it has used. */
  usedMs = 0;

  constructor(machine: Machine, threads: number) {
    this.#machine = machine;
    this.#threads = threads;
  }

  use(demandMs: number, done: () => void = () => undefined): void {
    if (demandMs <= 0) {
      done();
      return;
    }
    if (this.#running < this.#threads) this.#start(demandMs, done);
    else this.#waiting.push({ demandMs, done });
  }

  #start(demandMs: number, done: () => void): void {
    this.#running += 1;
    this.#machine.start(demandMs, () => {
      this.usedMs += demandMs;
      this.#running -= 1;
      const next = this.#waiting[this.#next];
      if (next !== undefined) {
        this.#next += 1;
        this.#start(next.demandMs, next.done);
      }
      if (this.#next > 1_000 && this.#next * 2 > this.#waiting.length) {
        this.#waiting = this.#waiting.slice(this.#next);
        this.#next = 0;
      }
      done();
    });
  }
}

class Heap<Item> {
  readonly #items: Item[] = [];
  readonly #compare: (a: Item, b: Item) => number;

  constructor(compare: (a: Item, b: Item) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): Item | undefined {
    return this.#items[0];
  }

  push(item: Item): void {
    const items = this.#items;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = items[parentAt] as Item;
      if (this.#compare(parent, item) <= 0) break;
      items[at] = parent;
      at = parentAt;
    }
    items[at] = item;
  }

  pop(): Item | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return top;
    let at = 0;
    for (;;) {
      let childAt = 2 * at + 1;
      if (childAt >= items.length) break;
      const right = childAt + 1;
      if (right < items.length && this.#compare(items[right] as Item, items[childAt] as Item) < 0)
        childAt = right;
      const child = items[childAt] as Item;
      if (this.#compare(last, child) <= 0) break;
      items[at] = child;
      at = childAt;
    }
    items[at] = last;
    return top;
  }
}
