/**
 * Bytes of requests that this process holds and has not worked off: bodies and frames that are on their way, and frames
 * that wait for their turn. Each is small; a thousand senders who each keep back a last byte are not.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { UnbrokenError } from '../../contracts/errors.ts';

const MIB = 1024 * 1024;
const RETRY_AFTER_MS = 1_000;

export interface BytesLimits {
  readonly perProcess: number;
  readonly perKey: number;
}

/** What one request or frame holds. */
export interface HeldBytes {
  /** @throws too_many_bytes, service_unavailable; then nothing of it is counted. */
  add(bytes: number): void;
  /** Gives back some, or all without a number. Never more than was added. */
  release(bytes?: number): void;
}

export class BytesInFlight {
  readonly #limits: BytesLimits;
  readonly #byKey = new Map<string, number>();
  #all = 0;
  #lastTurn: Promise<void> = Promise.resolve();

  constructor(limits: BytesLimits) {
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#all;
  }

  hold(keyId: string): HeldBytes {
    let held = 0;
    return {
      add: (bytes) => {
        this.#take(keyId, bytes);
        held += bytes;
      },
      release: (bytes = held) => {
        const given = Math.min(bytes, held);
        held -= given;
        this.#giveBack(keyId, given);
      },
    };
  }

  /**
   * Large requests that are whole at the same moment would be parsed one after the other before anything else is
   * served. Each waits for a turn of the event loop after the one before it; small requests are served in between.
   */
  turn(): Promise<void> {
    this.#lastTurn = this.#lastTurn.then(() => nextTurn());
    return this.#lastTurn;
  }

  #take(keyId: string, bytes: number): void {
    const ofKey = (this.#byKey.get(keyId) ?? 0) + bytes;
    const { perKey, perProcess } = this.#limits;
    if (ofKey > perKey) {
      throw new UnbrokenError(
        'too_many_bytes',
        `This key has more than ${Math.floor(perKey / MIB)} MiB of requests on their way here.`,
        { retryAfterMs: RETRY_AFTER_MS },
      );
    }
    if (this.#all + bytes > perProcess) {
      throw new UnbrokenError('service_unavailable', 'This process holds as many requests as it can.');
    }
    this.#all += bytes;
    this.#byKey.set(keyId, ofKey);
  }

  #giveBack(keyId: string, bytes: number): void {
    this.#all -= bytes;
    const left = (this.#byKey.get(keyId) ?? 0) - bytes;
    if (left > 0) this.#byKey.set(keyId, left);
    else this.#byKey.delete(keyId);
  }
}
