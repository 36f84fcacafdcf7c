/**
 * The Lua of complaints. KEYS complaints by entry (a JSON list of [generation, complaint]), entry by generation, times
 * of the generations. All are of one tenant and have it as their hash tag.
 */
import { script } from '../../platform/redis/lua-script.ts';

const REMOVE_FUNCTION = `
local function remove(generation)
  local entry = redis.call('HGET', KEYS[2], generation)
  redis.call('ZREM', KEYS[3], generation)
  if not entry then return 0 end
  redis.call('HDEL', KEYS[2], generation)
  local kept = {}
  for _, complaint in ipairs(cjson.decode(redis.call('HGET', KEYS[1], entry) or '[]')) do
    if complaint[1] ~= generation then kept[#kept + 1] = complaint end
  end
  if #kept == 0 then
    redis.call('HDEL', KEYS[1], entry)
  else
    redis.call('HSET', KEYS[1], entry, cjson.encode(kept))
  end
  return 1
end
`;
/** Complaints that are past their time are removed by the next ones, so many by each. */
const REMOVED_BY_EACH = 100;

/** ARGV[2] the complaint without its time. -> {'added' | 'known' | 'full'} */
export const ADD_COMPLAINT = script(`
${REMOVE_FUNCTION}
local ask = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('HEXISTS', KEYS[2], ask.generationId) == 1 then return {'known'} end
local oldest = string.format('%.0f', now - ask.keptMs)
for _, generation in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', oldest, 'LIMIT', 0, ${REMOVED_BY_EACH})) do
  remove(generation)
end
local complaints = cjson.decode(redis.call('HGET', KEYS[1], ask.entryId) or '[]')
if #complaints >= ask.mostPerEntry then return {'full'} end
while redis.call('ZCARD', KEYS[3]) >= ask.mostPerTenant do
  remove(redis.call('ZRANGE', KEYS[3], 0, 0)[1])
end
local at = string.format('%.0f', now)
complaints = cjson.decode(redis.call('HGET', KEYS[1], ask.entryId) or '[]')
complaints[#complaints + 1] = {ask.generationId, ARGV[2], at}
redis.call('HSET', KEYS[1], ask.entryId, cjson.encode(complaints))
redis.call('HSET', KEYS[2], ask.generationId, ask.entryId)
redis.call('ZADD', KEYS[3], at, ask.generationId)
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ask.keptMs) end
return {'added'}
`);

/** `ask.generations` -> how many had complained */
export const REMOVE_COMPLAINTS = script(`
${REMOVE_FUNCTION}
local removed = 0
for _, generation in ipairs(cjson.decode(ARGV[1]).generations) do removed = removed + remove(generation) end
return removed
`);

/** `ask.entryId`: all complaints about it. */
export const FORGET_ENTRY = script(`
local entryId = cjson.decode(ARGV[1]).entryId
for _, complaint in ipairs(cjson.decode(redis.call('HGET', KEYS[1], entryId) or '[]')) do
  redis.call('HDEL', KEYS[2], complaint[1])
  redis.call('ZREM', KEYS[3], complaint[1])
end
redis.call('HDEL', KEYS[1], entryId)
return 1
`);
