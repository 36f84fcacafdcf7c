/**
 * Decides what happens next. Everything that crosses the border of a process (a command to Redis, its reply, the next
 * delta of a provider's stream) waits in a lane until the seed picks that lane. Between two such steps, all code runs
 * as far as it gets. One seed is one order of steps.
 */
import { setImmediate as inTurn } from 'node:timers';
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
    const index = this.#lanes.indexOf(lane);
    if (index >= 0) this.#lanes.splice(index, 1);
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
  step(): boolean {
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
      if (lane.steps.length === 0) this.#lanes.splice(this.#lanes.indexOf(lane), 1);
      this.tell(next?.label ?? '');
      next?.run();
    }
    return true;
  }
}

/** Lets all code run as far as it gets. */
export function settle(): Promise<void> {
  return new Promise((resolve) => inTurn(resolve));
}

/** A round of the event loop costs more than a step, so it takes many turns. */
const TURNS_PER_ROUND = 64;

/**
 * Calls `next` until it returns false. After each call all code runs as far as it gets, and rejections that nobody
 * hears are reported, as if it were a round of the event loop.
 */
export function inTurns(next: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const turn = () => {
      if (isOver) return;
      try {
        isOver = !next();
      } catch (error) {
        isOver = true;
        reject(error);
      }
      if (isOver) resolve();
    };
    const round = () => {
      for (let left = TURNS_PER_ROUND; left > 0; left -= 1) inTurn(turn);
      inTurn(() => isOver || round());
    };
    turn();
    if (!isOver) round();
  });
}
