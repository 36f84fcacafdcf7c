/**
 * Batches in Redis. A batch has the counts of the shards that are noted, each once, so its progress is exact whatever
 * is repeated. Its lines and results are in the object store.
 */
import { z } from 'zod';
import { BATCH_LIMITS } from '../../contracts/batch-limits.ts';
import {
  type BatchFault,
  type BatchStatus,
  batchStatuses,
  isFinal,
  type ShardName,
  type ShardResult,
} from '../../contracts/batches.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import { parseJson } from '../../contracts/json.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { NO_USAGE, type Usage } from '../../contracts/money.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { type IdsByTimeRedis, idsByTime, pagesAfter } from '../../platform/redis/ids-by-time.ts';
import { askScript, askScriptForTexts, type ScriptRedis, script } from '../../platform/redis/lua-script.ts';
import type { LineResponse } from './batch-line.ts';
import type {
  BatchChange,
  BatchFormat,
  BatchHead,
  BatchOwner,
  BatchSpec,
  BatchStore,
  KeptAnswer,
} from './batch-store.ts';
import { type Doubt, type Handover, type HandoverFacts, handoverOf } from './handover.ts';

/** KEYS head, spec. ARGV[2] the spec. -> {hash of the request} */
const CREATE = script(`
local ask = cjson.decode(ARGV[1])
local known = redis.call('HGET', KEYS[1], 'requestHash')
if known then return {known} end
local time = redis.call('TIME')
local at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('HSET', KEYS[1], 'requestHash', ask.requestHash, 'status', 'validating', 'createdAt', at)
redis.call('SET', KEYS[2], ARGV[2])
for i = 1, 2 do redis.call('PEXPIRE', KEYS[i], ask.keptMs) end
return {ask.requestHash}
`);

/** KEYS head and the other parts, which expire together. ARGV field and value, ... -> {the status afterwards} */
const CHANGE = script(`
local ask = cjson.decode(ARGV[1])
local status = redis.call('HGET', KEYS[1], 'status')
if not status then return {} end
local isFrom = false
for _, from in ipairs(ask.from) do isFrom = isFrom or from == status end
if not isFrom then return {status} end
local time = redis.call('TIME')
local at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('HSET', KEYS[1], 'status', ask.to)
redis.call('HSETNX', KEYS[1], 'at:' .. ask.to, at)
for i = 2, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
if ask.keptMs then for i = 1, #KEYS do redis.call('PEXPIRE', KEYS[i], ask.keptMs) end end
return {ask.to}
`);

/** KEYS a hash, the head. ARGV[2] field, ARGV[3] value. It lives as long as the head. */
const KEEP_FIRST = script(`
if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('HSETNX', KEYS[1], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], math.max(1, redis.call('PTTL', KEYS[2])))
return 1
`);

/** KEYS head, noted shards, refusals and answers of this shard. */
const NOTE_SHARD = script(`
local ask = cjson.decode(ARGV[1])
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if redis.call('HSETNX', KEYS[2], ask.shard, 1) == 1 then
  for name, count in pairs(ask.counts) do
    redis.call('HINCRBY', KEYS[1], name, string.format('%.0f', count))
  end
  local time = redis.call('TIME')
  redis.call('HSET', KEYS[1], 'countedAt', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
end
redis.call('PEXPIRE', KEYS[2], math.max(1, redis.call('PTTL', KEYS[1])))
redis.call('DEL', KEYS[3], KEYS[4])
return 1
`);

/** KEYS a hash, the head. ARGV[2] field, ARGV[3] value. -> {the value that stays} */
const KEEP_FACT = script(`
local ask = cjson.decode(ARGV[1])
if redis.call('EXISTS', KEYS[2]) == 0 then return {} end
redis.call(ask.replaces and 'HSET' or 'HSETNX', KEYS[1], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], math.max(1, redis.call('PTTL', KEYS[2])))
return {redis.call('HGET', KEYS[1], ARGV[2])}
`);

