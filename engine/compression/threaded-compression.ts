/** Compression in a thread of this process, with a deadline that holds whatever the context is. */

import { LIMITS } from '../../contracts/limits.ts';
import { ThreadRunner } from '../../platform/threads/thread-runner.ts';
import type { CompressedInput } from './compress-input.ts';
import { uncompressed } from './compress-input.ts';
import type { CompressionData, CompressionRequest } from './create-compressor.ts';
import type { Compress } from './prompt-compression.ts';

const MOST_WAITING = 256;

export interface ThreadedCompression {
  readonly compress: Compress;
  close(): Promise<void>;
}

/**
 * Resolves when a compressor that may be missing is loaded, and rejects with what it lacks: that ends the worker at its
 * start, not a generation. The built-in one lacks nothing, and is loaded when it is first needed.
 */
export async function createThreadedCompression(
  data: CompressionData,
  limitMs: number = LIMITS.compressionMs,
): Promise<ThreadedCompression> {
  const { engine } = data.compression;
  const thread = new ThreadRunner({
    file: new URL('./compression-thread.ts', import.meta.url),
    what: 'the compressor',
    mostWaiting: MOST_WAITING,
    data,
  });
  if (engine === 'llmlingua-2') await thread.run(null satisfies CompressionRequest);
  return {
    async compress(messages, target) {
      const request: CompressionRequest = { messages, target };
      try {
        return (await thread.run(request, { runMs: limitMs, waitMs: limitMs })) as CompressedInput;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return uncompressed(messages, engine, `The compression failed: ${reason}`);
      }
    },
    close: () => thread.close(),
  };
}
