/**
 * Jobs in Redis. Their events are a log as that of a generation: one stream entry is one atomic append, with the id
 * `1-<last seq>`, and the same channel tells viewers. Each append has a name and is made once, so a step that is
 * repeated after a crash changes nothing.
 */
import { z } from 'zod';
import { UnbrokenError } from '../../contracts/errors.ts';
import { type JobEvent, type JobEventBody, jobEventBodySchema } from '../../contracts/jobs.ts';
import { parseJson } from '../../contracts/json.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { type IdsByTimeRedis, idsByTime } from '../../platform/redis/ids-by-time.ts';
import { askScript, askScriptForTexts, script } from '../../platform/redis/lua-script.ts';
import type { LogRedis } from '../streaming/redis-event-log.ts';
import type { AppendOutcome, JobCreation, JobHead, JobSpec, JobStore } from './job-store.ts';

/** KEYS meta, spec, events, values. ARGV[2] spec, ARGV[3] events, then place and value. -> {0 or 1, requestHash} */
const CREATE = script(`
local ask = cjson.decode(ARGV[1])
local known = redis.call('HGET', KEYS[1], 'requestHash')
if known then return {0, known} end
local time = redis.call('TIME')
local at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
for name, value in pairs(ask.fields) do redis.call('HSET', KEYS[1], name, value) end
redis.call('HSET', KEYS[1], 'status', 'running', 'createdAt', at, 'next', ask.count, 'bytes', 0)
redis.call('SET', KEYS[2], ARGV[2], 'PX', ask.ttlMs)
redis.call('XADD', KEYS[3], '1-' .. string.format('%.0f', ask.count - 1), 'at', at, 'events', ARGV[3])
for i = 4, #ARGV, 2 do redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 1]) end
for _, key in ipairs({KEYS[1], KEYS[3], KEYS[4]}) do redis.call('PEXPIRE', key, ask.ttlMs) end
return {1, ''}
`);

/** KEYS meta, spec, events, values, once, channel. ARGV[2] events, then place and value. -> {an AppendOutcome} */
const APPEND = script(`
local ask = cjson.decode(ARGV[1])
local next, status, bytes = unpack(redis.call('HMGET', KEYS[1], 'next', 'status', 'bytes'))
if not next then return {'missing'} end
if redis.call('HEXISTS', KEYS[5], ask.name) == 1 then return {'known'} end
if status ~= 'running' then return {'ended'} end
local added = 0
for i = 4, #ARGV, 2 do added = added + #ARGV[i] end
if added > 0 and tonumber(bytes) + added > ${LIMITS.jobOutputBytes} then return {'full'} end
local time = redis.call('TIME')
local at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local last = string.format('%.0f', tonumber(next) + ask.count - 1)
redis.call('XADD', KEYS[3], '1-' .. last, 'at', at, 'events', ARGV[2])
redis.call('HSET', KEYS[1], 'next', string.format('%.0f', tonumber(next) + ask.count))
redis.call('HSET', KEYS[5], ask.name, next)
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 1]) end
if added > 0 then redis.call('HINCRBY', KEYS[1], 'bytes', string.format('%.0f', added)) end
if ask.status then
  redis.call('HSET', KEYS[1], 'status', ask.status, 'endedAt', at)
  for i = 1, 5 do redis.call('PEXPIRE', KEYS[i], ask.keptMs) end
else
  local left = redis.call('PTTL', KEYS[1])
  if left > 0 then for i = 4, 5 do redis.call('PEXPIRE', KEYS[i], left) end end
end
redis.call('SPUBLISH', KEYS[6], next .. ' ' .. at .. ' ' .. ARGV[2])
return {'appended'}
`);

/** KEYS meta. ARGV[2] summary. */
const KEEP_SUMMARY = script(`
local status, erased = unpack(redis.call('HMGET', KEYS[1], 'status', 'erased'))
if status and status ~= 'running' and not erased then redis.call('HSET', KEYS[1], 'summary', ARGV[2]) end
return {}
`);

/** KEYS meta, spec, events, values, once. */
const ERASE = script(`
local tenant = redis.call('HGET', KEYS[1], 'tenant')
if not tenant then return 0 end
local status, leftMs = redis.call('HGET', KEYS[1], 'status'), redis.call('PTTL', KEYS[1])
if status == 'running' then status = 'cancelled' end
redis.call('DEL', unpack(KEYS))
redis.call('HSET', KEYS[1], 'erased', '1', 'tenant', tenant, 'requestHash', '', 'status', status, 'next', 0)
if leftMs > 0 then redis.call('PEXPIRE', KEYS[1], leftMs) end
return 1
`);

