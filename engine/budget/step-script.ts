/**
 * The Lua of a step of the saga: one script, one round trip, whatever number of budgets a generation touches.
 *
 * KEYS limits, reservation, entries of the day that is booked on, open reservations, then one hash for each subject
 * (user, team, key). ARGV[1]: the question as JSON (`StepFacts`), then the names that callers and vendors chose:
 * generation, user, team, key, provider, model, and provider and model of each charge. They stand beside the JSON, so
 * that no name can make it unreadable. The answer is JSON too (`stepAnswerSchema`).
 *
 * A subject's hash has a field `<window>@<bucket>` for each bucket: "spentTokens reservedTokens spentMicroUsd
 * reservedMicroUsd"; `windows`, the windows that it keeps; `!<limit>`, the warning that was last given; and `?<window>`,
 * since when no reservation has asked for a window that is still kept.
 * Deltas are in the same order of four. Only what is written to the entries is written to the buckets.
 */
import { script } from '../../platform/redis/lua-script.ts';

/** Numbers as whole digits (Lua would write 1e+15), and the four sums of a bucket. */
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
ask.generation, ask.user, ask.team, ask.key, ask.provider, ask.model = unpack(ARGV, 2, 7)
for i, one in ipairs(ask.charges or {}) do
  one.provider, one.model = ARGV[6 + 2 * i], ARGV[7 + 2 * i]
end
local LIMITS, RESERVATION, ENTRIES, OPEN = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local function keyOf(i) return KEYS[4 + i] end
local function answer(reply) return cjson.encode(reply) end

local function words(line)
  local set = {}
  for word in string.gmatch(line or '', '%S+') do set[word] = true end
  return set
end

