/**
 * The Lua of a step of the saga: one script, one round trip, for all budgets that a generation touches.
 *
 * KEYS limits, reservation, entries of the day that is booked on, open reservations, then one hash for each subject
 * (user, team, key). The answer is JSON (`stepAnswerSchema`).
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

/** Functions for whole digits (Lua would write 1e+15) and for the four sums of a bucket. */
export const SUMS = `
local function int(n)
  if n == 0 then return '0' end
  return string.format('%.0f', n)
end
local function sumsOf(packed)
  if not packed then return {0, 0, 0, 0} end
  local a, b, c, d = string.match(packed, '^(%S+) (%S+) (%S+) (%S+)$')
  return {tonumber(a), tonumber(b), tonumber(c), tonumber(d)}
end
local function packedOf(s)
  return int(s[1]) .. ' ' .. int(s[2]) .. ' ' .. int(s[3]) .. ' ' .. int(s[4])
end
local function add(s, delta)
  for n = 1, 4 do s[n] = s[n] + delta[n] end
end
`;

const BOOKS = `
local ask = cjson.decode(ARGV[1])
local LIMITS, RESERVATION, ENTRIES, OPEN = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local function keyOf(i) return KEYS[4 + i] end
local function answer(reply) return cjson.encode(reply) end

local function words(line)
  local set = {}
  for word in string.gmatch(line or '', '%S+') do set[word] = true end
  return set
end

-- The windows that each subject keeps. A spare window is kept for another process, whose config names it, as in a
-- deploy. It is booked like any other, or that process would find it wrong. If Redis has dropped it, it is left out.
local KEPT = {}
for i, subject in ipairs(ask.subjects) do
  local line = redis.call('HGET', keyOf(i), 'windows')
  KEPT[i] = {line = line, has = words(line)}
  local windows = {}
  for _, window in ipairs(subject.windows) do
    if not window.isSpare or KEPT[i].has[window.id] then windows[#windows + 1] = window end
  end
  subject.windows = windows
end

-- Windows that are kept and that this process did not send.
local function unaskedWindows()
  local unasked = {}
  for i, subject in ipairs(ask.subjects) do
    local sent = {}
    for _, window in ipairs(subject.windows) do sent[window.id] = true end
    for id in pairs(KEPT[i].has) do
      if not sent[id] then unasked[#unasked + 1] = {subject = i - 1, window = id} end
    end
  end
  return unasked
end

local function mustBuild()
  for i, subject in ipairs(ask.subjects) do
    if KEPT[i].line then
      for _, window in ipairs(subject.windows) do
        if not KEPT[i].has[window.id] then return true end
      end
    end
  end
  return false
end

-- True if no process has sent the window for longer than a deploy takes. A window that is not spare is used now.
local function isIdle(key, window)
  local mark = '?' .. window.id
  if not window.isSpare then
    redis.call('HDEL', key, mark)
    return false
  end
  local since = redis.call('HGET', key, mark)
  if not since then redis.call('HSET', key, mark, int(ask.nowMs)) end
  return since and ask.nowMs - tonumber(since) > ask.idleMs
end

local function hasSpare(subject)
  for _, window in ipairs(subject.windows) do
    if window.isSpare then return true end
  end
  return false
end

local function keepWindows()
  for i, subject in ipairs(ask.subjects) do
    local windows, ids, wanted = {}, {}, {}
    local mayDrop = hasSpare(subject)
    for _, window in ipairs(subject.windows) do
      if not (mayDrop and isIdle(keyOf(i), window)) then
        windows[#windows + 1], ids[#ids + 1] = window, window.id
        wanted[window.id] = true
      end
    end
    subject.windows = windows
    local line = table.concat(ids, ' ')
    if KEPT[i].line ~= line then
      if KEPT[i].line then
        for _, field in ipairs(redis.call('HKEYS', keyOf(i))) do
          local id = string.match(field, '^(.-)@%d+$') or string.match(field, '^%?(.+)$')
          if id and not wanted[id] then redis.call('HDEL', keyOf(i), field) end
        end
      end
      redis.call('HSET', keyOf(i), 'windows', line)
      redis.call('PEXPIRE', keyOf(i), ask.keepMs)
    end
  end
end

local function prune(key, window)
  local prefix = window.id .. '@'
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if string.sub(field, 1, #prefix) == prefix and tonumber(string.sub(field, #prefix + 1)) < window.keepFrom then
      redis.call('HDEL', key, field)
    end
  end
end

-- Only a reservation opens buckets. A bucket that is missing in a later step was built without it, or has expired.
local function book(delta, opens)
  for i, subject in ipairs(ask.subjects) do
    for _, window in ipairs(subject.windows) do
      local field = window.id .. '@' .. int(window.at)
      local packed = redis.call('HGET', keyOf(i), field)
      if packed or opens then
        local sums = sumsOf(packed)
        add(sums, delta)
        redis.call('HSET', keyOf(i), field, packedOf(sums))
        if not packed then prune(keyOf(i), window) end
      end
    end
    redis.call('PEXPIRE', keyOf(i), ask.keepMs)
  end
end

local function enter(kind, delta, about)
  local a = about or {}
  redis.call('XADD', ENTRIES, '*', 'kind', kind, 'generation', ask.generationId, 'user', ask.user, 'team', ask.team,
    'key', ask.keyId, 'on', int(ask.bookedAtMs), 'at', int(ask.nowMs), 'spentTokens', int(delta[1]), 'reservedTokens', int(delta[2]),
    'spentMicroUsd', int(delta[3]), 'reservedMicroUsd', int(delta[4]), 'attempt', int(a.attempt or 0),
    'provider', a.provider or '', 'model', a.model or '', 'estimated', a.estimated and '1' or '0')
  redis.call('PEXPIRE', ENTRIES, ask.keepEntriesMs)
end

local function totals(i, window)
  local fields, n = {}, window.first
  while n <= window.last do
    fields[#fields + 1] = window.id .. '@' .. int(n)
    n = n + window.stepMs
  end
  local sum, oldest = {0, 0, 0, 0}, -1
  for index, packed in ipairs(redis.call('HMGET', keyOf(i), unpack(fields))) do
    if packed then
      local sums = sumsOf(packed)
      add(sum, sums)
      if oldest < 0 and sums[1] + sums[2] + sums[3] + sums[4] > 0 then
        oldest = window.first + (index - 1) * window.stepMs
      end
    end
  end
  return sum, oldest
end

-- Calls visit(limit, spent, left, place) for each limit; place names the limit and what it has left.
local function eachLimit(visit)
  for i, subject in ipairs(ask.subjects) do
    for _, window in ipairs(subject.windows) do
      if #window.limits > 0 then
        local sum, oldest = totals(i, window)
        for _, limit in ipairs(window.limits) do
          local at = limit.unit == 'tokens' and 1 or 3
          local left = math.max(0, limit.amount - sum[at] - sum[at + 1])
          visit(limit, sum[at], left, {subject = i - 1, window = window.id, name = limit.name, amount = limit.amount,
            hard = limit.isHard, spent = sum[at], left = left, oldest = oldest, period = window.period})
        end
      end
    end
  end
end
`;

