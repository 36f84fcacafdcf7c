/**
 * The Lua of the flights. KEYS: the flight (who leads, who follows) and the partition's open flights (what each asks);
 * both have the partition as their hash tag, so that they live on one shard.
 */
import { script } from '../lua/script.ts';

/**
 * ARGV flight key, generation, lease ms, what it asks (JSON; '' for one who may only follow).
 * -> {'lead' | 'follow' | 'late' | 'none', leader}
 */
export const JOIN = script(`
local leader = redis.call('HGET', KEYS[1], 'leader')
if leader and leader ~= ARGV[2] and redis.call('HEXISTS', KEYS[1], 'stored') == 1 then
  if redis.call('HEXISTS', KEYS[1], 'member:' .. ARGV[2]) == 1 then return {'follow', leader} end
  redis.call('DEL', KEYS[1])
  leader = false
end
if not leader then
  redis.call('HDEL', KEYS[2], ARGV[1])
  if ARGV[4] == '' then return {'none', ''} end
  redis.call('HSET', KEYS[1], 'leader', ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[4])
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
  return {'lead', ARGV[2]}
end
if leader == ARGV[2] then return {'lead', leader} end
if redis.call('HEXISTS', KEYS[1], 'closed') == 1 then
  if redis.call('HEXISTS', KEYS[1], 'member:' .. ARGV[2]) == 1 then return {'follow', leader} end
  return {'late', leader}
end
redis.call('HSET', KEYS[1], 'member:' .. ARGV[2], '1')
return {'follow', leader}
`);

/** ARGV flight key, generation, ms for which latecomers still find it. -> how many share, the leader included */
export const CLOSE = script(`
if redis.call('HGET', KEYS[1], 'leader') ~= ARGV[2] then return 1 end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[1], 'closed', '1')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local fields = redis.call('HKEYS', KEYS[1])
local sharers = 1
for _, field in ipairs(fields) do if string.sub(field, 1, 7) == 'member:' then sharers = sharers + 1 end end
return sharers
`);

/** ARGV flight key, generation. The answer is stored; followers that are still copying keep their place. */
export const FORGET = script(`
if redis.call('HGET', KEYS[1], 'leader') ~= ARGV[2] then return 0 end
return redis.call('HSET', KEYS[1], 'stored', '1')
`);

/** ARGV flight key, generation. -> 1 if it owes its share */
export const LEAVE = script(`
if redis.call('HEXISTS', KEYS[1], 'member:' .. ARGV[2]) == 0 then return 0 end
if redis.call('HEXISTS', KEYS[1], 'closed') == 1 then return 1 end
redis.call('HDEL', KEYS[1], 'member:' .. ARGV[2])
return 0
`);

/** ARGV flight key, leader. */
export const DISSOLVE = script(`
if redis.call('HGET', KEYS[1], 'leader') ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
`);
