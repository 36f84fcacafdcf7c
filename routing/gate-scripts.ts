/**
 * The Lua of the gate. All keys of one provider share a hash tag. Each state is one JSON value, so that a script reads
 * all it needs by one MGET:
 *
 *   model  s: 'c' closed, 'o' open, 'h' half-open; u: open until; n: times opened in a row; p, id: until when and by
 *          whom it is tried; why: 'errors' or 'slow'; at: since; w: [[slot, calls, bad, slow], ...];
 *          f, r: decayed [sum, weight] of ms to the first token and of tokens a second; d: when they were decayed
 *   key    w: [[slot, requests, tokens], ...]; aside: refused until; code: by which status;
 *          m: {model: {rest: until, n: refusals in a row, lr, lt: requests and tokens left, lu: until}}
 *
 * A window is 12 slots and the one under way, so never more than the limit goes out in any stretch of its length.
 */
import { script } from '../lua/script.ts';

const COMMON = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local DAY = 86400000
local function read(raw) return raw and cjson.decode(raw) or {} end
local function trim(list, slot)
  local kept = {}
  for _, e in ipairs(list or {}) do if e[1] >= slot - 12 then kept[#kept + 1] = e end end
  return kept
end
local function current(list, slot, width)
  local last = list[#list]
  if last and last[1] == slot then return last end
  local e = {slot}
  for i = 2, width do e[i] = 0 end
  list[#list + 1] = e
  return e
end
local function text(n) return string.format('%.0f', n) end
`;

/**
 * KEYS model, line, then the provider's keys.
 * ARGV call, mode ('arrive' | 'line' | 'paid'), model, tokens, '1' for the last resort, probeMs, lineMs, paid key or 0,
 *   then for each key: weight, requests or 0, tokens or 0, windowMs.
 * -> {'admitted', key, probe, slot} | {'open', waitMs} | {'full', waitMs, 'line' | 'rest'} | {'refused', waitMs}
 * `arrive` finds the gate closed while others stand in line; `line` is the first of that line; `paid` has been there.
 * Where only this model rests (`rest`), nobody stands in line for it: the line is of all models of the provider.
 */
export const ENTER = script(`${COMMON}
local raw = redis.call('MGET', unpack(KEYS))
local model = read(raw[1])
local mode, name, need, last = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5] == '1'
local probe = 0
if mode ~= 'line' and (model.s == 'o' or model.s == 'h') then
  local till = model.s == 'o' and model.u or model.p
  if now >= till then probe = 1
  elseif not (last and model.why == 'slow') then return {'open', text(till - now)} end
end
local function admit(index, key, slot, counted)
  if counted then redis.call('SET', KEYS[index + 2], cjson.encode(key), 'PX', DAY) end
  if mode == 'line' then redis.call('SET', KEYS[2], '1', 'PX', ARGV[7]) end
  if probe == 1 then
    model.s, model.p, model.id, model.at = 'h', now + tonumber(ARGV[6]), ARGV[1], now
    redis.call('SET', KEYS[1], cjson.encode(model), 'PX', DAY)
  end
  return {'admitted', text(index), text(probe), text(slot)}
end
if mode == 'paid' then return admit(tonumber(ARGV[8]), nil, 0, false) end
local best, bestUse, soonest, resting, refused, back = nil, nil, nil, false, 0, nil
local count = #KEYS - 2
for i = 1, count do
  local at = 8 + (i - 1) * 4
  local weight, requests, tokens = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local step = tonumber(ARGV[at + 4]) / 12
  local slot = math.floor(now / step)
  local key = read(raw[i + 2])
  key.w = trim(key.w, slot)
  local own = key.m and key.m[name] or {}
  local wait = 0
  if key.aside and key.aside > now then
    refused = refused + 1
    back = math.min(back or key.aside, key.aside)
  else
    if own.rest and own.rest > now then wait = own.rest - now end
    if own.lu and own.lu > now and ((own.lr or 1) < 1 or (own.lt or need) < need) then
      wait = math.max(wait, own.lu - now)
    end
    local rest, r, k = wait, 0, 0
    for _, e in ipairs(key.w) do r, k = r + e[2], k + e[3] end
    local used = r
    -- One call that is larger than the whole limit may go alone.
    local most = tokens > 0 and math.min(need, tokens) or need
    for _, e in ipairs(key.w) do
      if not ((requests > 0 and r + 1 > requests) or (tokens > 0 and k + most > tokens)) then break end
      r, k = r - e[2], k - e[3]
      wait = math.max(wait, (e[1] + 13) * step - now)
    end
    if wait <= 0 and (bestUse == nil or used / weight < bestUse) then
      best, bestUse = {i, key, slot}, used / weight
    end
    if soonest == nil or wait < soonest then soonest, resting = wait, rest >= wait end
  end
end
if refused == count then return {'refused', text(back - now)} end
if mode == 'arrive' and redis.call('EXISTS', KEYS[2]) == 1 then
  return {'full', text(math.max(soonest or 0, 0)), 'line'}
end
if best == nil then
  if not resting then redis.call('SET', KEYS[2], '1', 'PX', ARGV[7]) end
  return {'full', text(math.max(1, math.ceil(soonest or 1000))), resting and 'rest' or 'line'}
end
local key, slot = best[2], best[3]
local e = current(key.w, slot, 3)
e[2], e[3] = e[2] + 1, e[3] + need
local own = key.m and key.m[name]
if own and own.lu and own.lu > now then
  if own.lr then own.lr = own.lr - 1 end
  if own.lt then own.lt = own.lt - need end
end
return admit(best[1], key, slot, true)
`);

/**
 * KEYS model, key, models.
 * ARGV call, model, verdict ('ok' | 'slow' | 'bad' | ''), key verdict ('ok' | 'limited' | 'refused' | ''), status,
 *   restMs or 0, slot of the entry, tokens to add to it, ms to the first token or 0, tokens a second or 0,
 *   windowMs of the breaker, minCalls, badShare, openMs, maxOpenMs, halfLifeMs, asideMs.
 * -> {change of the breaker ('opened' | 'closed' | ''), restMs of the key}
 */
export const LEAVE = script(`${COMMON}
local raw = redis.call('MGET', KEYS[1], KEYS[2])
local model, verdict = read(raw[1]), ARGV[3]
local bad = verdict == 'bad' or verdict == 'slow'
local slot = math.floor(now / (tonumber(ARGV[11]) / 12))
local change = ''
local function open()
  model.n = (model.n or 0) + 1
  model.s, model.at, model.w = 'o', now, {}
  model.u = now + math.min(tonumber(ARGV[14]) * 2 ^ (model.n - 1), tonumber(ARGV[15]))
  model.why = verdict == 'slow' and 'slow' or 'errors'
  change = 'opened'
end
if model.s == 'h' and model.id == ARGV[1] then
  if verdict == '' then model.s, model.u = 'o', now
  elseif bad then open()
  else model = {s = 'c', at = now, w = {}, f = model.f, r = model.r, d = model.d} change = 'closed' end
elseif verdict ~= '' and (model.s == nil or model.s == 'c') then
  model.s, model.w = 'c', trim(model.w, slot)
  local e = current(model.w, slot, 4)
  e[2] = e[2] + 1
  if bad then e[3] = e[3] + 1 end
  if verdict == 'slow' then e[4] = e[4] + 1 end
  local calls, wrong = 0, 0
  for _, one in ipairs(model.w) do calls, wrong = calls + one[2], wrong + one[3] end
  if bad and calls >= tonumber(ARGV[12]) and wrong / calls >= tonumber(ARGV[13]) then open()
  elseif not bad then model.n = 0 end
end
local first, pace = tonumber(ARGV[9]), tonumber(ARGV[10])
if first > 0 then
  local fade = 0.5 ^ ((now - (model.d or now)) / tonumber(ARGV[16]))
  local function add(pair, value)
    pair = pair or {0, 0}
    if value <= 0 then return {pair[1] * fade, pair[2] * fade} end
    return {pair[1] * fade * 0.9 + value, pair[2] * fade * 0.9 + 1}
  end
  model.f, model.r, model.d = add(model.f, first), add(model.r, pace), now
end
redis.call('SET', KEYS[1], cjson.encode(model), 'PX', DAY)
redis.call('SADD', KEYS[3], ARGV[2])
local rest, extra = 0, tonumber(ARGV[8])
if ARGV[4] ~= '' or extra ~= 0 then
  local key = read(raw[2])
  key.m = key.m or {}
  local own = key.m[ARGV[2]] or {}
  for _, e in ipairs(key.w or {}) do
    if e[1] == tonumber(ARGV[7]) then e[3] = math.max(0, e[3] + extra) end
  end
  if ARGV[4] == 'limited' then
    own.n = (own.n or 0) + 1
    rest = tonumber(ARGV[6])
    if rest <= 0 then rest = math.min(1000 * 2 ^ (own.n - 1), 30000) end
    own.rest = math.max(own.rest or 0, now + rest)
  elseif ARGV[4] == 'refused' then
    key.aside, key.code = now + tonumber(ARGV[17]), tonumber(ARGV[5])
  elseif ARGV[4] == 'ok' and (own.rest or 0) <= now then
    own.n, own.rest = nil, nil
  end
  key.m[ARGV[2]] = next(own) and own or nil
  if not next(key.m) then key.m = nil end
  redis.call('SET', KEYS[2], cjson.encode(key), 'PX', DAY)
end
return {change, text(rest)}
`);

/** KEYS key. ARGV model, requests left or -1, tokens left or -1, resetMs. What an answer's head said of its limits. */
export const NOTE_LIMITS = script(`${COMMON}
local key = read(redis.call('GET', KEYS[1]))
key.m = key.m or {}
local own = key.m[ARGV[1]] or {}
own.lr = tonumber(ARGV[2]) >= 0 and tonumber(ARGV[2]) or nil
own.lt = tonumber(ARGV[3]) >= 0 and tonumber(ARGV[3]) or nil
own.lu = now + tonumber(ARGV[4])
key.m[ARGV[1]] = own
redis.call('SET', KEYS[1], cjson.encode(key), 'PX', DAY)
return {'noted', ''}
`);
