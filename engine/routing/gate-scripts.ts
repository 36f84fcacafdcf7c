/**
 * The Lua of the gate. All keys of one provider share a hash tag. Each state is one JSON value, so that a script reads
 * all it needs by one MGET:
 *
 *   circuit  s: 'c' closed, 'o' open, 'h' half-open; u: open until; n: times opened in a row; p, id: until when and by
 *            which call it is tried; why: 'errors' or 'slow'; at: since; w: [[slot, calls, bad, slow], ...];
 *            f, r: decayed [sum, weight] of ms to the first token and of tokens a second; d: when they were decayed.
 *            Each model has one circuit for each tenant, and one for all. That for all has two fields more:
 *            t: {tenant: [[slot, calls, bad], ...]}, the calls of those who had bad ones;
 *            b: {tenant: until}, those whose call has tried it in vain, and when they may try again
 *   key      w: [[slot, requests, tokens], ...]; aside: refused until; code: by which status;
 *            m: {model: {rest: until, n: refusals in a row, lr, lt: requests and tokens left, lu: until}}
 *
 * A window is 12 slots and the one under way, so never more than the limit goes out in any stretch of its length.
 *
 * Names come as plain arguments and not inside JSON: cjson refuses an escape that JSON.stringify may write.
 */
import { script } from '../../platform/redis/lua-script.ts';

/** Slots of a window that lie behind. */
export const WINDOW_SLOTS = 12;
/** Models that one tenant is shown, and that a key remembers the rests of: the last ones. */
export const MODELS_KEPT = 200;
/** Tenants whose bad calls one circuit tells apart. */
const TENANTS_KEPT = 32;

const COMMON = `
local SLOTS, MODELS, TENANTS, DAY = ${WINDOW_SLOTS}, ${MODELS_KEPT}, ${TENANTS_KEPT}, 86400000
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function read(raw) return raw and cjson.decode(raw) or {} end
local function trim(list, slot)
  local kept = {}
  for _, e in ipairs(list or {}) do if e[1] >= slot - SLOTS then kept[#kept + 1] = e end end
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
-- A value of JSON without its empty tables, which would come back as lists.
local function filled(map) return map and next(map) and map or nil end
-- Callers choose the names of models, so what is kept of them ends with its time, and has a limit.
local function prune(models)
  local count, first, firstEnd = 0, nil, nil
  for name, one in pairs(models) do
    local ends = math.max((one.rest or 0) + (one.n and 60000 or 0), one.lu or 0)
    if ends <= now then models[name] = nil
    else
      count = count + 1
      if not firstEnd or ends < firstEnd then first, firstEnd = name, ends end
    end
  end
  if count > MODELS then models[first] = nil end
end
`;

/**
 * KEYS the model's circuit for all, that of the tenant, line, the keys that this generation was declined with, then the
 *   provider's keys, then the key that was paid where it is not one of them.
 * ARGV call, tenant, model, JSON of: mode ('arrive' | 'line' | 'paid'), tokens, isLast, probeMs, lineMs, paid (a key or
 *   0), slot (in which it was paid), keys: [{id, weight, requests or 0, tokens or 0, windowMs}].
 * -> {'admitted', key, probe, slot} | {'open', waitMs} | {'full', waitMs, 'line' | 'rest'} | {'refused', waitMs}
 * `arrive` finds the gate closed while others stand in line; `line` is the first of that line; `paid` has been there.
 * Room that was paid under a key that the caller does not have moves to one that it has, even to a full one: a call that
 * has waited its turn would otherwise wait again, and take room at each turn.
 * Where only this model rests (`rest`), nobody stands in line for it: the line is of all models of the provider.
 */
