/**
 * The generations that share the cost of a leader's answer, in Redis: a hash on the shard of the leader's log. Each
 * script sees in one step whether that log still runs, so no follower is counted after the leader's end, and none
 * leaves after it without paying.
 */
import { z } from 'zod';
import { usageSchema } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { splitCost } from '../../contracts/share.ts';
import {
  askScript,
  type Script,
  type ScriptCall,
  type ScriptRedis,
  script,
} from '../../platform/redis/lua-script.ts';
import type { Debt, FlightMembers, WholeAnswer } from './flights.ts';

/**
 * Begins each script. KEYS members, meta of the leader's log.
 * Fields of members: `member:<id>`, `left:<id>`, `closedAtMs`, `opener`, `by`, `used`.
 */
const COMMON = `
local ask = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** -> 1 if the generation shares the cost */
const ENTER = script(`${COMMON}
local member = 'member:' .. ask.generationId
if redis.call('HEXISTS', KEYS[1], member) == 1 then return 1 end
if redis.call('HGET', KEYS[2], 'status') ~= 'running' then return 0 end
if redis.call('HEXISTS', KEYS[1], 'closedAtMs') == 1 then return 0 end
if redis.call('HEXISTS', KEYS[1], 'left:' .. ask.generationId) == 1 then return 0 end
redis.call('HSET', KEYS[1], member, '1')
redis.call('PEXPIRE', KEYS[1], ${LIMITS.openLogTtlMs})
return 1
`);

/** ARGV[2] what is shared, as JSON. -> how many share */
const CLOSE = script(`${COMMON}
local log = redis.call('HMGET', KEYS[2], 'status', 'opener', 'eraseAtEnd')
if log[1] ~= 'running' or log[2] ~= ask.opener then return 1 end
-- The log's texts are erased at its end: a follower could pay a share of a text that it can no longer copy, and then pay
-- for its own call too.
if log[3] then return 1 end
local by = 1
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 7) == 'member:' then by = by + 1 end
end
redis.call('HSET', KEYS[1], 'closedAtMs', string.format('%.0f', nowMs), 'opener', ask.opener, 'by', by, 'used', ARGV[2])
-- Without members the hash only keeps others from being counted while the end is being written.
redis.call('PEXPIRE', KEYS[1], by > 1 and ${LIMITS.openLogTtlMs} or ${LIMITS.flightClosedMs})
return by
`);

/** -> {'none'} or {'pending'} or {'owed', by, used} */
const LEAVE = script(`${COMMON}
local member = 'member:' .. ask.generationId
-- The mark keeps a late process of this follower from entering again: the follower would be counted and never pay.
local function leave()
  redis.call('HDEL', KEYS[1], member)
  if redis.call('HGET', KEYS[2], 'status') ~= 'running' then return {'none'} end
  redis.call('HSET', KEYS[1], 'left:' .. ask.generationId, '1')
  if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ${LIMITS.flightClosedMs}) end
  return {'none'}
end
if redis.call('HEXISTS', KEYS[1], member) == 0 then return leave() end
local closed = redis.call('HMGET', KEYS[1], 'closedAtMs', 'opener', 'by', 'used')
local log = redis.call('HMGET', KEYS[2], 'status', 'opener')
if closed[1] then
  -- If another attempt than the one that fixed the shares has ended the log, its end shares nothing.
  local isOwed = not log[1] or (log[1] == 'completed' and log[2] == closed[2])
  if isOwed then return {'owed', closed[3], closed[4]} end
  if log[1] == 'running' and nowMs - tonumber(closed[1]) < ${LIMITS.flightClosedMs} then return {'pending'} end
end
return leave()
`);

/** When all members have paid, nothing of the hash is kept. */
const DISCHARGE = script(`${COMMON}
redis.call('HDEL', KEYS[1], 'member:' .. ask.generationId)
if redis.call('HGET', KEYS[2], 'status') == 'running' then return 0 end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 7) == 'member:' then return 0 end
end
return redis.call('DEL', KEYS[1])
`);

const usedSchema = z.object({ usage: usageSchema, costMicroUsd: z.int().nonnegative() });
const countSchema = z.coerce.number().int();
const debtSchema = z.union([
  z.tuple([z.enum(['none', 'pending'])]),
  z.tuple([z.literal('owed'), countSchema, z.string()]),
]);

export class RedisFlightMembers implements FlightMembers {
  readonly #redis: ScriptRedis;

  constructor(redis: ScriptRedis) {
    this.#redis = redis;
  }

  async enter(leader: string, generationId: string): Promise<boolean> {
    return countSchema.parse(await this.#ask(ENTER, leader, { ask: { generationId } })) === 1;
  }

  async leave(leader: string, generationId: string): Promise<Debt> {
    const reply = await this.#ask(LEAVE, leader, { ask: { generationId } });
    const [state, by, used] = debtSchema.parse(reply);
    if (state !== 'owed') return { state };
    return { state, by, share: splitCost(usedSchema.parse(JSON.parse(used)), by).each };
  }

  async discharge(leader: string, generationId: string): Promise<void> {
    await this.#ask(DISCHARGE, leader, { ask: { generationId } });
  }

  /** @returns how many share, the leader included. */
  async close({ generationId, opener, used }: WholeAnswer): Promise<number> {
    const call = { ask: { opener }, texts: [JSON.stringify(used)] };
    return countSchema.parse(await this.#ask(CLOSE, generationId, call));
  }

  #ask(called: Script, leader: string, call: Omit<ScriptCall, 'keys'>): Promise<unknown> {
    const keys = [REDIS_KEYS.flightMembers(leader), REDIS_KEYS.logMeta(leader)];
    return askScript(this.#redis, called, { keys, ...call });
  }
}
