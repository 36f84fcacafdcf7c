/** Backpressure of a connection. Only its own buffer (`writableHighWaterMark`) waits for a slow client. */
import type { Writable } from 'node:stream';

/** Create one per connection: all waits for it share two listeners. */
export class ConnectionFlow {
  readonly #connection: Writable;
  readonly #wake = () => {
    this.#waiting?.resolve(!this.#isGone());
    this.#waiting = null;
  };
  #waiting: PromiseWithResolvers<boolean> | null = null;

  constructor(connection: Writable) {
    this.#connection = connection;
    // A connection that closes emits no `drain`.
    connection.on('drain', this.#wake);
    connection.on('close', this.#wake);
  }

  ready(): boolean {
    return !this.#connection.writableNeedDrain && !this.#isGone();
  }

  /** Resolves with true when it takes more again, with false when it is closed. */
  whenReady(): Promise<boolean> {
    if (this.#isGone() || !this.#connection.writableNeedDrain) return Promise.resolve(!this.#isGone());
    this.#waiting ??= Promise.withResolvers();
    return this.#waiting.promise;
  }

  /** Listens no longer: the connection outlives what it carried. */
  stop(): void {
    this.#connection.off('drain', this.#wake);
    this.#connection.off('close', this.#wake);
  }

  #isGone(): boolean {
    return this.#connection.destroyed || this.#connection.writableEnded;
  }
}
