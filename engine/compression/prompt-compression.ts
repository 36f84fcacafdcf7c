/** The port to the compression of inputs: done once for each generation, and kept for all its attempts. */
import type { CompressionTarget } from '../../contracts/compression.ts';
import type { GenerationInput, Message } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { type ScriptRedis, script } from '../../platform/redis/lua-script.ts';
import { run } from '../prompts/redis-scripts.ts';
import type { CompressedInput } from './compress-input.ts';

export interface PromptCompression {
  /** Compresses, unless it was done already: then it gives what was made first. It keeps nothing for a log that has ended. null: the input asks for none. */
  compressOnce(generationId: string, input: GenerationInput): Promise<CompressedInput | null>;
  /** What was made; null where there is nothing. */
  read(generationId: string): Promise<CompressedInput | null>;
}

/** Shortens the context of a conversation. It never fails: what cannot be shortened stays as it is, and says why. */
export type Compress = (messages: readonly Message[], target: CompressionTarget) => Promise<CompressedInput>;

/**
 * KEYS meta of the log, compressed input. ARGV what was made, ttlMs. A step that a crash or a long pause has overtaken may
 * come after its log was erased: what it writes would stay. -> {what was made first} or {} where it is this
 */
const KEEP = script(`
local first = redis.call('GET', KEYS[2])
if first then return {first} end
if redis.call('HGET', KEYS[1], 'status') == 'running' then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) end
return {}
`);

export function createPromptCompression(
  redis: ScriptRedis & { get(key: string): Promise<string | null> },
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
      const keys = [REDIS_KEYS.logMeta(generationId), REDIS_KEYS.compressedInput(generationId)];
      const [first] = await run(redis, KEEP, keys, [JSON.stringify(made), LIMITS.openLogTtlMs]);
      return first === undefined ? made : (JSON.parse(first) as CompressedInput);
    },
  };
}