export const ENTER = script(`${COMMON}
local raw = redis.call('MGET', unpack(KEYS))
local circuits = {read(raw[1]), read(raw[2])}
local declined = read(raw[4])
local tenant, name, o = ARGV[2], ARGV[3], cjson.decode(ARGV[4])
local mode, need = o.mode, o.tokens
local tries, shut = {}, nil
if mode ~= 'line' then
  for i, circuit in ipairs(circuits) do
    if circuit.s == 'o' or circuit.s == 'h' then
      local till = circuit.s == 'o' and circuit.u or circuit.p
      till = math.max(till, circuit.b and circuit.b[tenant] or 0)
      if now >= till then tries[#tries + 1] = i
      elseif not (o.isLast and circuit.why == 'slow') then shut = math.max(shut or 0, till - now) end
    end
  end
  if shut then return {'open', text(shut)} end
end
local function admit(index, key, slot)
  if key then redis.call('SET', KEYS[index + 4], cjson.encode(key), 'PX', DAY) end
  if mode == 'line' then redis.call('SET', KEYS[3], '1', 'PX', o.lineMs) end
  for _, i in ipairs(tries) do
    local circuit = circuits[i]
    circuit.s, circuit.p, circuit.id, circuit.at = 'h', now + o.probeMs, ARGV[1], now
    redis.call('SET', KEYS[i], cjson.encode(circuit), 'PX', DAY)
  end
  return {'admitted', text(index), #tries > 0 and '1' or '0', text(slot)}
end
if o.paid > 0 then return admit(o.paid, nil, 0) end
local best, bestUse, soonest, resting, refused, back = nil, nil, nil, false, 0, nil
local least, leastUse = nil, nil
for i, limits in ipairs(o.keys) do
  local requests, tokens, step = limits.requests, limits.tokens, limits.windowMs / SLOTS
  local slot = math.floor(now / step)
  local key = read(raw[i + 4])
  key.w = trim(key.w, slot)
  local own = key.m and key.m[name] or {}
  local wait = 0
  local away = math.max(key.aside or 0, declined[limits.id] and now + 1 or 0)
  if away > now then
    refused = refused + 1
    back = math.min(back or away, away)
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
      wait = math.max(wait, (e[1] + SLOTS + 1) * step - now)
    end
    if wait <= 0 and (bestUse == nil or used / limits.weight < bestUse) then
      best, bestUse = {i, key, slot}, used / limits.weight
    end
    if leastUse == nil or used / limits.weight < leastUse then
      least, leastUse = {i, key, slot}, used / limits.weight
    end
    if soonest == nil or wait < soonest then soonest, resting = wait, rest >= wait end
  end
end
if refused == #o.keys then return {'refused', text(back - now)} end
if mode == 'arrive' and redis.call('EXISTS', KEYS[3]) == 1 then
  return {'full', text(math.max(soonest or 0, 0)), 'line'}
end
if mode == 'paid' then
  best = best or least
  local last = #KEYS
  local paid = read(raw[last])
  for _, e in ipairs(paid.w or {}) do
    if e[1] == o.slot then e[2], e[3] = math.max(0, e[2] - 1), math.max(0, e[3] - need) end
  end
  if raw[last] then redis.call('SET', KEYS[last], cjson.encode(paid), 'PX', DAY) end
end
if best == nil then
  if not resting then redis.call('SET', KEYS[3], '1', 'PX', o.lineMs) end
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
return admit(best[1], key, slot)
`);

/**
 * KEYS the model's circuit for all, that of the tenant, key, the tenant's models, the keys that this generation was
 *   declined with.
 * ARGV call, tenant, model, JSON of: verdict ('ok' | 'slow' | 'bad' | ''), isShared (whether others may learn of it),
 *   key ('ok' | 'limited' | 'refused' | 'declined'), keyId, status, restMs or 0, slot of the entry, extra (tokens to add
 *   to it), firstTokenMs or 0, usualFirstTokenMs (the same for a short input), tokensPerSecond or 0, windowMs of the
 *   breaker, minCalls, badShare, openMs, maxOpenMs, halfLifeMs, asideMs, declinedMs, circuitMs (how long a circuit is
 *   kept).
 * -> {change of a circuit ('opened' | 'closed' | ''), restMs of the key}
 *
 * A tenant's bad calls open its own circuit. The circuit for all opens when the calls of all say so, and those of all
 * but any one tenant say so too: what one tenant sends is never enough.
 */
