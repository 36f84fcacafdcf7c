/**
 * Finds the generation that a client's retry belongs to. The official clients send a request again after a timeout or a
 * lost connection, without a key, but with the number of the retry. Without this, each of their retries would start
 * another generation, paid although no client reads the ones before it.
 *
 * A request with the mark of a first try lists its generation under its fingerprint. A retry takes one generation from
 * the list of the try before it and moves it to the list of its number. So two equal requests of one client stay two
 * generations, and so do their retries.
 */
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { EventLog, LogHead } from '../../engine/streaming/event-log.ts';
import { askScript, script } from '../../platform/redis/lua-script.ts';
import type { RedisClient } from '../../platform/redis/redis-client.ts';
import type { Caller } from '../access/api-keys.ts';
import { type ChosenId, generationIdFor, hashRequest } from './generation-id.ts';

/** Which try of the same request this is. Of the clients that OpenAI and Anthropic generate with Stainless. */
export const RETRY_COUNT_HEADER = 'x-stainless-retry-count';

/** Lists a generation, newest first. KEYS list. ARGV JSON of {generationId, most, ttlMs}. */
const NOTE = script(`
local ask = cjson.decode(ARGV[1])
redis.call('LPUSH', KEYS[1], ask.generationId)
redis.call('LTRIM', KEYS[1], 0, ask.most - 1)
return redis.call('PEXPIRE', KEYS[1], ask.ttlMs)
`);

/** A request of a client that counts its retries. */
interface CountedRequest {
  /** The same for the same request of the same key and user. */
  readonly fingerprint: string;
  /** 0 for the first try. */
  readonly retry: number;
}

interface RetrySettings {
  /** How long a generation may run. */
  readonly generationMs: number;
  /** How long after its end a generation is still the answer to a retry. */
  readonly joinEndedMs: number;
  readonly onError: (error: unknown) => void;
}

export class ClientRetries {
  readonly #redis: RedisClient;
  readonly #log: Pick<EventLog, 'head'>;
  readonly #settings: RetrySettings;

  constructor(redis: RedisClient, log: Pick<EventLog, 'head'>, settings: RetrySettings) {
    this.#redis = redis;
    this.#log = log;
    this.#settings = settings;
  }

  /** Chooses the id for a request: that of the generation which an earlier try has started, or a new one. */
  async idFor(caller: Caller, request: CountedRequest): Promise<ChosenId> {
    const earlier = request.retry === 0 ? null : await this.#take(request);
    const generationId = earlier ?? generationIdFor(caller, undefined);
    // Not awaited: the log is created meanwhile. Without the entry a retry starts another generation.
    this.#note(request, generationId).catch(this.#settings.onError);
    return { generationId, isUnique: earlier === null };
  }

  async #note({ fingerprint, retry }: CountedRequest, generationId: string): Promise<void> {
    const ttlMs = this.#settings.generationMs + this.#settings.joinEndedMs;
    const ask = { generationId, most: LIMITS.sameRequestsJoined, ttlMs };
    await askScript(this.#redis, NOTE, { keys: [REDIS_KEYS.clientRetries(fingerprint, retry)], ask });
  }

  /** @returns the generation that this retry takes over; null if there is none. */
  async #take({ fingerprint, retry }: CountedRequest): Promise<string | null> {
    // The try before this one may never have arrived.
    for (let earlier = retry - 1; earlier >= 0; earlier -= 1) {
      const key = REDIS_KEYS.clientRetries(fingerprint, earlier);
      for (const generationId of await this.#joinable(key)) {
        // Another API process may take the same one at this moment: only one of them removes it.
        if ((await this.#redis.lRem(key, 1, generationId)) > 0) return generationId;
      }
    }
    return null;
  }

  /** Running generations first: nobody reads them. Then those that have just ended. The newest of each first. */
  async #joinable(key: string): Promise<string[]> {
    const heads = await Promise.all((await this.#redis.lRange(key, 0, -1)).map((id) => this.#log.head(id)));
    const known = heads.filter((head) => head !== null && !head.erased && !head.isCancelRequested);
    const withStatus = (status: LogHead['status']) => known.filter((head) => head?.status === status);
    const oldestEnd = Date.now() - this.#settings.joinEndedMs;
    const ended = withStatus('completed').filter((head) => (head?.endedAt ?? 0) >= oldestEnd);
    return [...withStatus('running'), ...ended].flatMap((head) => (head === null ? [] : [head.generationId]));
  }
}

/**
 * @param header the value of `x-stainless-retry-count`; undefined if the client sent none.
 * @returns null if the client does not count its retries.
 */
export function countedRequest(
  { tenant, keyId }: Caller,
  header: string | undefined,
  request: unknown,
): CountedRequest | null {
  if (header === undefined || !/^\d{1,2}$/.test(header)) return null;
  return {
    fingerprint: hashRequest([tenant, keyId, request]),
    retry: Math.min(Number(header), LIMITS.clientRetries),
  };
}
