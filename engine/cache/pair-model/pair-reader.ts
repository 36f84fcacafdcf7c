/** The model of pairs in a thread of this process. One process has one reader, so the model is loaded once. */
import { z } from 'zod';
import { ThreadRunner } from '../../../platform/threads/thread-runner.ts';
import type { OnnxRuntime } from '../../embedding/onnx-runtime.ts';
import type { PairsToRead, Reading } from './read-pairs.ts';

/** Requests that may wait for the thread; one more is refused at once. */
const MOST_WAITING = 64;

export const conversationPairSchema = z.tuple([z.array(z.string()), z.array(z.string())]);
export const pairsToReadSchema = z.object({
  pairs: z.array(conversationPairSchema),
  thresholds: z.object({ close: z.number(), reworded: z.number() }),
  all: z.boolean(),
  /** After this time no further pair is read. */
  readMs: z.number(),
});
const readingsSchema = z.array(z.object({ logit: z.number().nullable(), least: z.number() }));

/** What the thread is started with. */
export interface PairReaderData {
  /** Absent: native where that is possible. */
  readonly runtime?: OnnxRuntime['kind'];
}

interface ReadingLimits {
  /** How long the request may wait for its turn. Absent: as long as it takes. */
  readonly waitMs?: number;
  readonly readMs: number;
  /** Tenants are served round-robin. */
  readonly turn?: string;
}

export class PairReader {
  readonly #thread: ThreadRunner;

  constructor(data: PairReaderData = {}) {
    this.#thread = new ThreadRunner({
      file: new URL('./pair-model-thread.ts', import.meta.url),
      what: "the verifier's model",
      mostWaiting: MOST_WAITING,
      data,
      isNative: true,
    });
  }

  /** @returns a reading of each of the pairs, in their order. */
  async read(
    { pairs, ...others }: PairsToRead,
    { readMs, ...limits }: ReadingLimits,
  ): Promise<readonly Reading[]> {
    const request = {
      ...others,
      pairs: pairs.map(([questions, theirs]): [string[], string[]] => [[...questions], [...theirs]]),
      readMs,
    };
    return readingsSchema.parse(
      await this.#thread.run(request satisfies z.infer<typeof pairsToReadSchema>, limits),
    );
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}
