/**
 * Who shares the cost of a leader's answer, in Redis: a hash on the shard of the leader's log. So each script reads in
 * the same step whether that log still runs, and nobody can be counted after the leader's end, or leave after it unpaid.
 */
import { z } from 'zod';
import { usageSchema } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { splitCost } from '../../contracts/share.ts';
import { runScript, type Script, type ScriptRedis, script } from '../../platform/redis/lua-script.ts';
import type { FlightMembers, WholeAnswer } from './flights.ts';

/** All scripts: KEYS members, meta of the leader's log. Fields of members: `member:<id>`, `left:<id>`, `closedAtMs`, `opener`, `by`, `used`. */
const NOW_MS = `
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** ARGV generation, ms that it is kept. -> 1 if it shares the cost */
const ENTER = script(`
local member = 'member:' .. ARGV[1]
if redis.call('HEXISTS', KEYS[1], member) == 1 then return 1 end
if redis.call('HGET', KEYS[2], 'status') ~= 'running' then return 0 end
if redis.call('HEXISTS', KEYS[1], 'closedAtMs') == 1 then return 0 end
if redis.call('HEXISTS', KEYS[1], 'left:' .. ARGV[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], member, '1')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`);

/** ARGV opener, what is shared (JSON), ms that it is kept with members, and without. -> how many share */
const CLOSE = script(`${NOW_MS}
local log = redis.call('HMGET', KEYS[2], 'status', 'opener', 'eraseAtEnd')
if log[1] ~= 'running' or log[2] ~= ARGV[1] then return 1 end
-- Its texts go with its end: a follower might pay a share of what it can no longer copy, and then for a call of its own.
if log[3] then return 1 end
local by = 1
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 7) == 'member:' then by = by + 1 end
end
redis.call('HSET', KEYS[1], 'closedAtMs', string.format('%.0f', nowMs), 'opener', ARGV[1], 'by', by, 'used', ARGV[2])
redis.call('PEXPIRE', KEYS[1], by > 1 and ARGV[3] or ARGV[4])
return by
`);

/** ARGV generation, ms for which the leader's end is waited for. -> {'none'} or {'pending'} or {'owed', by, used} */
const LEAVE = script(`${NOW_MS}
local member = 'member:' .. ARGV[1]
-- A process of this follower that is late, and enters it again, would have it counted when it has paid nothing.
local function goes()
  redis.call('HDEL', KEYS[1], member)
  if redis.call('HGET', KEYS[2], 'status') ~= 'running' then return {'none'} end
  redis.call('HSET', KEYS[1], 'left:' .. ARGV[1], '1')
  if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
  return {'none'}
end
if redis.call('HEXISTS', KEYS[1], member) == 0 then return goes() end
local closed = redis.call('HMGET', KEYS[1], 'closedAtMs', 'opener', 'by', 'used')
local log = redis.call('HMGET', KEYS[2], 'status', 'opener')
if closed[1] then
  -- Another attempt than the one that fixed the shares has ended the log: its end shares nothing.
  local isOwed = not log[1] or (log[1] == 'completed' and log[2] == closed[2])
  if isOwed then return {'owed', closed[3], closed[4]} end
  if log[1] == 'running' and nowMs - tonumber(closed[1]) < tonumber(ARGV[2]) then return {'pending'} end
end
return goes()
`);

/** ARGV generation. Of members that have all paid, nothing is kept. */
const DISCHARGE = script(`
redis.call('HDEL', KEYS[1], 'member:' .. ARGV[1])
if redis.call('HGET', KEYS[2], 'status') == 'running' then return 0 end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 7) == 'member:' then return 0 end
end
return redis.call('DEL', KEYS[1])
`);

const usedSchema = z.object({ usage: usageSchema, costMicroUsd: z.int().nonnegative() });
const debtSchema = z.union([
  z.tuple([z.enum(['none', 'pending'])]),
  z.tuple([z.literal('owed'), z.coerce.number().int(), z.string()]),
]);

export interface RedisFlightMembers extends FlightMembers {
  /** @returns how many share, the leader included. */
  close(answer: WholeAnswer): Promise<number>;
}

export function createFlightMembers(redis: ScriptRedis): RedisFlightMembers {
  const run = (order: Script, leader: string, args: readonly (string | number)[]) =>
    runScript(redis, order, [REDIS_KEYS.flightMembers(leader), REDIS_KEYS.logMeta(leader)], args);
  const count = async (reply: Promise<unknown>) =>
    z.coerce
      .number()
      .int()
      .parse(await reply);

  return {
    enter: async (leader, generationId) =>
      (await count(run(ENTER, leader, [generationId, LIMITS.openLogTtlMs]))) === 1,

    async leave(leader, generationId) {
      const reply = await run(LEAVE, leader, [generationId, LIMITS.flightClosedMs]);
      const [state, by, used] = debtSchema.parse(reply);
      if (state !== 'owed') return { state };
      return { state, by, share: splitCost(usedSchema.parse(JSON.parse(used)), by).each };
    },

    async discharge(leader, generationId) {
      await run(DISCHARGE, leader, [generationId]);
    },

    close: ({ generationId, opener, used }) =>
      count(
        run(CLOSE, generationId, [
          opener,
          JSON.stringify(used),
          LIMITS.openLogTtlMs,
          // Without members it only keeps others from being counted while the end is on its way.
          LIMITS.flightClosedMs,
        ]),
      ),
  };
}