const headSchema = z.object({
  tenant: z.string(),
  user: z.string(),
  status: z.enum(['running', 'completed', 'failed', 'cancelled']),
  pipeline: z.string(),
  next: z.coerce.number(),
  createdAt: z.coerce.number(),
  endedAt: z.coerce.number().optional(),
  deadlineAtMs: z.coerce.number(),
  maxCostMicroUsd: z.string(),
  metadata: z.string(),
  summary: z.string().optional(),
});
const pipelineSchema = z.object({ name: z.string(), version: z.int() }).nullable();
const outcomeSchema = z.tuple([z.enum(['appended', 'known', 'ended', 'full', 'missing'])]);
const eventsSchema = z.array(jobEventBodySchema);

/** Few: what they hold is parsed at once, and others wait meanwhile. */
const ENTRIES_PER_READ = 200;

interface JobRedis extends LogRedis, IdsByTimeRedis {
  zAdd(key: string, member: { readonly score: number; readonly value: string }): Promise<unknown>;
  zRem(key: string, members: string[]): Promise<unknown>;
  zRemRangeByRank(key: string, start: number, stop: number): Promise<unknown>;
  pExpire(key: string, ms: number): Promise<unknown>;
}

const TERMINAL = { 'job-end': 'completed', 'job-error': 'failed', 'job-cancel': 'cancelled' } as const;

export class RedisJobStore implements JobStore {
  readonly #redis: JobRedis;
  readonly #keptMs: number;

  /** @param keptMs how long an ended job is kept. */
  constructor(redis: JobRedis, { keptMs }: { readonly keptMs: number }) {
    this.#redis = redis;
    this.#keptMs = keptMs;
  }

  async create(creation: JobCreation): Promise<{ readonly created: boolean; readonly requestHash: string }> {
    const { jobId, tenant, user, requestHash, events, spec, values, deadlineAtMs } = creation;
    const ttlMs = Math.max(0, deadlineAtMs - Date.now()) + this.#keptMs;
    const fields = {
      tenant,
      user,
      requestHash,
      pipeline: JSON.stringify(creation.pipeline),
      deadlineAtMs: String(deadlineAtMs),
      maxCostMicroUsd: JSON.stringify(creation.maxCostMicroUsd),
      metadata: JSON.stringify(creation.metadata),
    };
    const [isNew, known = ''] = await askScriptForTexts(this.#redis, CREATE, {
      keys: ['meta', 'spec', 'events', 'values'].map((part) => REDIS_KEYS.job(jobId, part)),
      ask: { fields, ttlMs, count: events.length },
      texts: [JSON.stringify(spec), JSON.stringify(events), ...[...values].flat()],
    });
    // The lists have other hash tags. A job that is not in them is still found by its id.
    const head = await this.head(jobId);
    if (head !== null) {
      const lists = [null, user].map((of) => REDIS_KEYS.jobsOf(tenant, of));
      await Promise.all(lists.map((key) => this.#addToList(key, head, ttlMs)));
    }
    return isNew === '1' ? { created: true, requestHash } : { created: false, requestHash: known };
  }

  async #addToList(key: string, { jobId, createdAt }: JobHead, ttlMs: number): Promise<void> {
    await this.#redis.zAdd(key, { score: createdAt, value: jobId });
    await this.#redis.zRemRangeByRank(key, 0, -LIMITS.jobsListed - 1);
    await this.#redis.pExpire(key, ttlMs);
  }

  async head(jobId: string): Promise<JobHead | null> {
    const fields = await this.#redis.hGetAll(REDIS_KEYS.job(jobId, 'meta'));
    if (fields['tenant'] === undefined || fields['erased'] !== undefined) return null;
    const stored = headSchema.parse(fields);
    return {
      jobId,
      tenant: stored.tenant,
      user: stored.user,
      status: stored.status,
      pipeline: pipelineSchema.parse(JSON.parse(stored.pipeline)),
      nextSeq: stored.next,
      createdAt: stored.createdAt,
      endedAt: stored.endedAt ?? null,
      deadlineAtMs: stored.deadlineAtMs,
      maxCostMicroUsd: z.int().nullable().parse(JSON.parse(stored.maxCostMicroUsd)),
      metadata: z.record(z.string(), z.string()).parse(JSON.parse(stored.metadata)),
      summary: stored.summary ?? null,
    };
  }

