/** The Lua of the archive. Each script is atomic and touches keys of one hash tag only. */
import { vitalScript } from '../../platform/redis/lua-script.ts';

/**
 * Claims what is due: until the claim is over, no other worker gets it. A worker that dies leaves it to the next one.
 * The half marks a claim: the time of what is not due yet is whole.
 * KEYS due. ARGV how many at most; ms of the claim. -> members
 */
export const CLAIM = vitalScript(`
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local claimed = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', nowMs, 'LIMIT', 0, ARGV[1])
local untilMs = string.format('%.0f', nowMs + ARGV[2]) .. '.5'
for _, member in ipairs(claimed) do redis.call('ZADD', KEYS[1], untilMs, member) end
return claimed
`);

/**
 * Removes a log that the archive holds now, if it is still the one that was read.
 * KEYS meta, stream, input, compressed input, members of its flight.
 * ARGV JSON of {createdAt, next, keysMs, marks: fields that change after the end, as they were read; '' if absent}
 * -> {'removed'} | {'gone'} | {'changed'}
 *
 * Without the log, a request that is sent again would start a second generation, and a follower could not tell whether
 * its leader has completed. So some fields stay for as long as such a request or follower may come.
 */
export const REMOVE = vitalScript(`
local args = cjson.decode(ARGV[1])
local META, STREAM, INPUT, COMPRESSED, MEMBERS = unpack(KEYS)
local createdAt, next, status, archived, unique = unpack(redis.call('HMGET', META,
  'createdAt', 'next', 'status', 'archived', 'unique'))
if not createdAt or archived then return {'gone'} end
if createdAt ~= args.createdAt or next ~= args.next or status == 'running' then return {'changed'} end
for name, value in pairs(args.marks) do
  if (redis.call('HGET', META, name) or '') ~= value then return {'changed'} end
end
local keptMs = math.max(unique and 0 or args.keysMs, redis.call('PTTL', MEMBERS))
keptMs = math.min(keptMs, redis.call('PTTL', META))
redis.call('DEL', STREAM, INPUT, COMPRESSED)
if keptMs <= 0 then
  redis.call('DEL', META)
  return {'removed'}
end
local kept = {'metadata', '{}', 'archived', '1'}
for _, name in ipairs({'tenant', 'user', 'route', 'requestHash', 'status', 'next', 'epoch', 'opener',
    'createdAt', 'endedAt', 'erased'}) do
  local value = redis.call('HGET', META, name)
  if value then
    kept[#kept + 1] = name
    kept[#kept + 1] = value
  end
end
redis.call('DEL', META)
redis.call('HSET', META, unpack(kept))
redis.call('PEXPIRE', META, string.format('%.0f', keptMs))
return {'removed'}
`);

/**
 * Notes in Redis that an archived log was erased, for the processes that remember it.
 * KEYS meta. ARGV ms; then names and values, if Redis has nothing of the log any more.
 */
export const NOTE_ERASED = vitalScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('HSET', KEYS[1], unpack(ARGV, 2)) end
if not redis.call('HGET', KEYS[1], 'archived') then return 0 end
redis.call('HSET', KEYS[1], 'erased', '1')
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return 1
`);
