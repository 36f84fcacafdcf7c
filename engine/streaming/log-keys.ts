/** The keys and the channel of one log in Redis. */
import { REDIS_KEYS } from '../../contracts/names.ts';

export function keysOf(generationId: string) {
  return {
    meta: REDIS_KEYS.logMeta(generationId),
    stream: REDIS_KEYS.logStream(generationId),
    input: REDIS_KEYS.logInput(generationId),
    channel: REDIS_KEYS.logChannel(generationId),
    compressed: REDIS_KEYS.compressedInput(generationId),
    members: REDIS_KEYS.flightMembers(generationId),
  };
}
