/**
 * Remembers which answer of a user made a tool call. Some formats cannot carry a model's sealed thoughts: when the
 * result of the call comes, they are found by its id in the log of that answer.
 */
import { createHash } from 'node:crypto';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';

/** Whose call it is. The id is the vendor's, and need not be unique. */
export interface CallOwner {
  readonly tenant: string;
  readonly user: string;
}

export interface CallAnswers {
  remember(owner: CallOwner, generationId: string, callIds: readonly string[]): Promise<void>;
  /** The generation of each id, in order; null if it is not known, or no longer. One round trip. */
  find(owner: CallOwner, callIds: readonly string[]): Promise<readonly (string | null)[]>;
}

/** The commands of a node-redis client that this needs. */
interface CallAnswersRedis {
  get(key: string): Promise<string | null>;
  set(key: string, value: string, options: { readonly PX: number }): Promise<unknown>;
}

export class RedisCallAnswers implements CallAnswers {
  readonly #redis: CallAnswersRedis;

  constructor(redis: CallAnswersRedis) {
    this.#redis = redis;
  }

  async remember(
    { tenant, user }: CallOwner,
    generationId: string,
    callIds: readonly string[],
  ): Promise<void> {
    const expires = { PX: LIMITS.callAnswerMs };
    const keys = callIds.map((id) => REDIS_KEYS.callAnswer(tenant, user, hashOf(id)));
    await Promise.all(keys.map((key) => this.#redis.set(key, generationId, expires)));
  }

  find({ tenant, user }: CallOwner, callIds: readonly string[]): Promise<readonly (string | null)[]> {
    return Promise.all(callIds.map((id) => this.#redis.get(REDIS_KEYS.callAnswer(tenant, user, hashOf(id)))));
  }
}

/** Ids may be thousands of characters long. */
function hashOf(callId: string): string {
  return createHash('sha256').update(callId).digest('base64url');
}
