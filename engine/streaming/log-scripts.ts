/**
 * The Lua of the event log. Each script is atomic and touches keys of one hash tag only.
 *
 * ARGV[1] is one JSON object with named fields. Texts that Redis only stores (events, input) follow as separate
 * arguments: inside the object they would be escaped and unescaped once more, and an append is the hottest call of
 * the system.
 */
import { script, vitalScript } from '../../platform/redis/lua-script.ts';

/** No two clocks of a deployment differ by more than this. */
export const CLOCK_SKEW_MS = 10 * 60_000;

const COMMON = `
local args = cjson.decode(ARGV[1])
-- A number as a string of digits: Lua's own conversion writes large ones with an exponent.
local function integer(number) return string.format('%.0f', number) end
local function nowMs()
  local time = redis.call('TIME')
  return integer(time[1] * 1000 + math.floor(time[2] / 1000))
end
local function setFields(key, fields)
  for name, value in pairs(fields) do redis.call('HSET', key, name, value) end
end
`;

/**
 * Creates a log with its first event.
 * KEYS meta, stream, input, compressed input, members of its flight.
 * ARGV JSON of {ttlMs, fields: fields of meta}; events; input.
 * -> {created, createdAt, requestHash of the log that exists}
 *
 * The last two keys may have outlived an earlier log of this id. They are deleted: otherwise the earlier input would
 * answer this question, and the earlier followers would share its cost.
 */
export const CREATE = script(`${COMMON}
local META, STREAM, INPUT, COMPRESSED, MEMBERS = unpack(KEYS)
local events, input = ARGV[2], ARGV[3]
local createdAt, requestHash = unpack(redis.call('HMGET', META, 'createdAt', 'requestHash'))
if requestHash then return {0, createdAt, requestHash} end
local at = nowMs()
redis.call('HSET', META, 'next', 1, 'epoch', 0, 'status', 'running', 'createdAt', at)
setFields(META, args.fields)
redis.call('DEL', COMPRESSED, MEMBERS)
redis.call('XADD', STREAM, '1-0', 'at', at, 'events', events)
redis.call('SET', INPUT, input, 'PX', args.ttlMs)
redis.call('PEXPIRE', META, args.ttlMs)
redis.call('PEXPIRE', STREAM, args.ttlMs)
return {1, at, ''}
`);

/**
 * Asks the writer of a running log to end it; an ended log keeps no request. The writer finds the request with its next
 * append. A message reaches the worker that streams at once: a silent stream appends nothing.
 * KEYS meta. ARGV JSON of {generationId, channel}
 */
export const REQUEST_CANCEL = script(`${COMMON}
if redis.call('HGET', KEYS[1], 'status') == 'running' then
  redis.call('HSET', KEYS[1], 'cancel', '1')
  redis.call('PUBLISH', args.channel, args.generationId)
end
return {'noted'}
`);

/**
 * Takes a log over, so that writers of lower epochs are rejected.
 * KEYS meta. ARGV JSON of {opener, epoch}; the epoch 'newest' is one above all attempts.
 * -> {'open', epoch} | {'missing'} | {'fenced', epoch}
 *
 * The epoch of an attempt is the time at which it was scheduled, and an attempt may reach the log late. So 'newest'
 * lies in the future, by the most that two clocks differ. An ended log has no writer: it is only read, and it keeps
 * the epoch under which it ended.
 */
export const OPEN = script(`${COMMON}
local META = KEYS[1]
local held, status = unpack(redis.call('HMGET', META, 'epoch', 'status'))
if not held then return {'missing'} end
if status ~= 'running' then return {'open', held} end
local epoch = args.epoch
if epoch == 'newest' then epoch = math.max(tonumber(held) + 1, tonumber(nowMs()) + ${CLOCK_SKEW_MS}) end
if epoch < tonumber(held) then return {'fenced', held} end
redis.call('HSET', META, 'epoch', integer(epoch), 'opener', args.opener)
return {'open', integer(epoch)}
`);

/**
 * Opens a log that holds only its start, and appends to it in the same step.
 * KEYS meta, stream, channel. ARGV JSON of {epoch, opener, count, fields}; events.
 * -> {'opened'} | {'known'}
 *
 * A call that is sent again by the same opener, after its reply was lost, is acknowledged.
 */
