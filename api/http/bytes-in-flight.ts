/**
 * Counts the bytes of unfinished requests that this process holds in memory: bodies and frames that are still
 * arriving, and frames that wait in a queue. Each is small, but a thousand clients that each withhold the last byte
 * are not.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { UnbrokenError } from '../../contracts/errors.ts';

const MIB = 1024 * 1024;
const RETRY_AFTER_MS = 1_000;

interface BytesLimits {
  readonly perProcess: number;
  readonly perKey: number;
}

/** The bytes of one request or frame. */
export interface HeldBytes {
  /** @throws too_many_bytes, service_unavailable; then `bytes` are not counted. */
  add(bytes: number): void;
  /** Releases `bytes`, or all of them if absent; never more than were added. */
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
    return new HeldByKey(this, keyId);
  }

  /**
   * Resolves in a later turn of the event loop than every call before it. Large requests wait for this before they are
   * parsed: otherwise several that are complete at one moment would block all small requests between them.
   */
  turn(): Promise<void> {
    this.#lastTurn = this.#lastTurn.then(() => nextTurn());
    return this.#lastTurn;
  }

  /** @throws too_many_bytes, service_unavailable */
  add(keyId: string, bytes: number): void {
    const bytesOfKey = (this.#byKey.get(keyId) ?? 0) + bytes;
    const { perKey, perProcess } = this.#limits;
    if (bytesOfKey > perKey) {
      throw new UnbrokenError(
        'too_many_bytes',
        `This key has more than ${Math.floor(perKey / MIB)} MiB of unfinished requests here.`,
        { retryAfterMs: RETRY_AFTER_MS },
      );
    }
    if (this.#all + bytes > perProcess) {
      throw new UnbrokenError('service_unavailable', 'This process holds as many requests as it can.');
    }
    this.#all += bytes;
    this.#byKey.set(keyId, bytesOfKey);
  }

  release(keyId: string, bytes: number): void {
    this.#all -= bytes;
    const left = (this.#byKey.get(keyId) ?? 0) - bytes;
    if (left > 0) this.#byKey.set(keyId, left);
    else this.#byKey.delete(keyId);
  }
}

class HeldByKey implements HeldBytes {
  readonly #all: BytesInFlight;
  readonly #keyId: string;
  #bytes = 0;

  constructor(all: BytesInFlight, keyId: string) {
    this.#all = all;
    this.#keyId = keyId;
  }

  add(bytes: number): void {
    this.#all.add(this.#keyId, bytes);
    this.#bytes += bytes;
  }

  release(bytes = this.#bytes): void {
    const released = Math.min(bytes, this.#bytes);
    this.#bytes -= released;
    this.#all.release(this.#keyId, released);
  }
}
