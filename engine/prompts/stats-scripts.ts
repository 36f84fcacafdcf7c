/** The Lua of the statistics. Each script is atomic and touches the keys of one prompt only. */
import { script } from '../../platform/redis/lua-script.ts';

/**
 * KEYS counts of the version, marker of the generation, marker of the first generation of the text.
 * `ask.usage` is added for every generation, `ask.once` only for the first generation of a text.
 * The marker makes a repeated step a no-op. Mean and squares of the cost are kept by Welford's method; a continuation
 * raises the cost of the request that it belongs to.
 * -> {'recorded'} or {'known'}
 */
export const RECORD = script(`
local ask = cjson.decode(ARGV[1])
if redis.call('HEXISTS', KEYS[2], 'cost') == 1 then return {'known'} end
local cost = ask.costMicroUsd
local stored = redis.call('HMGET', KEYS[1], 'requests', 'costMean', 'costSquares')
local n, mean, squares = tonumber(stored[1] or '0'), tonumber(stored[2] or '0'), tonumber(stored[3] or '0')
local first = KEYS[3] ~= KEYS[2] and redis.call('HGET', KEYS[3], 'cost')
local function count(amounts)
  for field, amount in pairs(amounts) do redis.call('HINCRBY', KEYS[1], field, amount) end
end
if first and n > 0 then
  local before = tonumber(first)
  local after = before + cost
  local moved = mean + cost / n
  squares = math.max(0, squares + cost * (after + before - mean - moved))
  mean = moved
  redis.call('HSET', KEYS[3], 'cost', string.format('%.0f', after))
  redis.call('HINCRBY', KEYS[1], 'continued', 1)
else
  n = n + 1
  local delta = cost - mean
  mean = mean + delta / n
  squares = squares + delta * (cost - mean)
  redis.call('HINCRBY', KEYS[1], 'requests', 1)
  count(ask.once)
end
redis.call('HSET', KEYS[1], 'costMean', string.format('%.17g', mean), 'costSquares', string.format('%.17g', squares))
redis.call('HINCRBY', KEYS[1], 'costMicroUsd', cost)
count(ask.usage)
redis.call('HSET', KEYS[2], 'cost', cost, 'version', ask.version)
if redis.call('PTTL', KEYS[2]) < ask.markerMs then redis.call('PEXPIRE', KEYS[2], ask.markerMs) end
return {'recorded'}
`);

const NEWEST_FEEDBACK = 1_000;

/**
 * KEYS counts of the version, marker of the generation, newest feedback. ARGV[2] comment.
 * Without `ask.version` the feedback is stored and counted nowhere.
 * -> {at}
 */
export const GIVE_FEEDBACK = script(`
local ask = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local function count(score, amount)
  redis.call('HINCRBY', KEYS[1], 'feedback', amount)
  redis.call('HINCRBYFLOAT', KEYS[1], 'scores', score * amount)
  if score > 0 then redis.call('HINCRBY', KEYS[1], 'positive', amount) end
  if score < 0 then redis.call('HINCRBY', KEYS[1], 'negative', amount) end
end
if ask.version then
  local before = redis.call('HGET', KEYS[2], 'score')
  if before then count(tonumber(before), -1) end
  count(ask.score, 1)
  redis.call('ZADD', KEYS[3], at, ask.generationId)
  redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -1 - ${NEWEST_FEEDBACK})
  redis.call('HSET', KEYS[2], 'version', ask.version)
end
redis.call('HSET', KEYS[2], 'score', ask.score, 'comment', ARGV[2], 'at', at, 'user', ask.user)
redis.call('PEXPIRE', KEYS[2], ask.markerMs)
return {at}
`);

/**
 * Deletes what a reader said of a generation; that a score was given stays counted.
 * KEYS marker of the generation, newest feedback. -> 1, or 0 if there was none
 */
export const REMOVE_FEEDBACK = script(`
local ask = cjson.decode(ARGV[1])
redis.call('ZREM', KEYS[2], ask.generationId)
local hadScore = redis.call('HEXISTS', KEYS[1], 'score')
redis.call('HDEL', KEYS[1], 'score', 'comment', 'at', 'user')
return hadScore
`);
