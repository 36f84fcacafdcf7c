/** Erasures in Redis: whose data each erases, as long as it runs; what it has found; and its receipt. */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import {
  type ErasedKind,
  type ErasureView,
  erasedKinds,
  type Remains,
  type Removed,
  remainsSchema,
  removedSchema,
} from '../../contracts/erasure.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { type IdsByTimeRedis, idsByTime } from '../../platform/redis/ids-by-time.ts';
import { askScript, askScriptForTexts, type ScriptRedis, script } from '../../platform/redis/lua-script.ts';
import type { ErasureScope, Erasures, Found, Left, LeftKind, NewErasure } from './erasures.ts';

/** KEYS head of a new one, running, newest. ARGV JSON of {id, target, fields, most}. -> {id of the one that runs} */
const OPEN = script(`
local ask = cjson.decode(ARGV[1])
local running = redis.call('HGET', KEYS[2], ask.target)
if running then return {running} end
local time = redis.call('TIME')
local at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
for name, value in pairs(ask.fields) do redis.call('HSET', KEYS[1], name, value) end
redis.call('HSET', KEYS[1], 'status', 'running', 'createdAt', at)
redis.call('HSET', KEYS[2], ask.target, ask.id)
redis.call('ZADD', KEYS[3], at, ask.id)
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -1 - ask.most)
return {ask.id}
`);

/** KEYS head, running, newest. ARGV JSON of {id, target, fields, keptMs}. It changes nothing when it is repeated. */
const COMPLETE = script(`
local ask = cjson.decode(ARGV[1])
if redis.call('HGET', KEYS[1], 'status') ~= 'running' then return 0 end
local time = redis.call('TIME')
local at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
for name, value in pairs(ask.fields) do redis.call('HSET', KEYS[1], name, value) end
redis.call('HSET', KEYS[1], 'status', 'completed', 'completedAt', at)
redis.call('HDEL', KEYS[1], 'user', 'waitingFor', 'left:runs', 'left:archive')
if redis.call('HGET', KEYS[2], ask.target) == ask.id then redis.call('HDEL', KEYS[2], ask.target) end
redis.call('PEXPIRE', KEYS[1], ask.keptMs)
redis.call('PEXPIRE', KEYS[3], ask.keptMs)
return 1
`);

const headSchema = z.object({
  status: z.enum(['running', 'completed']),
  subject: z.string(),
  jobId: z.string().optional(),
  createdAt: z.coerce.number(),
  completedAt: z.coerce.number().optional(),
  waitingFor: z.coerce.number().default(0),
  removed: z.string().default('[]'),
  remains: z.string().default('[]'),
});
const leftSchema = z.object({ count: z.int(), untilMs: z.number().nullable() });

interface ErasuresRedis extends ScriptRedis, IdsByTimeRedis {
  del(keys: string[]): Promise<unknown>;
  hGetAll(key: string): Promise<Record<string, string>>;
  hGet(key: string, field: string): Promise<string | null>;
  hSet(key: string, field: string, value: string): Promise<unknown>;
  sAdd(key: string, members: string[]): Promise<number>;
  sCard(key: string): Promise<number>;
  sIsMember(key: string, member: string): Promise<number>;
  sMembers(key: string): Promise<string[]>;
  sRem(key: string, members: string[]): Promise<number>;
}

/** Names a user where the name itself must not stay. */
export function subjectOf({ tenant, user }: Pick<NewErasure, 'tenant' | 'user'>): string {
  return createHash('sha256').update(`${tenant}\0${user}`).digest('hex');
}

export class RedisErasures implements Erasures {
  readonly #redis: ErasuresRedis;
  readonly #keptMs: number;

  /** @param keptMs how long a receipt is kept. */
  constructor(redis: ErasuresRedis, { keptMs }: { readonly keptMs: number }) {
    this.#redis = redis;
    this.#keptMs = keptMs;
  }