export const OPEN_FRESH = script(`${COMMON}
local META, STREAM, CHANNEL = unpack(KEYS)
local events = ARGV[2]
local next, epoch, status, cancel, opener = unpack(redis.call('HMGET', META, 'next', 'epoch', 'status', 'cancel', 'opener'))
if opener == args.opener and epoch == integer(args.epoch) and tonumber(next) == args.count + 1 then return {'opened'} end
if next ~= '1' or epoch ~= '0' or status ~= 'running' or cancel then return {'known'} end
local at = nowMs()
redis.call('XADD', STREAM, '1-' .. integer(args.count), 'at', at, 'events', events)
redis.call('HSET', META, 'next', integer(args.count + 1), 'epoch', integer(args.epoch), 'opener', args.opener)
setFields(META, args.fields)
redis.call('SPUBLISH', CHANNEL, '1 ' .. at .. ' ' .. events)
return {'opened'}
`);

/**
 * Question and answer are deleted; what the generation cost stays. An error is deleted too: it may quote the prompt.
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
 * Deletes the texts of an ended log. A running log is only marked, and the append that ends it deletes them.
 * KEYS meta, stream, input, compressed input.
 * -> {'erased'} | {'missing'} | {'at-end'}
 */
export const ERASE = vitalScript(`${ERASE_TEXTS}
local META, STREAM, INPUT, COMPRESSED = unpack(KEYS)
local status = redis.call('HGET', META, 'status')
if not status then return {'missing'} end
if status == 'running' then
  redis.call('HSET', META, 'eraseAtEnd', '1')
  return {'at-end'}
end
eraseTexts(META, STREAM, INPUT, COMPRESSED)
return {'erased'}
`);

/** Deletes whose log it was, once it is erased. KEYS meta. */
export const DISOWN = vitalScript(`
if redis.call('HEXISTS', KEYS[1], 'erased') == 0 then return {'kept'} end
redis.call('HSET', KEYS[1], 'user', '', 'requestHash', '')
return {'disowned'}
`);

/** Gives a log the usual retention. KEYS meta, stream, input, compressed input. ARGV JSON of {retentionMs}. */
export const KEEP_NO_LONGER = script(`${COMMON}
if redis.call('HDEL', KEYS[1], 'keptMs') == 0 or redis.call('HGET', KEYS[1], 'status') == 'running' then return {''} end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, args.retentionMs) end
return {'shortened'}
`);

/**
 * Forbids to store the answer for others.
 * KEYS meta. -> {'withheld', '1' if it may have been stored} | {'missing', ''}
 */
export const WITHHOLD = vitalScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return {'missing', ''} end
redis.call('HSET', KEYS[1], 'withheld', '1')
return {'withheld', redis.call('HGET', KEYS[1], 'stored') or ''}
`);

/**
 * Notes that the answer is about to be stored for others, so that a later erasure knows of the copy.
 * KEYS meta. -> {'noted'} | {'withheld'}
 */
export const MARK_STORED = script(`
local status, erased, eraseAtEnd, withheld = unpack(redis.call('HMGET', KEYS[1],
  'status', 'erased', 'eraseAtEnd', 'withheld'))
if not status or erased or eraseAtEnd or withheld then return {'withheld'} end
redis.call('HSET', KEYS[1], 'stored', '1')
return {'noted'}
`);

/**
 * Counts the connections that are subscribed to a log. In a cluster only the master of the log knows, and a script is
 * sent there by its key. KEYS channel. -> {count}
 */
export const COUNT_FOLLOWERS = script(`return {redis.call('PUBSUB', 'SHARDNUMSUB', KEYS[1])[2]}`);

/**
 * Appends a batch of events.
 * KEYS meta, stream, input, channel, compressed input.
 * ARGV JSON of {mode, count, retentionMs, fields, hasFirstText: true if it may hold the first text of the log, status:
 *   of the log once the batch ends it}, and
 *   for mode 'fenced': epoch, opener, expectedSeq, checkpoint: JSON, absent if unchanged;
 *   for modes 'once', 'unopened' (only before the log was opened) and 'uncancelled' (only before a cancel was
 *   requested): step; then events.
 * -> {'appended' | 'already-appended' | 'fenced' | 'ended' | 'opened' | 'cancel-requested' | 'missing' | 'conflict' |
 * 'torn',
 *   nextSeq, '1' if a cancel was requested}
 *
 * Two writers may hold one epoch, such as a step that is retried after a crash: the one that opened the log last may
 * write. A fenced append that is sent again after its reply was lost finds its events in the log, and is acknowledged
 * instead of written twice. Whose events these are decides, not how many: of all that moves the log on, only a step
 * leaves its opener, so a step notes in `stepNext` where it has left the log. A writer with more events acknowledged
 * than the log holds proves that Redis lost the log's tail; the lost numbers are noted.
 */
export const APPEND = script(`${COMMON}${ERASE_TEXTS}
local META, STREAM, INPUT, CHANNEL, COMPRESSED = unpack(KEYS)
local events = ARGV[2]
local isOnce = args.mode ~= 'fenced'
local stepField = 'once:' .. (args.step or '')
local stored, epoch, status, doneAt, cancel, tornFrom, tornUntil, opener, stepNext = unpack(redis.call('HMGET', META,
  'next', 'epoch', 'status', stepField, 'cancel', 'tornFrom', 'tornUntil', 'opener', 'stepNext'))