-- What each subject keeps. A spare window is kept for another process, whose config asks for it, as in a deploy: it is booked
-- like any other, or that process would find it wrong. One that is kept no more is left out.
local KEPT = {}
for i, subject in ipairs(ask.subjects) do
  local line = redis.call('HGET', keyOf(i), 'windows')
  KEPT[i] = {line = line, has = words(line)}
  local windows = {}
  for _, window in ipairs(subject.windows) do
    if not window.spare or KEPT[i].has[window.id] then windows[#windows + 1] = window end
  end
  subject.windows = windows
end

-- Windows that are kept, and that this process has not asked for.
local function unaskedWindows()
  local unasked = {}
  for i, subject in ipairs(ask.subjects) do
    local asked = {}
    for _, window in ipairs(subject.windows) do asked[window.id] = true end
    for id in pairs(KEPT[i].has) do
      if not asked[id] then unasked[#unasked + 1] = {subject = i - 1, window = id} end
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

-- Whether a spare window has been unused for longer than any process keeps it. A wanted window counts as used now.
local function isIdle(key, window)
  local mark = '?' .. window.id
  if not window.spare then
    redis.call('HDEL', key, mark)
    return false
  end
  local since = redis.call('HGET', key, mark)
  if not since then redis.call('HSET', key, mark, int(ask.now)) end
  return since and ask.now - tonumber(since) > ask.idleMs
end

local function hasSpare(subject)
  for _, window in ipairs(subject.windows) do
    if window.spare then return true end
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

-- Only a reservation opens buckets: one that is missing later was built without it, or is past its use.
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
  redis.call('XADD', ENTRIES, '*', 'kind', kind, 'generation', ask.generation, 'user', ask.user, 'team', ask.team,
    'key', ask.key, 'on', int(ask.on), 'at', int(ask.now), 'spentTokens', int(delta[1]), 'reservedTokens', int(delta[2]),
    'spentMicroUsd', int(delta[3]), 'reservedMicroUsd', int(delta[4]), 'attempt', int(a.attempt or 0),
    'provider', a.provider or '', 'model', a.model or '', 'estimated', a.estimated and '1' or '0')
  redis.call('PEXPIRE', ENTRIES, ask.keepEntriesMs)
end

local function totals(i, window)
  local fields, n = {}, window.first
  while n <= window.last do
    fields[#fields + 1] = window.id .. '@' .. int(n)
    n = n + window.step
  end
  local sum, oldest = {0, 0, 0, 0}, -1
  for index, packed in ipairs(redis.call('HMGET', keyOf(i), unpack(fields))) do
    if packed then
      local sums = sumsOf(packed)
      add(sum, sums)
      if oldest < 0 and sums[1] + sums[2] + sums[3] + sums[4] > 0 then
        oldest = window.first + (index - 1) * window.step
      end
    end
  end
  return sum, oldest
end

-- Calls visit(limit, spent, used, place) for each limit; place says which it is, and what it has left.
local function eachLimit(visit)
  for i, subject in ipairs(ask.subjects) do
    for _, window in ipairs(subject.windows) do
      if #window.limits > 0 then
        local sum, oldest = totals(i, window)
        for _, limit in ipairs(window.limits) do
          local at = limit.unit == 'tokens' and 1 or 3
          local left = math.max(0, limit.amount - sum[at] - sum[at + 1])
          visit(limit, sum[at], left, {subject = i - 1, window = window.id, name = limit.name, amount = limit.amount,
            hard = limit.hard, spent = sum[at], left = left, oldest = oldest, period = window.period})
        end
      end
    end
  end
end
`;

const FIT = `
local function costOf(output)
  return ask.fixed + math.ceil(output * ask.rate / 1000000)
end

-- The most output that every hard budget has room for beside what is held already.
local function fit(heldTokens, heldMicroUsd, wish)
  local output, tightest, remaining, warnings = wish, nil, nil, {}
  eachLimit(function(limit, spent, left, place)
    if limit.amount > 0 and spent >= limit.warn then warnings[#warnings + 1] = place end
    if limit.unit == 'tokens' then remaining = math.min(remaining or left, left) end
    if not limit.hard then return end
    local most = wish
    if limit.unit == 'tokens' then
      most = left + heldTokens - ask.input
    else
      local free = left + heldMicroUsd
      if ask.fixed > free then
        most = -1
      elseif ask.rate > 0 then
        most = math.min(wish, math.floor((free - ask.fixed) * 1000000 / ask.rate))
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
if (redis.call('HGET', LIMITS, 'version') or '0') ~= ask.version then return answer({answer = 'stale'}) end
local kept = redis.call('HMGET', RESERVATION, 'state', 'on', 'tokens', 'microUsd', 'cap', 'rate', 'booked', 'bookedTokens',
  'bookedMicroUsd', 'warnings')
local state = kept[1]
local heldTokens, heldMicroUsd, cap = tonumber(kept[3] or '0'), tonumber(kept[4] or '0'), tonumber(kept[5] or '0')

local function granted(tokens, microUsd, output, whole, remaining, warnings)
  return answer({answer = 'granted', tokens = tokens, microUsd = microUsd, output = output, cap = whole,
    remaining = remaining, warnings = warnings})
end
local function refused(place) return answer({answer = 'refused', place = place}) end

if ask.op == 'look' then
  local output, tightest = fit(0, 0, 0)
  if output < 0 then return refused(tightest) end
  return granted(0, 0, 0, 0)
end

local unasked = unaskedWindows()
if #unasked > 0 then return answer({answer = 'unasked', windows = unasked}) end

if ask.op == 'reserve' then
  -- What was settled before it was reserved is over: what it reserved now, nobody would release.
  -- Where an earlier generation had this id, what was settled before this one began is of that one.
  if state == 'settled' and tonumber(kept[2] or '0') >= ask.again then return refused() end
  -- It was never settled. Its attempts are not of this one, which would be taken to have paid for its own already.
  if state == 'reserved' and tonumber(kept[2]) < ask.again - ask.skewMs then return answer({answer = 'abandoned'}) end
  if state == 'reserved' then
    local _, _, remaining, warnings = fit(heldTokens, heldMicroUsd, 0)
    return granted(heldTokens, heldMicroUsd, cap, cap, remaining, warnings)
  end
  if mustBuild() then return answer({answer = 'build'}) end
  keepWindows()
  local output, tightest, remaining, warnings = fit(0, 0, ask.wish)
  if output < ask.least then return refused(tightest) end
  local tokens, microUsd = ask.input + output, costOf(output)
  local delta = {0, tokens, 0, microUsd}
  book(delta, true)
  enter('reserve', delta)
  redis.call('HDEL', RESERVATION, 'warnings')
  redis.call('HSET', RESERVATION, 'state', 'reserved', 'on', int(ask.on), 'tokens', int(tokens), 'microUsd', int(microUsd),
    'cap', int(output), 'rate', int(ask.rate), 'booked', '0', 'bookedTokens', '0', 'bookedMicroUsd', '0', 'user', ask.user, 'team', ask.team, 'key', ask.key)
  redis.call('PEXPIRE', RESERVATION, ask.keepMs)
  redis.call('ZADD', OPEN, int(ask.on), ask.generation)
  return granted(tokens, microUsd, output, output, remaining and remaining - tokens, warnings)
end

-- Later steps book where the reservation did.
if kept[2] and kept[2] ~= int(ask.on) then return answer({answer = 'moved'}) end

if ask.op == 'raise' then
  if state ~= 'reserved' then return refused() end
  local more = ask.cap - cap
  if more <= 0 then return granted(heldTokens, heldMicroUsd, cap, cap) end
  if mustBuild() then return answer({answer = 'build'}) end
  ask.input, ask.fixed, ask.rate = 0, 0, tonumber(kept[6])
  local output, tightest, remaining, warnings = fit(0, 0, more)
  if output < more then return refused(tightest) end
  local delta = {0, more, 0, costOf(more)}
  book(delta, false)
  enter('raise', delta)
  redis.call('HSET', RESERVATION, 'tokens', int(heldTokens + more), 'microUsd', int(heldMicroUsd + delta[4]), 'cap', int(ask.cap))
  return granted(heldTokens + more, heldMicroUsd + delta[4], ask.cap, ask.cap, remaining and remaining - more, warnings)
end

local booked, bookedTokens, bookedMicroUsd = tonumber(kept[7] or '0'), tonumber(kept[8] or '0'), tonumber(kept[9] or '0')
-- What was used leaves the reservation; a provider that bills more than was reserved is booked as it billed.
local function charge(about, tokens, microUsd, opens)
  if tokens == 0 and microUsd == 0 then return end
  local fromTokens, fromMicroUsd = math.min(tokens, heldTokens), math.min(microUsd, heldMicroUsd)
  local delta = {tokens, -fromTokens, microUsd, -fromMicroUsd}
  book(delta, opens)
  enter('debit', delta, about)
  heldTokens, heldMicroUsd = heldTokens - fromTokens, heldMicroUsd - fromMicroUsd
end

if ask.op == 'extend' then
  if state ~= 'reserved' then return refused() end
  if mustBuild() then return answer({answer = 'build'}) end
  for _, one in ipairs(ask.charges) do
    if one.attempt > booked then
      charge(one, one.tokens, one.microUsd, false)
      booked, bookedTokens, bookedMicroUsd = one.attempt, bookedTokens + one.tokens, bookedMicroUsd + one.microUsd
    end
  end
  local wish = math.max(1, cap - ask.delivered)
  local output, tightest, remaining, warnings = fit(heldTokens, heldMicroUsd, wish)
  local moreTokens, moreMicroUsd = 0, 0
  local grants = output >= math.min(ask.least, wish)
  if grants then
    moreTokens = math.max(0, ask.input + output - heldTokens)
    moreMicroUsd = math.max(0, costOf(output) - heldMicroUsd)
    if moreTokens > 0 or moreMicroUsd > 0 then
      local delta = {0, moreTokens, 0, moreMicroUsd}
      book(delta, false)
      enter('extend', delta)
    end
  end
  heldTokens, heldMicroUsd = heldTokens + moreTokens, heldMicroUsd + moreMicroUsd
  redis.call('HSET', RESERVATION, 'tokens', int(heldTokens), 'microUsd', int(heldMicroUsd), 'rate', int(ask.rate),
    'booked', int(booked), 'bookedTokens', int(bookedTokens), 'bookedMicroUsd', int(bookedMicroUsd))
  if not grants then return refused(tightest) end
  return granted(heldTokens, heldMicroUsd, output, cap, remaining and remaining - moreTokens, warnings)
end

if ask.op == 'settle' then
  if state == 'settled' then return answer({answer = 'settled', warnings = kept[10] and cjson.decode(kept[10]) or nil}) end
  local opens = not state and (ask.tokens > 0 or ask.microUsd > 0)
  if opens then
    if mustBuild() then return answer({answer = 'build'}) end
    keepWindows()
  end
  charge(ask, math.max(0, ask.tokens - bookedTokens), math.max(0, ask.microUsd - bookedMicroUsd), opens)
  if heldTokens > 0 or heldMicroUsd > 0 then
    local delta = {0, -heldTokens, 0, -heldMicroUsd}
    book(delta, false)
    enter('release', delta)
  end
  local warnings = {}
  eachLimit(function(limit, spent, left, place)
    if limit.amount == 0 then return end
    local level = spent >= limit.amount and 2 or spent >= limit.warn and 1 or 0
    local key, period = keyOf(place.subject + 1), place.period
    local was = redis.call('HGET', key, '!' .. limit.name)
    local before = was and string.match(was, '^(%S+) ') == period and tonumber(string.match(was, '(%d)$')) or 0
    if level > before then
      place.level = level
      warnings[#warnings + 1] = place
    end
    if level ~= before then redis.call('HSET', key, '!' .. limit.name, period .. ' ' .. level) end
  end)
  redis.call('HSET', RESERVATION, 'state', 'settled', 'on', int(ask.on), 'tokens', '0', 'microUsd', '0')
  redis.call('PEXPIRE', RESERVATION, ask.rememberMs)
  redis.call('ZREM', OPEN, ask.generation)
  if #warnings == 0 then return answer({answer = 'settled'}) end
  redis.call('HSET', RESERVATION, 'warnings', cjson.encode(warnings))
  return answer({answer = 'settled', warnings = warnings})
end
`;

export const STEP = script(SUMS + BOOKS + FIT + STEPS);