  async requestHash(jobId: string): Promise<string | null> {
    return (await this.#redis.hmGet(REDIS_KEYS.job(jobId, 'meta'), ['requestHash']))[0] ?? null;
  }

  async spec(jobId: string): Promise<JobSpec> {
    const stored = await this.#redis.get(REDIS_KEYS.job(jobId, 'spec'));
    if (stored === null) throw new UnbrokenError('not_found', `The job ${jobId} is not kept any more.`);
    // It was checked before it was stored, and a check would strip what newer code has added.
    return parseJson(stored) as JobSpec;
  }

  async append(
    jobId: string,
    name: string,
    events: readonly JobEventBody[],
    values: ReadonlyMap<string, string> = new Map(),
  ): Promise<AppendOutcome> {
    const last = events.at(-1)?.type ?? 'job-start';
    const status = last in TERMINAL ? { status: TERMINAL[last as keyof typeof TERMINAL] } : {};
    const keys = ['meta', 'spec', 'events', 'values', 'once'].map((part) => REDIS_KEYS.job(jobId, part));
    const reply = await askScriptForTexts(this.#redis, APPEND, {
      keys: [...keys, REDIS_KEYS.logChannel(jobId)],
      ask: { name, count: events.length, keptMs: this.#keptMs, ...status },
      texts: [JSON.stringify(events), ...[...values].flat()],
    });
    return outcomeSchema.parse(reply)[0];
  }

  async read(jobId: string, after: number, maxEntries: number): Promise<JobEvent[]> {
    const key = REDIS_KEYS.job(jobId, 'events');
    const start = after < 0 ? '-' : `(1-${after}`;
    const entries = await this.#redis.xRange(key, start, '+', { COUNT: maxEntries });
    return (entries ?? []).flatMap(({ id, message }) => decode(id, message));
  }

  async *events(jobId: string): AsyncGenerator<JobEvent> {
    let events: JobEvent[];
    for (let after = -1; ; after = events.at(-1)?.seq ?? after) {
      events = await this.read(jobId, after, ENTRIES_PER_READ);
      if (events.length === 0) return;
      yield* events;
    }
  }

  async keepSummary(jobId: string, summary: string): Promise<void> {
    const keys = [REDIS_KEYS.job(jobId, 'meta')];
    await askScriptForTexts(this.#redis, KEEP_SUMMARY, { keys, ask: {}, texts: [summary] });
  }

  async values(jobId: string, places: readonly string[]): Promise<(string | null)[]> {
    if (places.length === 0) return [];
    return this.#redis.hmGet(REDIS_KEYS.job(jobId, 'values'), [...places]);
  }

  async erase(jobId: string): Promise<boolean> {
    const head = await this.head(jobId);
    if (head === null) return false;
    // First of all: afterwards nothing says in whose list it is.
    const lists = [null, head.user].map((of) => REDIS_KEYS.jobsOf(head.tenant, of));
    await Promise.all(lists.map((key) => this.#redis.zRem(key, [jobId])));
    const keys = ['meta', 'spec', 'events', 'values', 'once'].map((part) => REDIS_KEYS.job(jobId, part));
    await askScript(this.#redis, ERASE, { keys, ask: {} });
    return true;
  }

  async list(
    { tenant, user }: { readonly tenant: string; readonly user: string | null },
    { limit, before }: { readonly limit: number; readonly before: number | null },
  ): Promise<JobHead[]> {
    const key = REDIS_KEYS.jobsOf(tenant, user);
    const ids = await idsByTime(this.#redis, key, {
      from: before === null ? undefined : `(${before}`,
      count: limit,
    });
    const heads = await Promise.all(ids.map((id) => this.head(id)));
    const expired = ids.filter((_, index) => heads[index] === null);
    if (expired.length > 0) await this.#redis.zRem(key, expired);
    return heads.filter((head) => head !== null);
  }
}

function decode(id: string, { at, events = '[]' }: Record<string, string>): JobEvent[] {
  const bodies = eventsSchema.parse(JSON.parse(events));
  const firstSeq = Number(id.split('-')[1]) - bodies.length + 1;
  return bodies.map((body, index) => ({ seq: firstSeq + index, at: Number(at), ...body }));
}
