/** The port to the compression of inputs: done once for each generation, and kept for all its attempts. */
import type { CompressionTarget } from '../contracts/compression.ts';
import type { GenerationInput, Message } from '../contracts/generation.ts';
import { LIMITS } from '../contracts/limits.ts';
import { REDIS_KEYS } from '../contracts/names.ts';
import type { CompressedInput } from './compress-input.ts';
import type { PromptRedis } from './redis-scripts.ts';

export interface PromptCompression {
  /** Compresses, unless it was done already: then it gives what was made first. null: the input asks for none. */
  compressOnce(generationId: string, input: GenerationInput): Promise<CompressedInput | null>;
  /** What was made; null where there is nothing. */
  read(generationId: string): Promise<CompressedInput | null>;
}

/** Shortens the context of a conversation. It never fails: what cannot be shortened stays as it is, and says why. */
export type Compress = (messages: readonly Message[], target: CompressionTarget) => Promise<CompressedInput>;

export function createPromptCompression(
  redis: Pick<PromptRedis, 'get' | 'set'>,
  compress: Compress,
): PromptCompression {
  const read = async (generationId: string): Promise<CompressedInput | null> => {
    const stored = await redis.get(REDIS_KEYS.compressedInput(generationId));
    return stored === null ? null : (JSON.parse(stored) as CompressedInput);
  };
  return {
    read,
    async compressOnce(generationId, input) {
      if (input.compression === undefined) return null;
      const known = await read(generationId);
      if (known !== null) return known;
      const made = await compress(input.messages, input.compression);
      // Another process may have been quicker; readers of one generation must see one input.
      const first = await redis.set(REDIS_KEYS.compressedInput(generationId), JSON.stringify(made), {
        ...{ NX: true, GET: true, PX: LIMITS.openLogTtlMs },
      });
      return first === null ? made : (JSON.parse(first) as CompressedInput);
    },
  };
}