const count = z.coerce.number().default(0);
const headSchema = z.looseObject({
  status: z.enum(batchStatuses),
  createdAt: z.coerce.number(),
  countedAt: z.coerce.number().nullable().default(null),
  plan: z.string().default('null'),
  model: z.string().default('null'),
  faults: z.string().default('[]'),
  outputFileId: z.string().default('null'),
  errorFileId: z.string().default('null'),
  completed: count,
  failed: count,
  cancelled: count,
  expired: count,
  costMicroUsd: count,
  estimated: count,
  inputTokens: count,
  cachedInputTokens: count,
  cacheWriteTokens: count,
  outputTokens: count,
  reasoningTokens: count,
});
const PARTS = ['spec', 'shards', 'handover'] as const;
/** In the hash of a hand-over, beside its facts: a number that grows. */
const DONE = 'done';

interface BatchRedis extends ScriptRedis, IdsByTimeRedis {
  get(key: string): Promise<string | null>;
  del(keys: string[]): Promise<unknown>;
  hGet(key: string, field: string): Promise<string | null>;
  hGetAll(key: string): Promise<Record<string, string>>;
  hKeys(key: string): Promise<string[]>;
  hDel(key: string, fields: string[]): Promise<unknown>;
  zAdd(key: string, member: { readonly score: number; readonly value: string }): Promise<unknown>;
  zRem(key: string, members: string[]): Promise<unknown>;
  zRemRangeByRank(key: string, start: number, stop: number): Promise<unknown>;
}

export class RedisBatchStore implements BatchStore {
  readonly #redis: BatchRedis;
  readonly #keptMs: number;

  /** @param keptMs how long an ended batch is kept. */
  constructor(redis: BatchRedis, { keptMs }: { readonly keptMs: number }) {
    this.#redis = redis;
    this.#keptMs = keptMs;
  }

