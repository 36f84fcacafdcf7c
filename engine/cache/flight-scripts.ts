/**
 * The Lua of flights. KEYS the flight (its leader), the partition's open flights (the question of each). Both have the
 * partition as their hash tag, so they are on one shard. `ask.flight` is the field of the flight among the open ones.
 */
import { script } from '../../platform/redis/lua-script.ts';

/** A flight whose leader was killed is forgotten after this; its followers notice the silence sooner. */
const LEASE_MS = 10 * 60_000;
/** A closed flight bridges the time until its answer is stored. */
const CLOSED_MS = 3_000;

/**
 * A generation that was asked before the answer was stored may have looked it up too early: it follows, for as long as
 * the closed flight is known.
 * ARGV[2] the question; '' for a generation that may only follow. -> {'lead' | 'follow' | 'none', leader}
 */
export const JOIN = script(`
local ask = cjson.decode(ARGV[1])
local leader = redis.call('HGET', KEYS[1], 'leader')
local storedAt = redis.call('HGET', KEYS[1], 'storedAt')
if leader and leader ~= ask.generationId and storedAt and ask.askedAtMs >= tonumber(storedAt) then
  redis.call('DEL', KEYS[1])
  leader = false
end
if not leader then
  redis.call('HDEL', KEYS[2], ask.flight)
  if ARGV[2] == '' then return {'none', ''} end
  redis.call('HSET', KEYS[1], 'leader', ask.generationId)
  redis.call('PEXPIRE', KEYS[1], ${LEASE_MS})
  redis.call('HSET', KEYS[2], ask.flight, ARGV[2])
  redis.call('PEXPIRE', KEYS[2], ${LEASE_MS})
  return {'lead', ask.generationId}
end
if leader == ask.generationId then return {'lead', leader} end
return {'follow', leader}
`);

/** The leader's answer is whole. Latecomers still find the flight for a moment. */
export const CLOSE = script(`
local ask = cjson.decode(ARGV[1])
if redis.call('HGET', KEYS[1], 'leader') ~= ask.leader then return 0 end
redis.call('HDEL', KEYS[2], ask.flight)
redis.call('PEXPIRE', KEYS[1], ${CLOSED_MS})
return 1
`);

/** The leader's answer is stored. The time is Redis's, as that at which a generation was asked. */
export const FORGET = script(`
local ask = cjson.decode(ARGV[1])
if redis.call('HGET', KEYS[1], 'leader') ~= ask.leader then return 0 end
local time = redis.call('TIME')
return redis.call('HSET', KEYS[1], 'storedAt', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
`);

/** The leader has failed or fallen silent. */
export const DISSOLVE = script(`
local ask = cjson.decode(ARGV[1])
if redis.call('HGET', KEYS[1], 'leader') ~= ask.leader then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HDEL', KEYS[2], ask.flight)
return 1
`);
