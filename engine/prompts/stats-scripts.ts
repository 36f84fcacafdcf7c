/** The Lua of the statistics. Each script is atomic and touches keys of one prompt only. */
import { script } from '../../platform/redis/lua-script.ts';

/**
 * KEYS counts of the version, marker of the generation, marker of the first generation of the text.
 * ARGV 1 ttl of the marker, 2 cost, 3 version, 4 how many of the pairs also count for a continuation, then pairs of field and amount.
 * The marker makes a step that is repeated after a lost reply change nothing. Mean and squares of the cost are kept
 * by Welford's method; a continuation raises the cost of the request that it belongs to.
 * -> {'recorded'} or {'known'}
 */
export const RECORD = script(`
if redis.call('HEXISTS', KEYS[2], 'cost') == 1 then return {'known'} end
local cost = tonumber(ARGV[2])
local stored = redis.call('HMGET', KEYS[1], 'requests', 'costMean', 'costSquares')
local n, mean, squares = tonumber(stored[1] or '0'), tonumber(stored[2] or '0'), tonumber(stored[3] or '0')
local first = KEYS[3] ~= KEYS[2] and redis.call('HGET', KEYS[3], 'cost')
local last = #ARGV
if first and n > 0 then
  local before = tonumber(first)
  local after = before + cost
  local moved = mean + cost / n
  squares = math.max(0, squares + cost * (after + before - mean - moved))
  mean = moved
  redis.call('HSET', KEYS[3], 'cost', string.format('%.0f', after))
  redis.call('HINCRBY', KEYS[1], 'continued', 1)
  last = 4 + 2 * tonumber(ARGV[4])
else
  n = n + 1
  local delta = cost - mean
  mean = mean + delta / n
  squares = squares + delta * (cost - mean)
  redis.call('HINCRBY', KEYS[1], 'requests', 1)
end
redis.call('HSET', KEYS[1], 'costMean', string.format('%.17g', mean), 'costSquares', string.format('%.17g', squares))
redis.call('HINCRBY', KEYS[1], 'costMicroUsd', ARGV[2])
for i = 5, last, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('HSET', KEYS[2], 'cost', ARGV[2], 'version', ARGV[3])
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[2], ARGV[1]) end
return {'recorded'}
`);

/**
 * KEYS counts of the version, marker of the generation, newest feedback.
 * ARGV 1 ttl of the marker, 2 version or '', 3 score, 4 comment, 5 generation, 6 how many of the newest are kept.
 * -> {at}
 */
export const GIVE_FEEDBACK = script(`
local time = redis.call('TIME')
local at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local function count(score, amount)
  redis.call('HINCRBY', KEYS[1], 'feedback', amount)
  redis.call('HINCRBYFLOAT', KEYS[1], 'scores', tonumber(score) * amount)
  if tonumber(score) > 0 then redis.call('HINCRBY', KEYS[1], 'positive', amount) end
  if tonumber(score) < 0 then redis.call('HINCRBY', KEYS[1], 'negative', amount) end
end
if ARGV[2] ~= '' then
  local before = redis.call('HGET', KEYS[2], 'score')
  if before then count(before, -1) end
  count(ARGV[3], 1)
  redis.call('ZADD', KEYS[3], at, ARGV[5])
  redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -1 - tonumber(ARGV[6]))
  redis.call('HSET', KEYS[2], 'version', ARGV[2])
end
redis.call('HSET', KEYS[2], 'score', ARGV[3], 'comment', ARGV[4], 'at', at)
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return {at}
`);
