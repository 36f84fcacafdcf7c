/** Finds the newest generation of a chat: after a reload `useChat` knows only the id of the chat. */
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { RedisClient } from '../../platform/redis/redis-client.ts';
import type { Caller } from '../access/api-keys.ts';

export class ChatStreams {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  async set(caller: Caller, chatId: string, generationId: string): Promise<void> {
    await this.#redis.set(keyOf(caller, chatId), generationId, {
      expiration: { type: 'PX', value: LIMITS.openLogTtlMs },
    });
  }

  /** The newest generation of the chat, whether it runs or has ended. */
  find(caller: Caller, chatId: string): Promise<string | null> {
    return this.#redis.get(keyOf(caller, chatId));
  }
}

/** The pages of two users may choose the same chat id, so the user is part of the key. */
function keyOf({ tenant, user, scopes }: Caller, chatId: string): string {
  return REDIS_KEYS.chat(tenant, scopes.includes('any-user') ? '' : user, chatId);
}