  async create(spec: BatchSpec): Promise<string> {
    const { batchId, requestHash, deadlineAtMs, owner, format } = spec;
    // A batch that has no worker for long must still end.
    const keptMs = Math.max(0, deadlineAtMs - Date.now()) + LIMITS.openLogTtlMs + this.#keptMs;
    const [known = ''] = await askScriptForTexts(this.#redis, CREATE, {
      keys: [keyOf(batchId, 'head'), keyOf(batchId, 'spec')],
      ask: { requestHash, keptMs },
      texts: [JSON.stringify(spec)],
    });
    const head = await this.head(batchId);
    if (head === null || isFinal(head.status)) return known;
    // The lists have other hash tags. A batch that is not in them is still found by its id.
    const lists = [listKey(owner.tenant, format, null), listKey(owner.tenant, format, owner.user)];
    for (const key of [...lists, ...openKeys(spec)]) {
      await this.#redis.zAdd(key, { score: head.createdAt, value: batchId });
      await this.#redis.zRemRangeByRank(key, 0, -BATCH_LIMITS.batchesListed - 1);
    }
    return known;
  }

  async head(batchId: string): Promise<BatchHead | null> {
    const [fields, spec] = await Promise.all([
      this.#redis.hGetAll(keyOf(batchId, 'head')),
      this.#redis.get(keyOf(batchId, 'spec')),
    ]);
    if (fields['status'] === undefined || spec === null) return null;
    const stored = headSchema.parse(fields);
    const ofBatch = specIn(spec);
    const { status, createdAt, completed, failed, cancelled, expired, costMicroUsd } = stored;
    const times = Object.entries(fields).flatMap(([name, at]) =>
      name.startsWith('at:') ? [[name.slice(3), Number(at)] as const] : [],
    );
    return {
      spec: ofBatch,
      status,
      createdAt,
      times: Object.fromEntries(times) as BatchHead['times'],
      plan: JSON.parse(stored.plan) as BatchHead['plan'],
      counts: { completed, failed, cancelled, expired },
      countedAt: stored.countedAt,
      usage: usageIn(stored),
      costMicroUsd,
      model: JSON.parse(stored.model) as string | null,
      faults: JSON.parse(stored.faults) as BatchFault[],
      outputFileId: JSON.parse(stored.outputFileId) as string | null,
      errorFileId: JSON.parse(stored.errorFileId) as string | null,
      handover: ofBatch.mode === 'vendor' ? await this.handover(batchId) : null,
    };
  }

  async spec(batchId: string): Promise<BatchSpec> {
    const stored = await this.#redis.get(keyOf(batchId, 'spec'));
    if (stored === null) throw gone(batchId);
    return specIn(stored);
  }

  async change(batchId: string, { to, from, facts = {} }: BatchChange): Promise<BatchStatus> {
    const ends = isFinal(to);
    const fields = Object.entries(facts).flatMap(([name, value]) => [name, JSON.stringify(value)]);
    const [status] = await askScriptForTexts(this.#redis, CHANGE, {
      keys: ['head', ...PARTS].map((part) => keyOf(batchId, part)),
      ask: { to, from, ...(ends ? { keptMs: this.#keptMs } : {}) },
      texts: fields,
    });
    if (status === undefined) throw gone(batchId);
    const reached = z.enum(batchStatuses).parse(status);
    if (isFinal(reached)) {
      for (const key of openKeys(await this.spec(batchId))) await this.#redis.zRem(key, [batchId]);
    }
    return reached;
  }

  list(
    owner: BatchOwner,
    { limit, before }: { readonly limit: number; readonly before: BatchHead | null },
  ): Promise<readonly BatchHead[]> {
    return this.#list(owner, { order: 'desc', last: before, limit });
  }

  async newerThan(owner: BatchOwner, head: BatchHead, limit: number): Promise<readonly BatchHead[]> {
    return (await this.#list(owner, { order: 'asc', last: head, limit })).toReversed();
  }

  async #list(
    { tenant, format, user }: BatchOwner,
    { order, last, limit }: { order: 'asc' | 'desc'; last: BatchHead | null; limit: number },
  ): Promise<readonly BatchHead[]> {
    const key = listKey(tenant, format, user);
    const known = last === null ? null : { id: last.spec.batchId, atMs: last.createdAt };
    const heads: BatchHead[] = [];
    const gone: string[] = [];
    for await (const ids of pagesAfter(this.#redis, key, { order, last: known, count: limit + 1 })) {
      const found = await Promise.all(ids.map((id) => this.head(id)));
      for (const [index, head] of found.entries()) {
        if (head === null) gone.push(ids[index] ?? '');
        else heads.push(head);
      }
      if (heads.length >= limit) break;
    }
    // Not before: the pages are counted by what they begin with.
    if (gone.length > 0) await this.#redis.zRem(key, gone);
    return heads.slice(0, limit);
  }

  open(owner: { readonly tenant: string; readonly user: string }): Promise<readonly BatchHead[]> {
    return this.#openIn(openKey(owner));
  }

  readersOf(file: { readonly tenant: string; readonly fileId: string }): Promise<readonly BatchHead[]> {
    return this.#openIn(readersKey(file.tenant, file.fileId));
  }

  async #openIn(key: string): Promise<readonly BatchHead[]> {
    const ids = await idsByTime(this.#redis, key, { count: BATCH_LIMITS.openBatchesRead });
    const heads = await Promise.all(ids.map((id) => this.head(id)));
    const ended = ids.filter((_, index) => isFinal(heads[index]?.status ?? 'failed'));
    if (ended.length > 0) await this.#redis.zRem(key, ended);
    return heads.filter((head) => head !== null && !isFinal(head.status)) as BatchHead[];
  }

  async refuse(shard: ShardName, line: number, response: LineResponse): Promise<void> {
    await this.#keepFirst(refusedKey(shard), shard, line, response);
  }

  async refused(shard: ShardName): Promise<ReadonlyMap<number, LineResponse>> {
    return this.#read<LineResponse>(refusedKey(shard));
  }

  async keepAnswer(shard: ShardName, line: number, answer: KeptAnswer): Promise<void> {
    await this.#keepFirst(answersKey(shard), shard, line, answer);
  }

  async keptAnswer(shard: ShardName, line: number): Promise<KeptAnswer | null> {
    const stored = await this.#redis.hGet(answersKey(shard), String(line));
    return stored === null ? null : (parseJson(stored) as KeptAnswer);
  }

  async keptAnswers(shard: ShardName): Promise<ReadonlyMap<number, KeptAnswer>> {
    return this.#read<KeptAnswer>(answersKey(shard));
  }

  async noteShard(name: ShardName, { usage, ...result }: ShardResult): Promise<void> {
    const { estimated, serviceTier: _, ...tokens } = usage;
    const counts = { ...result, ...tokens, estimated: estimated ? 1 : 0 };
    await askScript(this.#redis, NOTE_SHARD, {
      keys: [keyOf(name.batchId, 'head'), keyOf(name.batchId, 'shards'), refusedKey(name), answersKey(name)],
      ask: { shard: name.shard, counts },
    });
  }

  async notedShards(batchId: string): Promise<ReadonlySet<number>> {
    return new Set((await this.#redis.hKeys(keyOf(batchId, 'shards'))).map(Number));
  }

  async keepHandover<Fact extends keyof HandoverFacts>(
    batchId: string,
    fact: Fact,
    value: HandoverFacts[Fact],
  ): Promise<HandoverFacts[Fact]> {
    const kept = await this.#noteHandover(batchId, [fact, JSON.stringify(value)], { replaces: false });
    return JSON.parse(kept) as HandoverFacts[Fact];
  }

  async dropDoubts(batchId: string, doubts: readonly Doubt[]): Promise<void> {
    if (doubts.length > 0) await this.#redis.hDel(keyOf(batchId, 'handover'), [...doubts]);
  }

  async noteVendorProgress(batchId: string, done: number): Promise<void> {
    await this.#noteHandover(batchId, [DONE, String(done)], { replaces: true });
  }

  async handover(batchId: string): Promise<Handover> {
    const { [DONE]: done = '0', ...facts } = await this.#redis.hGetAll(keyOf(batchId, 'handover'));
    const values = Object.entries(facts).map(([fact, json]) => [fact, JSON.parse(json) as unknown] as const);
    return handoverOf(new Map(values), Number(done));
  }

  async remove({ spec }: BatchHead): Promise<void> {
    const { batchId, owner, format } = spec;
    const { tenant, user } = owner;
    const lists = [listKey(tenant, format, null), listKey(tenant, format, user)];
    for (const key of [...lists, ...openKeys(spec)]) {
      await this.#redis.zRem(key, [batchId]);
    }
    await this.#redis.del(['head', ...PARTS].map((part) => keyOf(batchId, part)));
  }

  async #noteHandover(
    batchId: string,
    texts: readonly [field: string, value: string],
    ask: { readonly replaces: boolean },
  ): Promise<string> {
    const keys = [keyOf(batchId, 'handover'), keyOf(batchId, 'head')];
    const [kept] = await askScriptForTexts(this.#redis, KEEP_FACT, { keys, ask, texts });
    if (kept === undefined) throw gone(batchId);
    return kept;
  }

  async #keepFirst(key: string, { batchId }: ShardName, line: number, value: object): Promise<void> {
    await askScript(this.#redis, KEEP_FIRST, {
      keys: [key, keyOf(batchId, 'head')],
      ask: {},
      texts: [String(line), JSON.stringify(value)],
    });
  }

  async #read<Value>(key: string): Promise<ReadonlyMap<number, Value>> {
    const stored = await this.#redis.hGetAll(key);
    return new Map(Object.entries(stored).map(([line, json]) => [Number(line), parseJson(json) as Value]));
  }
}

