/** Which generation a chat runs now: what `useChat` asks for after a reload, by nothing but its own id. */
import { LIMITS } from '../../../contracts/limits.ts';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import type { RedisConnection } from '../../../streaming/redis-connection.ts';

export interface ChatStreams {
  set(tenant: string, chatId: string, generationId: string): Promise<void>;
  /** The newest generation of the chat, running or not. */
  find(tenant: string, chatId: string): Promise<string | null>;
}

export function createChatStreams(redis: RedisConnection): ChatStreams {
  return {
    set: async (tenant, chatId, generationId) => {
      await redis.set(REDIS_KEYS.chat(tenant, chatId), generationId, {
        expiration: { type: 'PX', value: LIMITS.openLogTtlMs },
      });
    },
    find: (tenant, chatId) => redis.get(REDIS_KEYS.chat(tenant, chatId)),
  };
}
