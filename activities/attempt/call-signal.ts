/**
 * Aborts the call of an attempt that is stopped. One that leaves its answer to the next attempt first learns the id of
 * its response, where responses can be resumed. Until the log names it, the provider may have begun an answer that
 * nobody can resume or stop: it would run to its end, paid, and the next attempt would pay for another.
 */
import { LIMITS } from '../../contracts/limits.ts';
import type { StreamControl } from './running-streams.ts';

type Stopping = Pick<StreamControl, 'signal' | 'stopped'>;

export class CallSignal {
  readonly #control: Stopping;
  readonly #controller = new AbortController();
  readonly #onStop = () => this.#stop();
  #isNamed: boolean;
  #timer: NodeJS.Timeout | undefined;

  /** @param isResumable whether the response will have an id by which it can be resumed. */
  constructor(control: Stopping, isResumable: boolean) {
    this.#control = control;
    this.#isNamed = !isResumable;
    control.signal.addEventListener('abort', this.#onStop, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The log gets the id of the response with the next append. */
  noteNamed(): void {
    this.#isNamed = true;
    if (this.#control.signal.aborted) this.#abort();
  }

  /** The call is over. */
  end(): void {
    this.#control.signal.removeEventListener('abort', this.#onStop);
    clearTimeout(this.#timer);
  }

  #stop(): void {
    const mustWait = !this.#isNamed && this.#control.stopped() === 'leave';
    if (!mustWait) this.#abort();
    else this.#timer = setTimeout(() => this.#controller.abort(notNamed()), LIMITS.learnResponseMs);
  }

  #abort(): void {
    this.#controller.abort(this.#control.signal.reason);
  }
}

function notNamed(): Error {
  return new Error('The provider did not name its response in time.');
}
