/**
 * The Lua of a step of the saga: one script, one round trip, for all budgets that a generation touches.
 *
 * KEYS limits, reservation, entries of the day that is booked on, open reservations, one hash for each subject (user,
 * team, key), and for `extend` and `settle` the hashes of `usage-script.ts`. The answer is JSON (`stepAnswerSchema`).
 *
 * Fields of a subject's hash:
 * - `<window>@<bucket>` is a bucket: "spentTokens reservedTokens spentMicroUsd reservedMicroUsd".
 * - `windows` lists the windows that are kept.
 * - `!<limit>` is the last warning.
 * - `?<window>` is the time since which no reservation has named a window that is still kept.
 *
 * Deltas have the same order of four. What is written to a bucket is also written as an entry, and nothing else is.
 */
import { script } from '../../platform/redis/lua-script.ts';
import { BOOKS, SUMS } from './books-script.ts';
import { USAGE } from './usage-script.ts';

const FIT = `
local function costOf(output)
  return ask.fixedMicroUsd + math.ceil(output * ask.outputMicroUsdPerMillion / 1000000)
end

-- Whether no hard budget applies; nil or true.
local isUnlimited

-- The most output tokens for which every hard budget has room beside what this generation already holds.
local function fit(heldTokens, heldMicroUsd, wish)
  local output, tightest, remaining, warnings = wish, nil, nil, {}
  local least = math.min(ask.minOutputTokens or 0, wish)
  isUnlimited = true
  eachLimit(function(limit, spent, left, place)
    if limit.amount > 0 and spent >= limit.warnAmount then warnings[#warnings + 1] = place end
    if limit.unit == 'tokens' then remaining = math.min(remaining or left, left) end
    if not limit.isHard then return end
    isUnlimited = nil
    local most = wish
    if limit.unit == 'tokens' then
      most = left + heldTokens - ask.inputTokens
    else
      local free = left + heldMicroUsd
      if ask.fixedMicroUsd > free then
        most = -1
      elseif ask.outputMicroUsdPerMillion > 0 then
        most = math.min(wish, math.floor((free - ask.fixedMicroUsd) * 1000000 / ask.outputMicroUsdPerMillion))
        while most > 0 and costOf(most) > free do most = most - 1 end
      end
    end
    if most < output then
      output, tightest = most, place
      -- A look in money knows no price.
      if limit.unit == 'tokens' then place.needed = math.max(0, ask.inputTokens + least - heldTokens)
      elseif ask.step ~= 'look' then place.needed = math.max(0, costOf(least) - heldMicroUsd) end
    end
  end)
  if #warnings == 0 then warnings = nil end
  return output, tightest, remaining, warnings
end
`;

