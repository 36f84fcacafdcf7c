/**
 * The Lua of stored conversations. KEYS are always meta and entries of one conversation, which share a hash tag.
 *
 * An entry's field is its place: `0000000012` for what was added by itself or for the marker of a turn, and
 * `0000000012.00003` for an item of that turn; then a space and the item's id. The marker of a turn has the id
 * `turn:<generation>` and no value. Places sort as text.
 */
import { LIMITS } from '../../contracts/limits.ts';
import { script } from '../../platform/redis/lua-script.ts';

const COMMON = `
local args = cjson.decode(ARGV[1])
local META, ENTRIES = unpack(KEYS)
local function whole(number) return string.format('%.0f', number) end
local function nowMs()
  local time = redis.call('TIME')
  return whole(time[1] * 1000 + math.floor(time[2] / 1000))
end
local function nextPlace() return string.format('%010d', redis.call('HINCRBY', META, 'next', 1)) end
local function keep()
  redis.call('PEXPIRE', META, args.keptMs)
  redis.call('PEXPIRE', ENTRIES, args.keptMs)
end
local function add(place, id, text)
  redis.call('HSET', ENTRIES, place .. ' ' .. id, text)
  redis.call('HINCRBY', META, 'bytes', #text)
end
local function fits()
  local bytes = tonumber(redis.call('HGET', META, 'bytes') or '0')
  for i = 2, #ARGV do bytes = bytes + #ARGV[i] end
  return bytes <= ${LIMITS.conversationBytes}
    and redis.call('HLEN', ENTRIES) + #args.ids <= ${LIMITS.conversationItems}
end
`;

/** ARGV JSON of {fields, ids, keptMs}; one text for each id. -> {'appended' | 'full'} */
export const CREATE = script(`${COMMON}
if redis.call('EXISTS', META) == 1 then return {'appended'} end
if not fits() then return {'full'} end
for name, value in pairs(args.fields) do redis.call('HSET', META, name, value) end
redis.call('HSET', META, 'createdAtMs', nowMs(), 'next', 0, 'bytes', 0)
for i, id in ipairs(args.ids) do add(nextPlace(), id, ARGV[i + 1]) end
keep()
return {'appended'}
`);

/** ARGV JSON of {ids, untilHour, keptMs}; one text for each id. -> {'appended' | 'full' | 'missing'} */
export const APPEND = script(`${COMMON}
if redis.call('EXISTS', META) == 0 then return {'missing'} end
if not fits() then return {'full'} end
for i, id in ipairs(args.ids) do add(nextPlace(), id, ARGV[i + 1]) end
redis.call('HSET', META, 'untilHour', args.untilHour)
keep()
return {'appended'}
`);

/** ARGV JSON of {field: an entry}. -> {'deleted', its bytes} or {'missing'} */
export const DELETE_ITEM = script(`${COMMON}
local text = redis.call('HGET', ENTRIES, args.field)
if not text then return {'missing'} end
redis.call('HDEL', ENTRIES, args.field)
redis.call('HINCRBY', META, 'bytes', -#text)
return {'deleted', whole(#text)}
`);

/** ARGV JSON of {metadata}. -> {'set' | 'missing'} */
export const SET_METADATA = script(`${COMMON}
if redis.call('EXISTS', META) == 0 then return {'missing'} end
redis.call('HSET', META, 'metadata', args.metadata)
return {'set'}
`);

/** ARGV JSON of {generationId, keptMs}. -> {'reserved' | 'known' | 'locked' | 'missing'} */
export const RESERVE = script(`${COMMON}
if redis.call('EXISTS', META) == 0 then return {'missing'} end
local turn = 'turn:' .. args.generationId
if redis.call('HEXISTS', META, turn) == 1 then return {'known'} end
if redis.call('HEXISTS', META, 'pending') == 1 then return {'locked'} end
local place = nextPlace()
redis.call('HSET', META, turn, place, 'pending', args.generationId, 'pendingAtMs', nowMs())
redis.call('HSET', ENTRIES, place .. ' ' .. turn, '')
keep()
return {'reserved'}
`);

/**
 * What a turn has said is kept even if the conversation is full: the next turn is refused then.
 * ARGV JSON of {generationId, ids, untilHour, keptMs}; one text for each id. -> {'settled' | 'known'}
 */
export const SETTLE = script(`${COMMON}
if redis.call('HGET', META, 'pending') ~= args.generationId then return {'known'} end
local place = redis.call('HGET', META, 'turn:' .. args.generationId)
for i, id in ipairs(args.ids) do add(place .. '.' .. string.format('%05d', i), id, ARGV[i + 1]) end
redis.call('HDEL', META, 'pending', 'pendingAtMs')
redis.call('HSET', META, 'untilHour', args.untilHour)
keep()
return {'settled'}
`);

/** ARGV JSON of {generationId}. The turn may be reserved again, with the same key of its request. */
export const ABANDON = script(`${COMMON}
if redis.call('HGET', META, 'pending') ~= args.generationId then return {'known'} end
local turn = 'turn:' .. args.generationId
redis.call('HDEL', ENTRIES, redis.call('HGET', META, turn) .. ' ' .. turn)
redis.call('HDEL', META, 'pending', 'pendingAtMs', turn)
return {'abandoned'}
`);
