/** Finds the newest generation of a chat: after a reload `useChat` knows only the id of the chat. */
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { RedisConnection } from '../../platform/redis/redis-connection.ts';
import type { Caller } from '../access/api-keys.ts';

export interface ChatStreams {
  set(caller: Caller, chatId: string, generationId: string): Promise<void>;
  /** The newest generation of the chat, running or not. */
  find(caller: Caller, chatId: string): Promise<string | null>;
}

export function createChatStreams(redis: RedisConnection): ChatStreams {
  // The pages of two users may choose the same chat id, so the user is part of the key.
  const keyOf = ({ tenant, user, scopes }: Caller, chatId: string) =>
    REDIS_KEYS.chat(tenant, scopes.includes('any-user') ? '' : user, chatId);
  return {
    set: async (caller, chatId, generationId) => {
      await redis.set(keyOf(caller, chatId), generationId, {
        expiration: { type: 'PX', value: LIMITS.openLogTtlMs },
      });
    },
    find: (caller, chatId) => redis.get(keyOf(caller, chatId)),
  };
}