const FIT = `
local function costOf(output)
  return ask.fixedMicroUsd + math.ceil(output * ask.outputMicroUsdPerMillion / 1000000)
end

-- The most output tokens for which every hard budget has room beside what this generation already holds.
local function fit(heldTokens, heldMicroUsd, wish)
  local output, tightest, remaining, warnings = wish, nil, nil, {}
  eachLimit(function(limit, spent, left, place)
    if limit.amount > 0 and spent >= limit.warnAmount then warnings[#warnings + 1] = place end
    if limit.unit == 'tokens' then remaining = math.min(remaining or left, left) end
    if not limit.isHard then return end
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
    if most < output then output, tightest = most, place end
  end)
  if #warnings == 0 then warnings = nil end
  return output, tightest, remaining, warnings
end
`;

const STEPS = `
if (redis.call('HGET', LIMITS, 'version') or '0') ~= ask.limitsVersion then return answer({answer = 'stale'}) end
local kept = redis.call('HMGET', RESERVATION, 'state', 'on', 'tokens', 'microUsd', 'cap', 'rate', 'booked', 'bookedTokens',
  'bookedMicroUsd', 'warnings')
local state = kept[1]
local heldTokens, heldMicroUsd, cap = tonumber(kept[3] or '0'), tonumber(kept[4] or '0'), tonumber(kept[5] or '0')
local booked, bookedTokens, bookedMicroUsd = tonumber(kept[7] or '0'), tonumber(kept[8] or '0'), tonumber(kept[9] or '0')
-- Checked before the first write, because Redis keeps what a script wrote before it failed.
assert(heldTokens >= 0 and heldMicroUsd >= 0 and cap >= 0, 'the reservation holds less than nothing')
assert(bookedTokens >= 0 and bookedMicroUsd >= 0, 'the reservation has booked less than nothing')

local function granted(tokens, microUsd, output, whole, remaining, warnings)
  return answer({answer = 'granted', tokens = tokens, microUsd = microUsd, output = output, cap = whole,
    remaining = remaining, warnings = warnings})
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
  redis.call('HDEL', RESERVATION, 'warnings')
  redis.call('HSET', RESERVATION, 'state', 'reserved', 'on', int(ask.bookedAtMs), 'tokens', int(tokens), 'microUsd', int(microUsd),
    'cap', int(output), 'rate', int(ask.outputMicroUsdPerMillion), 'booked', '0', 'bookedTokens', '0',
    'bookedMicroUsd', '0', 'user', ask.user, 'team', ask.team, 'key', ask.keyId)
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
    'booked', int(booked), 'bookedTokens', int(bookedTokens), 'bookedMicroUsd', int(bookedMicroUsd))
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
  redis.call('HSET', RESERVATION, 'state', 'settled', 'on', int(ask.bookedAtMs), 'tokens', '0', 'microUsd', '0')
  redis.call('PEXPIRE', RESERVATION, ask.rememberMs)
  redis.call('ZREM', OPEN, ask.generationId)
  if #warnings == 0 then return answer({answer = 'settled'}) end
  redis.call('HSET', RESERVATION, 'warnings', cjson.encode(warnings))
  return answer({answer = 'settled', warnings = warnings})
end
`;

export const STEP = script(SUMS + BOOKS + FIT + STEPS);
