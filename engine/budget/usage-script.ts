/**
 * The Lua of the usage statistics: what a step books is also added to sums by day and by hour, in the same script. So a
 * crash can neither lose nor repeat one without the other, and the sums equal the ledger's entries.
 *
 * The last three KEYS are hashes of the day (UTC) that is booked on: sums of the day without users, with users, and
 * sums of each hour. `usage-rows.ts` describes their fields. A name that would make a hash larger than its limit is
 * counted in the row of all other names.
 *
 * `ask.rollUp` has {prompt, hour, untilMs, hoursUntilMs, mostRows, mostUserRows, mostHourRows}.
 */
import { OTHER, SEPARATOR } from './usage-rows.ts';

export const USAGE = `
local SEPARATOR, OTHER = ${JSON.stringify(SEPARATOR)}, ${JSON.stringify(OTHER)}
local DAY, USERS, HOURS = KEYS[#KEYS - 2], KEYS[#KEYS - 1], KEYS[#KEYS]
local function named(...) return table.concat({...}, SEPARATOR) end

local function numbersOf(packed, size)
  local numbers = {}
  for number in string.gmatch(packed or '', '%S+') do numbers[#numbers + 1] = tonumber(number) end
  for n = #numbers + 1, size do numbers[n] = 0 end
  return numbers
end
local function packedNumbers(numbers)
  local digits = {}
  for n, number in ipairs(numbers) do digits[n] = int(number) end
  return table.concat(digits, ' ')
end

local function addRow(into, field, other, delta)
  local packed, isNew = redis.call('HGET', into.key, field), false
  if not packed then
    isNew = true
    if redis.call('HLEN', into.key) >= into.most then
      field, packed = other, redis.call('HGET', into.key, other)
    end
  end
  local sums = numbersOf(packed, #delta)
  for n, amount in ipairs(delta) do sums[n] = sums[n] + amount end
  redis.call('HSET', into.key, field, packedNumbers(sums))
  if isNew then redis.call('PEXPIREAT', into.key, int(into.untilMs)) end
end

local function countOne(into, field, other)
  if redis.call('HINCRBY', into.key, field, 1) > 1 then return end
  if redis.call('HLEN', into.key) > into.most then
    redis.call('HDEL', into.key, field)
    redis.call('HINCRBY', into.key, other, 1)
  end
  redis.call('PEXPIREAT', into.key, int(into.untilMs))
end

local function modelOf(about)
  if (about.provider or '') == '' then return '' end
  return about.provider .. '/' .. about.model
end

local function hashesOf(rollUp)
  return {key = DAY, most = rollUp.mostRows, untilMs = rollUp.untilMs},
    {key = USERS, most = rollUp.mostUserRows, untilMs = rollUp.untilMs},
    {key = HOURS, most = rollUp.mostHourRows, untilMs = rollUp.hoursUntilMs}
end

-- Adds to the sums of the day, of the user on that day, and of the hour.
local function addSums(about, delta)
  local day, users, hours = hashesOf(ask.rollUp)
  local row = named('s', ask.team, modelOf(about), ask.rollUp.prompt)
  local others = named('s', OTHER, OTHER, OTHER)
  addRow(day, row, others, delta)
  addRow(users, named(row, ask.user, ask.keyId), named(others, OTHER, OTHER), delta)
  addRow(hours, named(ask.rollUp.hour, row), named(ask.rollUp.hour, others), delta)
end

-- Counts an event: an answer in the bucket of its latency, or a failure by its code.
local function countEvent(kind, model, detail)
  local day, _, hours = hashesOf(ask.rollUp)
  local field, other = named(kind, model, detail), named(kind, OTHER, kind == 'e' and OTHER or detail)
  countOne(day, field, other)
  countOne(hours, named(ask.rollUp.hour, field), named(ask.rollUp.hour, other))
end

-- What this generation has added to the sums so far: cost, then the five parts of the usage.
local added = {}
local function addedTokens() return added[2] + added[3] + added[4] + added[5] + added[6] end

-- Adds what is booked now. The parts of the usage must add up to the booked tokens; if the usage was corrected to less
-- than is booked already, it does not, and the input takes the difference.
local function addSpent(about, tokens, costMicroUsd, parts, ended)
  if tokens == 0 and costMicroUsd == 0 and not ended then return end
  local sums = {0, 0, 0, 0, 0, costMicroUsd, 0, 0, 0, 0, 0, 0, 0}
  local rest = tokens
  for n = 1, 5 do
    sums[n + 6] = parts[n]
    rest = rest - parts[n]
  end
  sums[7] = sums[7] + rest
  for n, amount in pairs(ended or {}) do sums[n] = sums[n] + amount end
  addSums(about, sums)
  added[1] = added[1] + costMicroUsd
  for n = 1, 5 do added[n + 1] = added[n + 1] + sums[n + 6] end
end

-- The end of a generation: what it used at all, less what was added before.
local function addEnd(bookedTokens, bookedMicroUsd)
  local counted, parts = ask.counted, {0, 0, 0, 0, 0}
  if ask.tokens >= bookedTokens then
    for n = 1, 5 do parts[n] = ask.usage[n] - added[n + 1] end
  end
  local ended = {[1] = 1, [12] = counted.savedTokens, [13] = counted.savedMicroUsd, [5] = counted.cacheHits}
  ended[({completed = 2, failed = 3, cancelled = 4})[counted.status]] = 1
  addSpent(ask, math.max(ask.tokens, bookedTokens) - addedTokens(),
    math.max(ask.costMicroUsd, bookedMicroUsd) - added[1], parts, ended)
  for _, latency in ipairs(counted.latencies) do countEvent(latency.kind, modelOf(ask), latency.bucket) end
  for _, failure in ipairs(counted.failures) do countEvent('e', modelOf(failure), failure.code) end
end
`;
