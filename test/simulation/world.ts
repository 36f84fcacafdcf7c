/**
 * Decides what happens next. Everything that crosses the border of a process (a command to Redis, its reply, the next
 * delta of a provider's stream) waits in a lane until the seed picks that lane. Between two such steps, all code runs
 * as far as it gets. One seed is one order of steps.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Random } from '../harness/random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A function is called only if the steps are printed. */
export type Label = string | (() => string);

interface Step {
  readonly label: Label;
  readonly run: () => void;
}

/** Steps that keep their order among each other, as commands on one connection do. */
export class Lane {
  readonly steps: Step[] = [];
}

/** A timer that is further away than this fires early only seldom: else every silence would be a long one. */
const SOON_MS = 1_000;

export class World {
  readonly random: Random;
  readonly time: VirtualTime;
  /** What has happened, for people; null where nobody asks. */
  readonly history: string[] | null;
  #lanes: Lane[] = [];
  #faultsLeft: number;
  #taken = 0;

  constructor(plan: { random: Random; time: VirtualTime; faults: number; withHistory: boolean }) {
    this.random = plan.random;
    this.time = plan.time;
    this.#faultsLeft = plan.faults;
    this.history = plan.withHistory ? [] : null;
  }

  get stepsTaken(): number {
    return this.#taken;
  }

  chance(percent: number): boolean {
    return this.random.between(1, 100) <= percent;
  }

  pick<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.random.between(0, items.length - 1)] ?? items[0];
  }

  /** Whether something goes wrong here. After a number of faults all goes well, so that every run ends. */
  fault(percent: number): boolean {
    if (this.#faultsLeft === 0 || !this.chance(percent)) return false;
    this.#faultsLeft -= 1;
    return true;
  }

  tell(what: Label): void {
    if (this.history === null) return;
    this.history.push(`${this.#taken} ${typeof what === 'string' ? what : what()}`);
  }

  /** Adds a step behind those of the lane. */
  add(lane: Lane, label: Label, run: () => void): void {
    if (lane.steps.length === 0) this.#lanes.push(lane);
    lane.steps.push({ label, run });
  }

  /** Forgets what is left in the lane. */
  drop(lane: Lane): void {
    lane.steps.length = 0;
    this.#lanes = this.#lanes.filter((other) => other !== lane);
  }

  /** Resolves at a later step, with what `effect` gives then. */
  later<Value>(lane: Lane, label: Label, effect: () => Value): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.add(lane, label, () => {
        try {
          resolve(effect());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** Lets something of what waits happen, or a timer fire. @returns false where nothing waits. */
  async step(): Promise<boolean> {
    const untilMs = this.time.untilNextMs();
    if (untilMs === null && this.#lanes.length === 0) return false;
    this.#taken += 1;
    const early = untilMs !== null && this.chance(untilMs <= SOON_MS ? 12 : 1);
    if (this.#lanes.length === 0 || early) {
      this.time.fireNext();
      this.tell('a timer fires');
    } else {
      const lane = this.pick(this.#lanes as [Lane, ...Lane[]]);
      const next = lane.steps.shift();
      if (lane.steps.length === 0) this.#lanes = this.#lanes.filter((other) => other !== lane);
      this.tell(next?.label ?? '');
      next?.run();
    }
    await this.settle();
    return true;
  }

  /** Lets all code run as far as it gets without a step. */
  async settle(): Promise<void> {
    await turn();
  }
}
