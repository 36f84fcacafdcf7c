/** Which ended logs wait to be archived, in sorted sets of Redis; their number spreads them over a cluster. */
import { z } from 'zod';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { runScript, type ScriptRedis } from '../../platform/redis/lua-script.ts';
import { CLAIM } from './archive-scripts.ts';

const SHARDS = 16;
const membersSchema = z.array(z.string());

export interface DueRedis extends ScriptRedis {
  zAdd(
    key: string,
    member: { readonly score: number; readonly value: string },
    options?: { readonly condition: 'NX' },
  ): Promise<unknown>;
  zRem(key: string, members: string[]): Promise<unknown>;
  zScore(key: string, member: string): Promise<number | null>;
}

export class DueLogs {
  static readonly shards: readonly number[] = Array.from({ length: SHARDS }, (_, shard) => shard);
  readonly #redis: DueRedis;
  readonly #afterMs: number;

  constructor(redis: DueRedis, afterMs: number) {
    this.#redis = redis;
    this.#afterMs = afterMs;
  }

  /** A log that has just ended. */
  async add(generationId: string): Promise<void> {
    const member = { score: Date.now() + this.#afterMs, value: generationId };
    await this.#redis.zAdd(REDIS_KEYS.archiveDue(shardOf(generationId)), member, { condition: 'NX' });
  }

  /** Logs of one shard that no other process gets for `claimMs`. */
  async claim(shard: number, count: number, claimMs: number): Promise<string[]> {
    const key = REDIS_KEYS.archiveDue(shard);
    return membersSchema.parse(await runScript(this.#redis, CLAIM, [key], [count, claimMs]));
  }

  /** Whether a worker is archiving the log, and may have read it before its last change. */
  async isClaimed(generationId: string): Promise<boolean> {
    const score = await this.#redis.zScore(REDIS_KEYS.archiveDue(shardOf(generationId)), generationId);
    return score !== null && score % 1 !== 0 && score > Date.now();
  }

  /** Looks at a log again later: it runs. */
  async postpone(generationId: string): Promise<void> {
    const member = { score: Date.now() + this.#afterMs, value: generationId };
    await this.#redis.zAdd(REDIS_KEYS.archiveDue(shardOf(generationId)), member);
  }

  async remove(shard: number, generationIds: string[]): Promise<void> {
    if (generationIds.length > 0) await this.#redis.zRem(REDIS_KEYS.archiveDue(shard), generationIds);
  }
}

function shardOf(generationId: string): number {
  let sum = 0;
  for (let index = 0; index < generationId.length; index += 1) sum += generationId.charCodeAt(index);
  return sum % SHARDS;
}
