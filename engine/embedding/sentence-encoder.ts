/**
 * The embedding model in a thread of this process: 384 dimensions, English, nothing leaves the machine. One process has
 * one encoder, so the model is loaded once. The thread serves tenants round-robin. A request should take no longer than
 * a question, because it delays the cache look-ups of all other tenants.
 */
import { z } from 'zod';
import { ThreadRunner } from '../../platform/threads/thread-runner.ts';
import { EMBEDDED_CHARS } from './embedder.ts';
import type { OnnxRuntime } from './onnx-runtime.ts';

/** Requests that may wait for the thread; one more is refused at once. */
const MOST_WAITING = 64;

const vectorsSchema = z.array(z.array(z.number()));

/** What the thread is started with. */
export interface EncoderData {
  /** Absent: native where that is possible. */
  readonly runtime?: OnnxRuntime['kind'];
}

export class SentenceEncoder {
  readonly #thread: ThreadRunner;

  constructor(data: EncoderData = {}) {
    this.#thread = new ThreadRunner({
      file: new URL('./embedding-thread.ts', import.meta.url),
      what: 'the embedding model',
      mostWaiting: MOST_WAITING,
      data,
      isNative: true,
    });
  }

  /**
   * @param texts of which the first 2,000 characters are read.
   * @param tenant whose turn it is; work that belongs to no tenant shares one turn.
   * @returns one vector of length 1 for each text, in their order.
   */
  async encode(texts: readonly string[], tenant = ''): Promise<number[][]> {
    const request = texts.map((text) => text.slice(0, EMBEDDED_CHARS));
    return vectorsSchema.parse(await this.#thread.run(request, { turn: tenant }));
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}