if not stored then return {'missing', '0'} end
local next = tonumber(stored)
if isOnce then
  if doneAt then return {'already-appended', stored} end
  if status ~= 'running' then return {'ended', stored} end
  if args.mode == 'unopened' and epoch ~= '0' then return {'opened', stored} end
  if args.mode == 'uncancelled' and cancel then return {'cancel-requested', stored} end
else
  if next < args.expectedSeq and tonumber(epoch) <= args.epoch then
    redis.call('HSET', META, 'tornFrom', math.min(next, tonumber(tornFrom or next)),
      'tornUntil', math.max(args.expectedSeq - 1, tonumber(tornUntil or 0)))
    return {'torn', stored}
  end
  if tonumber(epoch) ~= args.epoch then return {'fenced', epoch} end
  local isOwn = not opener or opener == args.opener
  if isOwn and next == args.expectedSeq + args.count and stored ~= stepNext then return {'already-appended', stored} end
  if status ~= 'running' then return {'ended', stored} end
  if next ~= args.expectedSeq or not isOwn then return {isOwn and 'conflict' or 'fenced', stored} end
end
local at = nowMs()
local after = integer(next + args.count)
redis.call('XADD', STREAM, '1-' .. integer(next + args.count - 1), 'at', at, 'events', events)
redis.call('HSET', META, 'next', after)
if isOnce then redis.call('HSET', META, stepField, at, 'stepNext', after) end
if args.checkpoint then redis.call('HSET', META, 'checkpoint', args.checkpoint) end
setFields(META, args.fields)
if args.hasFirstText then redis.call('HSETNX', META, 'firstTextAt', at) end
if args.status then
  redis.call('HSET', META, 'status', args.status, 'endedAt', at)
  local keptMs = redis.call('HGET', META, 'keptMs') or args.retentionMs
  for _, key in ipairs({META, STREAM, INPUT, COMPRESSED}) do redis.call('PEXPIRE', key, keptMs) end
  if redis.call('HEXISTS', META, 'eraseAtEnd') == 1 then eraseTexts(META, STREAM, INPUT, COMPRESSED) end
end
redis.call('SPUBLISH', CHANNEL, stored .. ' ' .. at .. ' ' .. events)
return {'appended', after, cancel or ''}
`);

/**
 * Appends a batch of events that changes nothing else of the log: the hottest call of the system, so it has the
 * shortest script. It appends only in the one case in which `APPEND` surely would, and decides nothing else.
 * KEYS meta, stream, channel.
 * ARGV epoch, opener, expected seq, seq after the batch, id of its entry, events, checkpoint: JSON, or '' if unchanged
 * -> {'appended', '1' if a cancel was requested} | {'ask'}: nothing was done, ask `APPEND`
 */
export const APPEND_FRAME = script(`
local META, STREAM, CHANNEL = unpack(KEYS)
local epoch, opener, expected, after, id, events, checkpoint = unpack(ARGV)
local held = redis.call('HMGET', META, 'next', 'epoch', 'opener', 'status', 'cancel')
if held[1] ~= expected or held[2] ~= epoch or held[3] ~= opener or held[4] ~= 'running' then return {'ask'} end
local time = redis.call('TIME')
local at = time[1] .. string.format('%03d', math.floor(time[2] / 1000))
redis.call('XADD', STREAM, id, 'at', at, 'events', events)
if checkpoint == '' then redis.call('HSET', META, 'next', after)
else redis.call('HSET', META, 'next', after, 'checkpoint', checkpoint) end
redis.call('SPUBLISH', CHANNEL, expected .. ' ' .. at .. ' ' .. events)
return {'appended', held[5] or ''}
`);