const STEPS = `
if (redis.call('HGET', LIMITS, 'version') or '0') ~= ask.limitsVersion then return answer({answer = 'stale'}) end
local kept = redis.call('HMGET', RESERVATION, 'state', 'on', 'tokens', 'microUsd', 'cap', 'rate', 'booked', 'bookedTokens',
  'bookedMicroUsd', 'warnings', 'added')
local state = kept[1]
local heldTokens, heldMicroUsd, cap = tonumber(kept[3] or '0'), tonumber(kept[4] or '0'), tonumber(kept[5] or '0')
local booked, bookedTokens, bookedMicroUsd = tonumber(kept[7] or '0'), tonumber(kept[8] or '0'), tonumber(kept[9] or '0')
-- Checked before the first write, because Redis keeps what a script wrote before it failed.
assert(heldTokens >= 0 and heldMicroUsd >= 0 and cap >= 0, 'the reservation holds less than nothing')
assert(bookedTokens >= 0 and bookedMicroUsd >= 0, 'the reservation has booked less than nothing')
added = numbersOf(kept[11] or '', 6)

-- As in \`reserve\`: such a settlement belongs to an earlier generation of the same id, and this one has reserved nothing.
-- A settlement of the earlier one cannot arrive once this one has reserved: a run ends after its settlement, and the log
-- of its successor is created after that end.
local isEarlier = ask.step == 'settle' and state == 'settled' and tonumber(kept[2] or '0') < ask.againSinceMs - ask.skewMs
if isEarlier then
  kept, state, booked, bookedTokens, bookedMicroUsd, added = {}, nil, 0, 0, 0, numbersOf('', 6)
end

local function granted(tokens, microUsd, output, whole, remaining, warnings)
  return answer({answer = 'granted', tokens = tokens, microUsd = microUsd, output = output, cap = whole,
    remaining = remaining, warnings = warnings, isUnlimited = isUnlimited})
end
local function refused(place) return answer({answer = 'refused', place = place}) end

if ask.step == 'look' then
  local output, tightest = fit(0, 0, 0)
  if output < 0 then return refused(tightest) end
  return granted(0, 0, 0, 0)
end

local unasked = unaskedWindows()
if #unasked > 0 then return answer({answer = 'unasked', windows = unasked}) end

if ask.step == 'reserve' then
  -- A generation that was settled before it was reserved has ended: no step would release a reservation made now.
  -- A settlement from before againSinceMs belongs to an earlier generation of the same id.
  if state == 'settled' and tonumber(kept[2] or '0') >= ask.againSinceMs then return refused() end
  -- An earlier generation of the same id was never settled. It must be settled first: its booked attempts would
  -- otherwise count as those of this generation.
  if state == 'reserved' and tonumber(kept[2]) < ask.againSinceMs - ask.skewMs then return answer({answer = 'abandoned'}) end
  if state == 'reserved' then
    local _, _, remaining, warnings = fit(heldTokens, heldMicroUsd, 0)
    return granted(heldTokens, heldMicroUsd, cap, cap, remaining, warnings)
  end
  if mustBuild() then return answer({answer = 'build'}) end
  keepWindows()
  local output, tightest, remaining, warnings = fit(0, 0, ask.maxOutputTokens)
  if output < ask.minOutputTokens then return refused(tightest) end
  local tokens, microUsd = ask.inputTokens + output, costOf(output)
  local delta = {0, tokens, 0, microUsd}
  book(delta, true)
  enter('reserve', delta)
  redis.call('HDEL', RESERVATION, 'warnings', 'added', 'heldBy')
  redis.call('HSET', RESERVATION, 'state', 'reserved', 'on', int(ask.bookedAtMs), 'tokens', int(tokens), 'microUsd', int(microUsd),
    'cap', int(output), 'rate', int(ask.outputMicroUsdPerMillion), 'booked', '0', 'bookedTokens', '0',
    'bookedMicroUsd', '0', 'user', ask.user, 'team', ask.team, 'key', ask.keyId)
  if ask.heldBy then redis.call('HSET', RESERVATION, 'heldBy', ask.heldBy) end
  redis.call('PEXPIRE', RESERVATION, ask.keepMs)
  redis.call('ZADD', OPEN, int(ask.bookedAtMs), ask.generationId)
  return granted(tokens, microUsd, output, output, remaining and remaining - tokens, warnings)
end

-- Later steps book in the buckets of the reservation.
if kept[2] and kept[2] ~= int(ask.bookedAtMs) then return answer({answer = 'moved'}) end

if ask.step == 'raise' then
  if state ~= 'reserved' then return refused() end
  local more = ask.capTokens - cap
  if more <= 0 then return granted(heldTokens, heldMicroUsd, cap, cap) end
  if mustBuild() then return answer({answer = 'build'}) end
  ask.inputTokens, ask.fixedMicroUsd, ask.outputMicroUsdPerMillion = 0, 0, tonumber(kept[6])
  ask.minOutputTokens = more
  local output, tightest, remaining, warnings = fit(0, 0, more)
  if output < more then return refused(tightest) end
  local delta = {0, more, 0, costOf(more)}
  book(delta, false)
  enter('raise', delta)
  redis.call('HSET', RESERVATION, 'tokens', int(heldTokens + more), 'microUsd', int(heldMicroUsd + delta[4]), 'cap', int(ask.capTokens))
  return granted(heldTokens + more, heldMicroUsd + delta[4], ask.capTokens, ask.capTokens, remaining and remaining - more, warnings)
end

-- Used amounts leave the reservation. If a provider bills more than was reserved, the whole bill is booked.
local function charge(about, tokens, microUsd, opens)
  if tokens == 0 and microUsd == 0 then return end
  local fromTokens, fromMicroUsd = math.min(tokens, heldTokens), math.min(microUsd, heldMicroUsd)
  local delta = {tokens, -fromTokens, microUsd, -fromMicroUsd}
  book(delta, opens)
  enter('debit', delta, about)
  heldTokens, heldMicroUsd = heldTokens - fromTokens, heldMicroUsd - fromMicroUsd
end

if ask.step == 'extend' then
  if state ~= 'reserved' then return refused() end
  if mustBuild() then return answer({answer = 'build'}) end
  for _, ended in ipairs(ask.charges) do
    if ended.attempt > booked then
      charge(ended, ended.tokens, ended.costMicroUsd, false)
      addSpent(ended, ended.tokens, ended.costMicroUsd, ended.usage)
      booked = ended.attempt
      bookedTokens, bookedMicroUsd = bookedTokens + ended.tokens, bookedMicroUsd + ended.costMicroUsd
    end
  end
  local wish = math.max(1, cap - ask.deliveredTokens)
  local output, tightest, remaining, warnings = fit(heldTokens, heldMicroUsd, wish)
  local moreTokens, moreMicroUsd = 0, 0
  local grants = output >= math.min(ask.minOutputTokens, wish)
  if grants then
    moreTokens = math.max(0, ask.inputTokens + output - heldTokens)
    moreMicroUsd = math.max(0, costOf(output) - heldMicroUsd)
    if moreTokens > 0 or moreMicroUsd > 0 then
      local delta = {0, moreTokens, 0, moreMicroUsd}
      book(delta, false)
      enter('extend', delta)
    end
  end
  heldTokens, heldMicroUsd = heldTokens + moreTokens, heldMicroUsd + moreMicroUsd
  redis.call('HSET', RESERVATION, 'tokens', int(heldTokens), 'microUsd', int(heldMicroUsd), 'rate', int(ask.outputMicroUsdPerMillion),
    'booked', int(booked), 'bookedTokens', int(bookedTokens), 'bookedMicroUsd', int(bookedMicroUsd),
    'added', packedNumbers(added))
  if not grants then return refused(tightest) end
  return granted(heldTokens, heldMicroUsd, output, cap, remaining and remaining - moreTokens, warnings)
end

if ask.step == 'settle' then
  if state == 'settled' then return answer({answer = 'settled', warnings = kept[10] and cjson.decode(kept[10]) or nil}) end
  local opens = not state and (ask.tokens > 0 or ask.costMicroUsd > 0)
  if opens then
    if mustBuild() then return answer({answer = 'build'}) end
    keepWindows()
  end
  charge(ask, math.max(0, ask.tokens - bookedTokens), math.max(0, ask.costMicroUsd - bookedMicroUsd), opens)
  addEnd(bookedTokens, bookedMicroUsd)
  if heldTokens > 0 or heldMicroUsd > 0 then
    local delta = {0, -heldTokens, 0, -heldMicroUsd}
    book(delta, false)
    enter('release', delta)
  end
  local warnings = {}
  eachLimit(function(limit, spent, left, place)
    if limit.amount == 0 then return end
    local level = spent >= limit.amount and 2 or spent >= limit.warnAmount and 1 or 0
    local key, period = keyOf(place.subject + 1), place.period
    local was = redis.call('HGET', key, '!' .. limit.name)
    local before = was and string.match(was, '^(%S+) ') == period and tonumber(string.match(was, '(%d)$')) or 0
    if level > before then
      place.level = level
      warnings[#warnings + 1] = place
    end
    if level ~= before then redis.call('HSET', key, '!' .. limit.name, period .. ' ' .. level) end
  end)
  if isEarlier then redis.call('HDEL', RESERVATION, 'warnings', 'added', 'booked', 'bookedTokens', 'bookedMicroUsd') end
  redis.call('HSET', RESERVATION, 'state', 'settled', 'on', int(ask.bookedAtMs), 'tokens', '0', 'microUsd', '0')
  redis.call('PEXPIRE', RESERVATION, ask.rememberMs)
  redis.call('ZREM', OPEN, ask.generationId)
  if #warnings == 0 then return answer({answer = 'settled'}) end
  redis.call('HSET', RESERVATION, 'warnings', cjson.encode(warnings))
  return answer({answer = 'settled', warnings = warnings})
end
`;

export const STEP = script(SUMS + BOOKS + USAGE + FIT + STEPS);
