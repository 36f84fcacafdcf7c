import type { ObjectStore } from '../../../platform/object-store/object-store.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';

const never = new Promise<never>(() => undefined);

/** Calls of a process to Redis and the store. The one at which it dies is carried out or not, and nothing follows. */
export class MortalProcess {
  readonly died: Promise<void>;
  #left: number;
  readonly #isLastDone: boolean;
  readonly #die: () => void;

  constructor(steps: number, isLastDone: boolean) {
    const death = Promise.withResolvers<void>();
    this.died = death.promise;
    this.#die = death.resolve;
    this.#left = steps;
    this.#isLastDone = isLastDone;
  }

  wrap<Part extends RedisConnection | ObjectStore>(part: Part): Part {
    return new Proxy(part, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return async (...parameters: unknown[]) => {
          this.#left -= 1;
          if (this.#left < 0) return never;
          const isLast = this.#left === 0;
          if (!isLast) return Reflect.apply(member, target, parameters);
          if (this.#isLastDone) await Promise.allSettled([Reflect.apply(member, target, parameters)]);
          this.#die();
          return never;
        };
      },
    });
  }
}
