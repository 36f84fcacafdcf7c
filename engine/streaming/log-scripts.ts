/** The Lua of the log. Each script is atomic and touches keys of one hash tag only. */
import { script } from '../../platform/redis/lua-script.ts';

/**
 * KEYS meta, stream, input, compressed input, members of its flight. ARGV ttlMs, events, input, then pairs of meta
 * fields. The last two keys may have outlived an earlier log of this id: another question would be answered by its
 * input, or its followers counted among those who pay.
 * -> {created, createdAt, requestHash of the log that was there}
 */
export const CREATE = script(`
local existing = redis.call('HMGET', KEYS[1], 'createdAt', 'requestHash')
if existing[2] then return {0, existing[1], existing[2]} end
local time = redis.call('TIME')
local at = time[1] * 1000 + math.floor(time[2] / 1000)
at = string.format('%.0f', at)
redis.call('HSET', KEYS[1], 'next', 1, 'epoch', 0, 'status', 'running', 'createdAt', at, unpack(ARGV, 4))
redis.call('DEL', KEYS[4], KEYS[5])
redis.call('XADD', KEYS[2], '1-0', 'at', at, 'events', ARGV[2])
redis.call('SET', KEYS[3], ARGV[3], 'PX', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return {1, at, ''}
`);

/** KEYS meta. Only a log that runs can be wished to end. */
export const WISH_CANCEL = script(`
if redis.call('HGET', KEYS[1], 'status') == 'running' then redis.call('HSET', KEYS[1], 'cancel', '1') end
return {'noted'}
`);

/** No two clocks of a deployment are further apart. */
const CLOCK_SKEW_MS = 10 * 60_000;

/**
 * KEYS meta. ARGV opener, epoch, or 'newest' for one above all attempts: the epoch of an attempt is the time at which it
 * was scheduled, and one that was scheduled before may come late. An ended log has no writer, so an opener only reads it,
 * and it keeps the epoch that says whose end it has.
 * -> {'open', epoch} or {'missing'} or {'fenced', epoch}
 */
export const OPEN = script(`
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'status')
local epoch = meta[1]
if not epoch then return {'missing'} end
if meta[2] ~= 'running' then return {'open', epoch} end
local asked = ARGV[2]
if asked == 'newest' then
  local latest = redis.call('TIME')[1] * 1000 + ${CLOCK_SKEW_MS}
  asked = string.format('%.0f', math.max(tonumber(epoch) + 1, latest))
end
if tonumber(asked) < tonumber(epoch) then return {'fenced', epoch} end
redis.call('HSET', KEYS[1], 'epoch', asked, 'opener', ARGV[1])
return {'open', asked}
`);

/**
 * KEYS meta, stream, input, channel. ARGV epoch, count, events, opener, then pairs of meta fields. Opens a log that has no more than its start, and
 * appends. Repeated by the same opener after a lost reply it is acknowledged.
 * -> {'opened'} or {'known'}
 */
export const OPEN_FRESH = script(`
local meta = redis.call('HMGET', KEYS[1], 'next', 'epoch', 'status', 'cancel', 'opener')
if meta[5] == ARGV[4] and meta[2] == ARGV[1] and tonumber(meta[1]) == tonumber(ARGV[2]) + 1 then return {'opened'} end
if meta[1] ~= '1' or meta[2] ~= '0' or meta[3] ~= 'running' or meta[4] then return {'known'} end
local time = redis.call('TIME')
local at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('XADD', KEYS[2], '1-' .. ARGV[2], 'at', at, 'events', ARGV[3])
redis.call('HSET', KEYS[1], 'next', tonumber(ARGV[2]) + 1, 'epoch', ARGV[1], 'opener', ARGV[4], unpack(ARGV, 5))
redis.call('SPUBLISH', KEYS[4], '1 ' .. at .. ' ' .. ARGV[3])
return {'opened'}
`);

/**
 * What was asked and answered goes; what the generation cost stays. An error may quote the prompt.
 * Needs KEYS meta, stream, input, compressed input in this order.
 */
const ERASE_TEXTS = `
local function eraseTexts(meta, stream, input, compressed)
  redis.call('DEL', stream, input, compressed)
  redis.call('HDEL', meta, 'origin', 'checkpoint', 'eraseAtEnd')
  if redis.call('HGET', meta, 'status') == 'failed' then redis.call('HDEL', meta, 'view:end') end
  redis.call('HSET', meta, 'erased', '1', 'metadata', '{}')
end
`;

/**
 * KEYS meta, stream, input, compressed input. A log that still runs is erased by the append that ends it.
 * -> {'erased'} or {'missing'} or {'at-end'}
 */