function keyOf(batchId: string, part: string): string {
  return REDIS_KEYS.batch(batchId, part);
}

function refusedKey({ batchId, shard }: ShardName): string {
  return keyOf(batchId, `refused:${shard}`);
}

function answersKey({ batchId, shard }: ShardName): string {
  return keyOf(batchId, `answers:${shard}`);
}

function listKey(tenant: string, format: BatchFormat, user: string | null): string {
  return REDIS_KEYS.batchesOf(tenant, format, ...(user === null ? [] : [user]));
}

function openKey({ tenant, user }: { readonly tenant: string; readonly user: string }): string {
  return REDIS_KEYS.batchesOf(tenant, 'open', user);
}

function readersKey(tenant: string, fileId: string): string {
  return REDIS_KEYS.batchesOf(tenant, 'reads', fileId);
}

/** The lists that a batch leaves with its end. */
function openKeys({ owner, inputFileId }: BatchSpec): readonly string[] {
  return [openKey(owner), readersKey(owner.tenant, inputFileId)];
}

/** It was checked before it was stored, and a check would strip what newer code has added. */
function specIn(stored: string): BatchSpec {
  return parseJson(stored) as BatchSpec;
}

function usageIn(stored: z.infer<typeof headSchema>): Usage {
  const { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens } = stored;
  const tokens = { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens };
  return { ...NO_USAGE, ...tokens, estimated: stored.estimated > 0 };
}

function gone(batchId: string): UnbrokenError {
  return new UnbrokenError('not_found', `The batch ${batchId} is not kept any more.`);
}
