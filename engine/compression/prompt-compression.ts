/** The port to the compression of inputs. An input is compressed once, and the result is kept for all attempts. */
import type { CompressionTarget } from '../../contracts/compression.ts';
import type { GenerationInput, Message } from '../../contracts/generation.ts';
import { parseJson } from '../../contracts/json.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { askScriptForTexts, type ScriptRedis, script } from '../../platform/redis/lua-script.ts';
import type { CompressedInput } from './compress-input.ts';

export interface PromptCompression {
  /**
   * Compresses the input, or returns the stored result if it was compressed before. It stores nothing for a log that
   * has ended. null: the input asks for no compression.
   */
  compressOnce(generation: CompressedFor, input: GenerationInput): Promise<CompressedInput | null>;
  /** The stored result; null if there is none. */
  read(generationId: string): Promise<CompressedInput | null>;
}

interface CompressedFor {
  readonly generationId: string;
  readonly tenant: string;
}

/**
 * Shortens the context of a conversation. It never fails: a context that it cannot shorten stays, with a reason.
 * Waiting requests are served round-robin by tenant.
 */
export type Compress = (
  messages: readonly Message[],
  target: CompressionTarget,
  tenant?: string,
) => Promise<CompressedInput>;

/**
 * KEYS meta of the log, compressed input. ARGV[2] the compressed input.
 * A step that was overtaken, by a crash or a long pause, may run after its log was erased: what it stored would stay.
 * -> {the input that was stored first} or {} if it is this one
 */
const KEEP = script(`
local ask = cjson.decode(ARGV[1])
local first = redis.call('GET', KEYS[2])
if first then return {first} end
if redis.call('HGET', KEYS[1], 'status') == 'running' then redis.call('SET', KEYS[2], ARGV[2], 'PX', ask.ttlMs) end
return {}
`);

export function createPromptCompression(
  redis: ScriptRedis & { get(key: string): Promise<string | null> },
  compress: Compress,
): PromptCompression {
  const read = async (generationId: string): Promise<CompressedInput | null> => {
    const stored = await redis.get(REDIS_KEYS.compressedInput(generationId));
    return stored === null ? null : (parseJson(stored) as CompressedInput);
  };
  return {
    read,
    async compressOnce({ generationId, tenant }, input) {
      if (input.compression === undefined) return null;
      const stored = await read(generationId);
      if (stored !== null) return stored;
      const compressed = await compress(input.messages, input.compression, tenant);
      // Another process may have been faster; all attempts of a generation must see one input.
      const [first] = await askScriptForTexts(redis, KEEP, {
        keys: [REDIS_KEYS.logMeta(generationId), REDIS_KEYS.compressedInput(generationId)],
        ask: { ttlMs: LIMITS.openLogTtlMs },
        texts: [JSON.stringify(compressed)],
      });
      return first === undefined ? compressed : (parseJson(first) as CompressedInput);
    },
  };
}
