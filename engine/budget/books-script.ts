/**
 * The Lua that the steps of the saga share: sums of buckets, the windows of each subject, bookings and their entries.
 * `step-script.ts` says which KEYS it has.
 */
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

export const BOOKS = `
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

-- A reservation may be weeks old, and a bucket a minute long: more fields than Lua passes at once.
local MOST_FIELDS = 1000

local function totals(i, window)
  local sum, oldest, n = {0, 0, 0, 0}, -1, window.first
  while n <= window.last do
    local fields, first = {}, n
    while n <= window.last and #fields < MOST_FIELDS do
      fields[#fields + 1] = window.id .. '@' .. int(n)
      n = n + window.stepMs
    end
    for index, packed in ipairs(redis.call('HMGET', keyOf(i), unpack(fields))) do
      if packed then
        local sums = sumsOf(packed)
        add(sum, sums)
        if oldest < 0 and sums[1] + sums[2] + sums[3] + sums[4] > 0 then
          oldest = first + (index - 1) * window.stepMs
        end
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