  async open({ tenant, user, jobId }: NewErasure): Promise<string> {
    const id = `erase_${randomBytes(16).toString('hex')}`;
    const fields = { user, subject: subjectOf({ tenant, user }), ...(jobId === null ? {} : { jobId }) };
    const [opened = id] = await askScriptForTexts(this.#redis, OPEN, {
      keys: keysOf(tenant, id),
      ask: { id, target: targetOf({ tenant, user, jobId }), fields, most: LIMITS.erasuresListed },
    });
    return opened;
  }

  async view(tenant: string, erasureId: string): Promise<ErasureView | null> {
    const stored = await this.#redis.hGetAll(headKey(tenant, erasureId));
    if (stored['status'] === undefined) return null;
    const head = headSchema.parse(stored);
    return {
      id: erasureId,
      status: head.status,
      scope: head.jobId === undefined ? 'user' : 'job',
      subject: head.subject,
      jobId: head.jobId ?? null,
      before: head.createdAt,
      createdAt: head.createdAt,
      completedAt: head.completedAt ?? null,
      waitingFor: head.waitingFor,
      removed: z.array(removedSchema).parse(JSON.parse(head.removed)),
      remains: z.array(remainsSchema).parse(JSON.parse(head.remains)),
    };
  }

  async list(
    tenant: string,
    { limit, before }: { readonly limit: number; readonly before: number | null },
  ): Promise<readonly ErasureView[]> {
    const ids = await idsByTime(this.#redis, REDIS_KEYS.erasures(tenant, 'newest'), {
      from: before === null ? undefined : `(${before}`,
      count: limit,
    });
    const views = await Promise.all(ids.map((id) => this.view(tenant, id)));
    return views.filter((view) => view !== null);
  }

  async scope(tenant: string, erasureId: string): Promise<ErasureScope | null> {
    const { user, jobId = null, createdAt } = await this.#redis.hGetAll(headKey(tenant, erasureId));
    return user === undefined ? null : { tenant, erasureId, user, jobId, beforeMs: Number(createdAt) };
  }

  found({ tenant, erasureId }: ErasureScope): Found {
    const keyOf = (kind: ErasedKind) => foundKey(tenant, erasureId, kind);
    return {
      add: async (kind, ids) => (ids.length === 0 ? 0 : this.#redis.sAdd(keyOf(kind), [...ids])),
      remove: async (kind, ids) => {
        if (ids.length > 0) await this.#redis.sRem(keyOf(kind), [...ids]);
      },
      has: async (kind, id) => (await this.#redis.sIsMember(keyOf(kind), id)) === 1,
      all: (kind) => this.#redis.sMembers(keyOf(kind)),
    };
  }

  async noteWaiting({ tenant, erasureId }: ErasureScope, runs: number): Promise<void> {
    await this.#redis.hSet(headKey(tenant, erasureId), 'waitingFor', String(runs));
  }

  async noteLeft({ tenant, erasureId }: ErasureScope, kind: LeftKind, left: Left): Promise<void> {
    await this.#redis.hSet(headKey(tenant, erasureId), `left:${kind}`, JSON.stringify(left));
  }

  async left({ tenant, erasureId }: ErasureScope, kind: LeftKind): Promise<Left> {
    const stored = await this.#redis.hGet(headKey(tenant, erasureId), `left:${kind}`);
    return stored === null ? { count: 0, untilMs: null } : leftSchema.parse(JSON.parse(stored));
  }

  async complete(scope: ErasureScope, remains: readonly Remains[]): Promise<void> {
    const { tenant, erasureId: id } = scope;
    const counts = await Promise.all(
      erasedKinds.map(async (kind): Promise<Removed> => {
        return { kind, count: await this.#redis.sCard(foundKey(tenant, id, kind)) };
      }),
    );
    const removed = counts.filter(({ count }) => count > 0);
    await askScript(this.#redis, COMPLETE, {
      keys: keysOf(tenant, id),
      ask: {
        id,
        target: targetOf(scope),
        fields: { removed: JSON.stringify(removed), remains: JSON.stringify(remains) },
        keptMs: this.#keptMs,
      },
    });
    // The receipt has the counts. A crash before this leaves ids, which the next attempt deletes.
    await this.forget(tenant, id);
  }

  /** Deletes what a complete erasure has found. */
  async forget(tenant: string, erasureId: string): Promise<void> {
    await this.#redis.del(erasedKinds.map((kind) => foundKey(tenant, erasureId, kind)));
  }
}

function targetOf({ tenant, user, jobId }: NewErasure): string {
  return jobId === null ? `user:${subjectOf({ tenant, user })}` : `job:${jobId}`;
}

function headKey(tenant: string, erasureId: string): string {
  return REDIS_KEYS.erasure(tenant, erasureId, 'head');
}

function foundKey(tenant: string, erasureId: string, kind: ErasedKind): string {
  return REDIS_KEYS.erasure(tenant, erasureId, `seen:${kind}`);
}

function keysOf(tenant: string, erasureId: string): readonly string[] {
  return [
    headKey(tenant, erasureId),
    REDIS_KEYS.erasures(tenant, 'running'),
    REDIS_KEYS.erasures(tenant, 'newest'),
  ];
}
