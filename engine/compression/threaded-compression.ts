/** Compression in a thread of this process, with a deadline that holds for any context. */
import { z } from 'zod';
import { parseJson } from '../../contracts/json.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { ThreadRunner } from '../../platform/threads/thread-runner.ts';
import { TooLate } from '../../platform/with-timeout.ts';
import { type CompressedInput, uncompressed } from './compress-input.ts';
import type { CompressionData, CompressionRequest } from './create-compressor.ts';
import type { Compress } from './prompt-compression.ts';
import type { EncodeSentences } from './sentence-vectors.ts';

const MOST_WAITING = 256;
const textsSchema = z.array(z.string());

export interface ThreadedCompression {
  readonly compress: Compress;
  close(): Promise<void>;
}

/**
 * Resolves when a compressor that may be missing is loaded. Rejects if that fails, which ends the worker at its start
 * and not a generation later. The built-in compressor lacks nothing, so its thread starts with the first compression.
 */
export async function createThreadedCompression({
  compression,
  encode,
  limitMs = LIMITS.compressionMs,
}: CompressionData & {
  /** Called in this thread; `TooLate` makes the compressor rank by words alone. */
  readonly encode: EncodeSentences;
  readonly limitMs?: number | undefined;
}): Promise<ThreadedCompression> {
  const thread = new ThreadRunner({
    file: new URL('./compression-thread.ts', import.meta.url),
    what: 'the compressor',
    mostWaiting: MOST_WAITING,
    data: { compression } satisfies CompressionData,
    answer: async (question) => {
      try {
        return await encode(textsSchema.parse(question));
      } catch (error) {
        if (error instanceof TooLate) return null;
        throw error;
      }
    },
  });
  if (compression.engine === 'llmlingua-2') await thread.run(null satisfies CompressionRequest);
  return {
    async compress(messages, target, tenant) {
      const request: CompressionRequest = { messagesJson: JSON.stringify(messages), target };
      try {
        const limits = { runMs: limitMs, waitMs: limitMs, ...(tenant === undefined ? {} : { turn: tenant }) };
        return parseJson(z.string().parse(await thread.run(request, limits))) as CompressedInput;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return uncompressed(messages, compression.engine, `The compression failed: ${reason}`);
      }
    },
    close: () => thread.close(),
  };
}
