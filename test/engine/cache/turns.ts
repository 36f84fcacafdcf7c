/**
 * Processes that work at one thing, one call at a time: a seed decides whose call is carried out next and what
 * becomes of it. So each order in which calls, lost replies, late arrivals and deaths can fall comes again by its
 * seed.
 */
import { setImmediate as settle } from 'node:timers/promises';
import { pick, type Random } from '../../harness/random.ts';

/**
 * lost: it is carried out, and its caller hears that nobody answered. late: its caller hears the same, and it is
 * carried out at some later turn. died: as one of these two, and its caller does nothing more.
 */
const FATES = [
  'answered',
  'answered',
  'answered',
  'answered',
  'answered',
  'answered',
  'answered',
  'lost',
  'late',
  'died-after',
  'died-before',
] as const;

interface Call {
  readonly name: string;
  carryOut(): Promise<unknown>;
  answer(reply: unknown): void;
  fail(error: unknown): void;
  die(): void;
}

class Died extends Error {}

const unheard = () => undefined;

export class Turns {
  readonly #calls: Call[] = [];
  /** What was carried out, in its order. */
  readonly told: string[] = [];

  /** A process is begun again when it dies or fails, so many times. @returns null where it never came to its end. */
  async process<Value>(
    times: number,
    run: (wrap: <Port extends object>(port: Port) => Port) => Promise<Value>,
  ): Promise<Value | null> {
    for (let time = 0; time < times; time += 1) {
      const died = Promise.withResolvers<never>();
      const wrap = <Port extends object>(port: Port) =>
        this.#wrap(port, () => died.reject(new Died('the process died')));
      try {
        return await Promise.race([run(wrap), died.promise]);
      } catch (error) {
        this.told.push(`(${error instanceof Error ? error.message : 'it failed'})`);
      }
    }
    return null;
  }

  /** Until nobody calls any more. */
  async play(random: Random): Promise<void> {
    for (await settle(); this.#calls.length > 0; await settle()) {
      const [call] = this.#calls.splice(random.between(0, this.#calls.length - 1), 1);
      if (call !== undefined) await this.#carryOut(call, pick(random, FATES));
    }
  }

  async #carryOut(call: Call, fate: (typeof FATES)[number]): Promise<void> {
    this.told.push(`${call.name}: ${fate}`);
    if (fate === 'late' || fate === 'died-before') {
      this.#calls.push({ ...call, answer: unheard, fail: unheard, die: unheard });
    } else {
      await call.carryOut().then(fate === 'answered' ? call.answer : unheard, call.fail);
    }
    if (fate === 'lost' || fate === 'late') call.fail(new Error('nobody answered'));
    else if (fate !== 'answered') call.die();
  }

  #wrap<Port extends object>(port: Port, die: () => void): Port {
    const calls = this.#calls;
    return new Proxy(port, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return (...args: readonly unknown[]) =>
          new Promise((answer, fail) => {
            const carryOut = async () => Reflect.apply(method, target, args);
            calls.push({ name: String(name), carryOut, answer, fail, die });
          });
      },
    });
  }
}