export const ERASE = script(`
${ERASE_TEXTS}
local status = redis.call('HGET', KEYS[1], 'status')
if not status then return {'missing'} end
if status == 'running' then
  redis.call('HSET', KEYS[1], 'eraseAtEnd', '1')
  return {'at-end'}
end
eraseTexts(unpack(KEYS))
return {'erased'}
`);

/** KEYS meta. From now on the answer is not stored for others. -> {'withheld', '1' if it may have been stored} or {'missing', ''} */
export const WITHHOLD = script(`
if redis.call('EXISTS', KEYS[1]) == 0 then return {'missing', ''} end
redis.call('HSET', KEYS[1], 'withheld', '1')
return {'withheld', redis.call('HGET', KEYS[1], 'stored') or ''}
`);

/** KEYS meta. Called before an answer is stored for others, so that a later erasure knows of the copy. -> {'noted'} or {'withheld'} */
export const NOTE_STORED = script(`
local meta = redis.call('HMGET', KEYS[1], 'status', 'erased', 'eraseAtEnd', 'withheld')
if not meta[1] or meta[2] or meta[3] or meta[4] then return {'withheld'} end
redis.call('HSET', KEYS[1], 'stored', '1')
return {'noted'}
`);

/**
 * KEYS meta, stream, input, channel, compressed input.
 * ARGV 1 'fenced', 'once' or 'unopened' (once, and only before the log was opened), 2 epoch or step, 3 expected seq, 4 count, 5 events, 6 terminal status or '',
 * 7 checkpoint or '', 8 ttlMs after the end, 9 opener, then pairs of meta fields.
 * Two writers may hold one epoch, such as a step that is repeated after a crash: the one that opened the log last writes.
 * A fenced append that is repeated after a lost reply finds its events there and is acknowledged, not written twice.
 * A writer that had more acknowledged than there is tells that Redis lost the log's tail; the lost numbers are noted.
 * -> {'appended' | 'already-appended' | 'fenced' | 'ended' | 'opened' | 'missing' | 'conflict' | 'torn', nextSeq, '1' if cancel is
 * wished}
 */
export const APPEND = script(`
${ERASE_TEXTS}
local once = ARGV[1] ~= 'fenced'
local meta = redis.call('HMGET', KEYS[1], 'next', 'epoch', 'status', 'once:' .. ARGV[2], 'cancel', 'tornFrom', 'tornUntil', 'opener')
if not meta[1] then return {'missing', '0'} end
local next = tonumber(meta[1])
local count = tonumber(ARGV[4])
if once then
  if meta[4] then return {'already-appended', meta[1]} end
  if meta[3] ~= 'running' then return {'ended', meta[1]} end
  if ARGV[1] == 'unopened' and meta[2] ~= '0' then return {'opened', meta[1]} end
else
  local expected = tonumber(ARGV[3])
  if next < expected and tonumber(meta[2]) <= tonumber(ARGV[2]) then
    redis.call('HSET', KEYS[1], 'tornFrom', math.min(next, tonumber(meta[6] or next)),
      'tornUntil', math.max(expected - 1, tonumber(meta[7] or 0)))
    return {'torn', meta[1]}
  end
  if tonumber(meta[2]) ~= tonumber(ARGV[2]) then return {'fenced', meta[2]} end
  local isOwn = not meta[8] or meta[8] == ARGV[9]
  if isOwn and next == expected + count then return {'already-appended', meta[1]} end
  if meta[3] ~= 'running' then return {'ended', meta[1]} end
  if next ~= expected or not isOwn then return {isOwn and 'conflict' or 'fenced', meta[1]} end
end
local time = redis.call('TIME')
local at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('XADD', KEYS[2], '1-' .. string.format('%.0f', next + count - 1), 'at', at, 'events', ARGV[5])
redis.call('HSET', KEYS[1], 'next', string.format('%.0f', next + count))
if once then redis.call('HSET', KEYS[1], 'once:' .. ARGV[2], at) end
if ARGV[7] ~= '' then redis.call('HSET', KEYS[1], 'checkpoint', ARGV[7]) end
if #ARGV > 9 then redis.call('HSET', KEYS[1], unpack(ARGV, 10)) end
if ARGV[6] ~= '' then
  redis.call('HSET', KEYS[1], 'status', ARGV[6], 'endedAt', at)
  for _, i in ipairs({1, 2, 3, 5}) do redis.call('PEXPIRE', KEYS[i], ARGV[8]) end
  if redis.call('HEXISTS', KEYS[1], 'eraseAtEnd') == 1 then eraseTexts(KEYS[1], KEYS[2], KEYS[3], KEYS[5]) end
end
redis.call('SPUBLISH', KEYS[4], meta[1] .. ' ' .. at .. ' ' .. ARGV[5])
return {'appended', string.format('%.0f', next + count), meta[5] or ''}
`);
