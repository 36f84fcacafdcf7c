/**
 * The bytes of an answer, straight from the connection. `fetch` passes each packet through two streams and copies it,
 * which costs more than all else that a token passes. All that has arrived since the last read is one read.
 */
import type { Dispatcher } from 'undici';
import { LIMITS } from '../../contracts/limits.ts';

export class DirectBody implements AsyncIterable<Uint8Array> {
  readonly #connection: Pick<Dispatcher.DispatchController, 'pause' | 'resume'>;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #isPaused = false;
  #end: { readonly error: Error | null } | null = null;
  #wake: (() => void) | null = null;

  constructor(connection: Pick<Dispatcher.DispatchController, 'pause' | 'resume'>) {
    this.#connection = connection;
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > LIMITS.providerBufferBytes && !this.#isPaused) {
      this.#isPaused = true;
      this.#connection.pause();
    }
    this.#wake?.();
  }

  /** @param error with which the connection broke; null at the end of the body. */
  end(error: Error | null): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: () => this.#next() };
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#chunks.length === 0 && this.#end === null) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
    const [first, ...others] = this.#chunks;
    if (first !== undefined) {
      this.#chunks = [];
      this.#bytes = 0;
      if (this.#isPaused) {
        this.#isPaused = false;
        this.#connection.resume();
      }
      return { done: false, value: others.length === 0 ? first : Buffer.concat([first, ...others]) };
    }
    if (this.#end !== null && this.#end.error !== null) throw this.#end.error;
    return { done: true, value: undefined };
  }
}