export const LEAVE = script(`${COMMON}
local raw = redis.call('MGET', KEYS[1], KEYS[2], KEYS[3])
local shared, own = read(raw[1]), read(raw[2])
local call, tenant, name, o = ARGV[1], ARGV[2], ARGV[3], cjson.decode(ARGV[4])
local verdict = o.verdict
local bad = verdict == 'bad' or verdict == 'slow'
local slot = math.floor(now / (o.windowMs / SLOTS))
local change, hasChanged = '', {false, false}
local function longer(circuit)
  circuit.n = (circuit.n or 0) + 1
  return now + math.min(o.openMs * 2 ^ (circuit.n - 1), o.maxOpenMs)
end
local function open(circuit)
  circuit.u = longer(circuit)
  circuit.s, circuit.at, circuit.w, circuit.t = 'o', now, {}, nil
  circuit.why = verdict == 'slow' and 'slow' or 'errors'
  change = 'opened'
end
local function close(circuit)
  change = 'closed'
  return {s = 'c', at = now, w = {}, f = circuit.f, r = circuit.r, d = circuit.d}
end
local function sumOf(list)
  local calls, wrong = 0, 0
  for _, e in ipairs(list) do calls, wrong = calls + e[2], wrong + e[3] end
  return calls, wrong
end
local function isIll(calls, wrong, least) return calls >= least and wrong / calls >= o.badShare end
local function count(circuit)
  circuit.s, circuit.w = 'c', trim(circuit.w, slot)
  local e = current(circuit.w, slot, 4)
  e[2] = e[2] + 1
  if bad then e[3] = e[3] + 1 end
  if verdict == 'slow' then e[4] = e[4] + 1 end
  if not bad then circuit.n = 0 end
  return sumOf(circuit.w)
end

-- The tenant's own circuit.
if own.s == 'h' and own.id == call then
  hasChanged[2] = true
  if verdict == '' then own.s, own.u = 'o', now
  elseif bad then open(own)
  else own = close(own) end
elseif verdict ~= '' and (own.s == nil or own.s == 'c') then
  hasChanged[2] = true
  local calls, wrong = count(own)
  if bad and isIll(calls, wrong, o.minCalls) then open(own) end
end

-- The circuit for all.
local function keepTenants(map, isOver)
  local kept, fewest, fewestOf = 0, nil, nil
  for one, value in pairs(map) do
    local weight = isOver(one, value)
    if not weight then map[one] = nil
    else
      kept = kept + 1
      if one ~= tenant and (not fewest or weight < fewest) then fewest, fewestOf = weight, one end
    end
  end
  if kept > TENANTS and fewestOf then map[fewestOf] = nil end
  return filled(map)
end
if shared.s == 'h' and shared.id == call then
  hasChanged[1] = true
  if bad then
    -- Others may try it at once: the tenant of this call does not hold it open for them.
    shared.b = shared.b or {}
    shared.b[tenant] = o.isShared and longer(shared) or now + o.openMs
    shared.b = keepTenants(shared.b, function(_, till) return till > now and till end)
    change = 'opened'
  end
  if bad or verdict == '' then shared.s, shared.u = 'o', now
  else shared = close(shared) end
elseif verdict ~= '' and (o.isShared or not bad) and (shared.s == nil or shared.s == 'c') then
  hasChanged[1] = true
  local calls, wrong = count(shared)
  shared.t = shared.t or {}
  if bad or shared.t[tenant] then
    shared.t[tenant] = trim(shared.t[tenant], slot)
    local e = current(shared.t[tenant], slot, 3)
    e[2] = e[2] + 1
    if bad then e[3] = e[3] + 1 end
  end
  shared.t = keepTenants(shared.t, function(one, list)
    local kept = trim(list, slot)
    shared.t[one] = kept
    local _, wrongOnes = sumOf(kept)
    return wrongOnes > 0 and wrongOnes
  end)
  local isIllForAll = bad and isIll(calls, wrong, o.minCalls)
  for _, list in pairs(shared.t or {}) do
    local ownCalls, ownWrong = sumOf(list)
    isIllForAll = isIllForAll and isIll(calls - ownCalls, wrong - ownWrong, o.minCalls / 2)
  end
  if isIllForAll then open(shared) end
end

local function learnSpeed(circuit, first, pace)
  local fade = 0.5 ^ ((now - (circuit.d or now)) / o.halfLifeMs)
  local function add(pair, value)
    pair = pair or {0, 0}
    if value <= 0 then return {pair[1] * fade, pair[2] * fade} end
    return {pair[1] * fade * 0.9 + value, pair[2] * fade * 0.9 + 1}
  end
  circuit.f, circuit.r, circuit.d = add(circuit.f, first), add(circuit.r, pace), now
end
if o.firstTokenMs > 0 then
  hasChanged = {true, true}
  learnSpeed(shared, o.usualFirstTokenMs, o.tokensPerSecond)
  learnSpeed(own, o.firstTokenMs, o.tokensPerSecond)
end
if hasChanged[1] then redis.call('SET', KEYS[1], cjson.encode(shared), 'PX', o.circuitMs) end
if hasChanged[2] then
  redis.call('SET', KEYS[2], cjson.encode(own), 'PX', o.circuitMs)
  -- A model that nobody knows answers nothing, and is not remembered.
  redis.call('ZADD', KEYS[4], now, name)
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now - DAY)
  redis.call('ZREMRANGEBYRANK', KEYS[4], 0, -MODELS - 1)
  redis.call('PEXPIRE', KEYS[4], DAY)
end

local rest = 0
if o.key == 'declined' then
  local declined = read(redis.call('GET', KEYS[5]))
  declined[o.keyId] = true
  redis.call('SET', KEYS[5], cjson.encode(declined), 'PX', o.declinedMs)
end
local key = read(raw[3])
key.m = key.m or {}
local learned = key.m[name] or {}
for _, e in ipairs(key.w or {}) do
  if e[1] == o.slot then e[3] = math.max(0, e[3] + o.extra) end
end
if o.key == 'limited' then
  learned.n = (learned.n or 0) + 1
  rest = o.restMs
  if rest <= 0 then rest = math.min(1000 * 2 ^ (learned.n - 1), 30000) end
  learned.rest = math.max(learned.rest or 0, now + rest)
elseif o.key == 'refused' then
  key.aside, key.code = now + o.asideMs, o.status
elseif o.key == 'ok' and (learned.rest or 0) <= now then
  learned.n, learned.rest = nil, nil
end
key.m[name] = filled(learned)
prune(key.m)
key.m = filled(key.m)
redis.call('SET', KEYS[3], cjson.encode(key), 'PX', DAY)
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
prune(key.m)
key.m = filled(key.m)
redis.call('SET', KEYS[1], cjson.encode(key), 'PX', DAY)
return {'noted', ''}
`);
