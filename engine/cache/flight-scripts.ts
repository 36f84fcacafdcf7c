/**
 * The Lua of what can be joined. KEYS: the flight (who leads) and the partition's open flights (what each asks); both
 * have the partition as their hash tag, so that they live on one shard.
 */
import { script } from '../../platform/redis/lua-script.ts';

/**
 * ARGV flight key, generation, lease ms, what it asks (JSON; '' for one who may only follow).
 * -> {'lead' | 'follow' | 'none', leader}
 */
export const JOIN = script(`
local leader = redis.call('HGET', KEYS[1], 'leader')
if leader and leader ~= ARGV[2] and redis.call('HEXISTS', KEYS[1], 'stored') == 1 then
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
return {'follow', leader}
`);

/** ARGV flight key, generation, ms for which latecomers still find it. */
export const CLOSE = script(`
if redis.call('HGET', KEYS[1], 'leader') ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`);

/** ARGV flight key, generation. The answer is stored. */
export const FORGET = script(`
if redis.call('HGET', KEYS[1], 'leader') ~= ARGV[2] then return 0 end
return redis.call('HSET', KEYS[1], 'stored', '1')
`);

/** ARGV flight key, leader. */
export const DISSOLVE = script(`
if redis.call('HGET', KEYS[1], 'leader') ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
`);
