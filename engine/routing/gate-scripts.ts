/**
 * The Lua of the gate. ARGV[1] is one JSON object with named fields. All keys of one provider share a hash tag. Each
 * state is one JSON value, so one MGET reads everything that a script needs.
 *
 *   circuit    state: 'closed', 'open' or 'half-open'; since
 *              openUntil, openings: how many in a row; cause: 'errors' or 'slow'
 *              probeUntil, probeCall: the call that probes the model now, and when it counts as lost
 *              calls: [[slot, calls, bad, slow], ...]
 *              firstToken, pace: decayed [sum, weight] of ms to the first token and of tokens a second; decayedAt
 *
 *   Each model has one circuit per tenant and one that all tenants share. The shared one has two more fields:
 *              tenants: {tenant: [[slot, calls, bad], ...]}, for tenants with bad calls
 *              failedProbes: {tenant: until}, tenants whose probe failed, and when they may probe again
 *
 *   key state  window: [[slot, requests, tokens], ...]; refusedUntil, refusedBy: the HTTP status
 *              models: {model: {restUntil, refusals: how many in a row, requestsLeft, tokensLeft, leftUntil,
 *                leftAt, msPerRequest, msPerToken: since when and how fast they refill}}
 *
 * A window is WINDOW_SLOTS past slots and the current one, so no stretch of its length exceeds the limit.
 *
 * A release that changes a state also renames its Redis key. During a rolling upgrade each version then keeps its own
 * states; the old ones expire.
 */

import { DAY_MS } from '../../contracts/time.ts';
import { script } from '../../platform/redis/lua-script.ts';

/** Past slots of a window. */
export const WINDOW_SLOTS = 12;
/** The most recent models that one tenant is shown, and for which a key remembers a rest. */
export const MODELS_KEPT = 200;
/** Tenants whose bad calls one circuit distinguishes. */
const TENANTS_KEPT = 32;
/** A key rests this long after its first refusal that names no wait; each further refusal doubles it. */
const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 30_000;
/** Refusals in a row are forgotten this long after the rest has ended. */
const REFUSALS_KEPT_MS = 60_000;
/** The weight that one more value leaves to all earlier values of a mean. */
const EARLIER_SHARE = 0.9;
/** The wait of a call if no key states one. */
const UNKNOWN_WAIT_MS = 1_000;

/** The parts of the Redis keys that hold these states. */
export const circuitPart = (model: string) => `circuit:${model}`;
export const keyStatePart = (keyId: string) => `key-state:${keyId}`;

/** What every script of the gate begins with. */
export const COMMON = `
local SLOTS, DAY = ${WINDOW_SLOTS}, ${DAY_MS}
local args = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function read(raw) return raw and cjson.decode(raw) or {} end
local function write(key, state, ttlMs) redis.call('SET', key, cjson.encode(state), 'PX', ttlMs) end
local function integer(number) return string.format('%.0f', number) end
-- The rows of a window that are not too old.
local function trim(rows, slot)
  local kept = {}
  for _, row in ipairs(rows or {}) do if row[1] >= slot - SLOTS then kept[#kept + 1] = row end end
  return kept
end
-- The row of the current slot, which is added if it is missing.
local function current(rows, slot, width)
  local last = rows[#rows]
  if last and last[1] == slot then return last end
  local row = {slot}
  for column = 2, width do row[column] = 0 end
  rows[#rows + 1] = row
  return row
end
-- A map, or nil if it is empty: cjson writes an empty table as an object, and an absent field takes no room.
local function filled(map) return map and next(map) and map or nil end
-- Callers choose the names of models. So entries are dropped when their time is over, and their number has a limit.
local function prune(models)
  local count, first, firstEnd = 0, nil, nil
  for name, entry in pairs(models) do
    local rest = (entry.restUntil or 0) + (entry.refusals and ${REFUSALS_KEPT_MS} or 0)
    local ends = math.max(rest, entry.leftUntil or 0)
    if ends <= now then models[name] = nil
    else
      count = count + 1
      if not firstEnd or ends < firstEnd then first, firstEnd = name, ends end
    end
  end
  if count > ${MODELS_KEPT} then models[first] = nil end
end
`;

/**
 * Asks whether a call may go to a model now, and with which key.
 * KEYS the model's shared circuit, that of the tenant, line, the keys that declined this generation, then the
 *   provider's keys, then the key under which room was taken if the provider no longer has it.
 * ARGV JSON of {callId, tenant, model, mode: 'arrive' | 'line' | 'paid', tokens, isLast, probeMs, lineMs,
 *   keys: [{id, weight, lot: drawn by weight, rank or nil, requests or 0, tokens or 0, windowMs}],
 *   paidKey: its index from 1, or 0, paidSlot: in which room was taken}.
 * -> {'admitted', key, isProbe, slot} | {'open', waitMs} | {'full', waitMs, 'line' | 'rest'} | {'refused', waitMs}
 *
 * For mode 'arrive' the gate is full while other calls wait in line; 'line' is the first call of that line; 'paid'
 * has taken its room before. If the key of that room is gone, the room moves to another key, even to a full one:
 * otherwise the call would wait again after it has waited its turn, and take more room each time.
 *
 * If only this model rests ('rest'), nothing waits in line for it: the line is for all models of the provider.
 */
export const ENTER = script(`${COMMON}
local SHARED, OWN, LINE, DECLINED, KEYS_BEFORE = 1, 2, 3, 4, 4
local raw = redis.call('MGET', unpack(KEYS))
local circuits = {read(raw[SHARED]), read(raw[OWN])}
local declined = read(raw[DECLINED])
local probes, openMs = {}, nil
if args.mode ~= 'line' then
  for i, circuit in ipairs(circuits) do
    if circuit.state == 'open' or circuit.state == 'half-open' then
      local retryAt = circuit.state == 'open' and circuit.openUntil or circuit.probeUntil
      retryAt = math.max(retryAt, circuit.failedProbes and circuit.failedProbes[args.tenant] or 0)
      if now >= retryAt then probes[#probes + 1] = i
      elseif not (args.isLast and circuit.cause == 'slow') then openMs = math.max(openMs or 0, retryAt - now) end
    end
  end
  if openMs then return {'open', integer(openMs)} end
end

local function admit(index, key, slot)
  if key then write(KEYS[KEYS_BEFORE + index], key, DAY) end
  if args.mode == 'line' then redis.call('SET', KEYS[LINE], '1', 'PX', args.lineMs) end
  for _, i in ipairs(probes) do
    local circuit = circuits[i]
    circuit.state, circuit.since = 'half-open', now
    circuit.probeUntil, circuit.probeCall = now + args.probeMs, args.callId
    write(KEYS[i], circuit, DAY)
  end
  return {'admitted', integer(index), #probes > 0 and '1' or '0', integer(slot)}
end
if args.paidKey > 0 then return admit(args.paidKey, nil, 0) end

-- How long until what is left of a limit, which refills evenly, is enough for this call.
local function waitForLeft(own, left, need, msPerUnit)
  if not left or left >= need then return 0 end
  if not msPerUnit then return own.leftUntil - now end
  local enoughAt = (own.leftAt or now) + (need - left) * msPerUnit
  return math.max(0, math.min(enoughAt, own.leftUntil) - now)
end
-- How long the model must rest with this key.
local function restOf(key)
  local own, rest = key.models and key.models[args.model] or {}, 0
  if own.restUntil and own.restUntil > now then rest = own.restUntil - now end
  if own.leftUntil and own.leftUntil > now then
    rest = math.max(rest, waitForLeft(own, own.requestsLeft, 1, own.msPerRequest))
    rest = math.max(rest, waitForLeft(own, own.tokensLeft, args.tokens, own.msPerToken))
  end
  return rest
end
-- The requests in the window, and how long until it has room for this call.
local function roomOf(window, limits, slotMs)
  local requests, tokens, wait = 0, 0, 0
  for _, row in ipairs(window) do requests, tokens = requests + row[2], tokens + row[3] end
  local used = requests
  -- One call that is larger than the whole limit may go alone.
  local need = limits.tokens > 0 and math.min(args.tokens, limits.tokens) or args.tokens
  for _, row in ipairs(window) do
    local isFull = limits.requests > 0 and requests + 1 > limits.requests
    if not (isFull or (limits.tokens > 0 and tokens + need > limits.tokens)) then break end
    requests, tokens = requests - row[2], tokens - row[3]
    wait = math.max(wait, (row[1] + SLOTS + 1) * slotMs - now)
  end
  return used, wait
end

-- Of keys that are used as little, which are all keys where calls are rare, the lot decides.
local function isBefore(use, lot, otherUse, otherLot)
  return otherUse == nil or use < otherUse or (use == otherUse and lot > otherLot)
end
local best, bestUse, bestLot, least, leastUse, leastLot = nil, nil, nil, nil, nil, nil
local soonest, isResting = nil, false
local refusals, refusedUntil = 0, nil
for i, limits in ipairs(args.keys) do
  local slotMs = limits.windowMs / SLOTS
  local slot = math.floor(now / slotMs)
  local key = read(raw[KEYS_BEFORE + i])
  key.window = trim(key.window, slot)
  local away = math.max(key.refusedUntil or 0, declined[limits.id] and now + 1 or 0)
  if away > now then
    refusals = refusals + 1
    refusedUntil = math.min(refusedUntil or away, away)
  else
    local rest = restOf(key)
    local requests, roomWait = roomOf(key.window, limits, slotMs)
    -- The first in rank has the conversation in its cache, if any has; without ranks, the least used comes first.
    local wait, use = math.max(rest, roomWait), limits.rank or requests / limits.weight
    local lot = limits.lot
    if wait <= 0 and isBefore(use, lot, bestUse, bestLot) then best, bestUse, bestLot = {i, key, slot}, use, lot end
    if isBefore(use, lot, leastUse, leastLot) then least, leastUse, leastLot = {i, key, slot}, use, lot end
    if soonest == nil or wait < soonest then soonest, isResting = wait, rest >= wait end
  end
end
if refusals == #args.keys then return {'refused', integer(refusedUntil - now)} end
if args.mode == 'arrive' and redis.call('EXISTS', KEYS[LINE]) == 1 then
  return {'full', integer(math.max(soonest or 0, 0)), 'line'}
end
if args.mode == 'paid' then
  best = best or least
  local last = #KEYS
  local paid = read(raw[last])
  for _, row in ipairs(paid.window or {}) do
    if row[1] == args.paidSlot then row[2], row[3] = math.max(0, row[2] - 1), math.max(0, row[3] - args.tokens) end
  end
  if raw[last] then write(KEYS[last], paid, DAY) end
end
if best == nil then
  if not isResting then redis.call('SET', KEYS[LINE], '1', 'PX', args.lineMs) end
  return {'full', integer(math.max(1, math.ceil(soonest or ${UNKNOWN_WAIT_MS}))), isResting and 'rest' or 'line'}
end
local index, key, slot = unpack(best)
local row = current(key.window, slot, 3)
row[2], row[3] = row[2] + 1, row[3] + args.tokens
local own = key.models and key.models[args.model]
if own and own.leftUntil and own.leftUntil > now then
  if own.requestsLeft then own.requestsLeft = own.requestsLeft - 1 end
  if own.tokensLeft then own.tokensLeft = own.tokensLeft - args.tokens end
end
return admit(index, key, slot)
`);

/**
 * Records how a call ended.
 * KEYS the model's shared circuit, that of the tenant, key, the tenant's models, the keys that declined this
 *   generation.
 * ARGV JSON of {callId, tenant, model, verdict: 'ok' | 'slow' | 'bad' | '',
 *   isShared: whether it counts for other tenants,
 *   key: 'ok' | 'limited' | 'refused' | 'declined', keyId, status, restMs or 0,
 *   slot: of the entry, extraTokens: to add to it, firstTokenMs or 0, usualFirstTokenMs: the same for a short input,
 *   tokensPerSecond or 0, windowMs: of the circuit breaker, minCalls, badShare, openMs, maxOpenMs, halfLifeMs,
 *   refusedMs: how long a refused key is skipped, declinedMs, circuitMs: how long a circuit is kept}.
 * -> {change of a circuit: 'opened' | 'closed' | '', restMs of the key}
 *
 * A tenant's bad calls open its own circuit. The shared circuit opens only if the calls of all tenants say so, and
 * still say so without those of any one tenant: the calls of one tenant are never enough.
 */
export const LEAVE = script(`${COMMON}
local SHARED, OWN, KEY, MODELS, DECLINED = unpack(KEYS)
local raw = redis.call('MGET', SHARED, OWN, KEY)
local shared, own = read(raw[1]), read(raw[2])
local verdict = args.verdict
local isBad = verdict == 'bad' or verdict == 'slow'
local slot = math.floor(now / (args.windowMs / SLOTS))
local change, isSharedChanged, isOwnChanged = '', false, false
local function nextRetryAt(circuit)
  circuit.openings = (circuit.openings or 0) + 1
  return now + math.min(args.openMs * 2 ^ (circuit.openings - 1), args.maxOpenMs)
end
local function open(circuit)
  circuit.openUntil = nextRetryAt(circuit)
  circuit.state, circuit.since, circuit.calls, circuit.tenants = 'open', now, {}, nil
  circuit.cause = verdict == 'slow' and 'slow' or 'errors'
  change = 'opened'
end
local function close(circuit)
  change = 'closed'
  return {
    state = 'closed', since = now, calls = {},
    firstToken = circuit.firstToken, pace = circuit.pace, decayedAt = circuit.decayedAt,
  }
end
local function sumOf(rows)
  local calls, bad = 0, 0
  for _, row in ipairs(rows) do calls, bad = calls + row[2], bad + row[3] end
  return calls, bad
end
local function isIll(calls, bad, minCalls) return calls >= minCalls and bad / calls >= args.badShare end
local function count(circuit)
  circuit.state, circuit.calls = 'closed', trim(circuit.calls, slot)
  local row = current(circuit.calls, slot, 4)
  row[2] = row[2] + 1
  if isBad then row[3] = row[3] + 1 end
  if verdict == 'slow' then row[4] = row[4] + 1 end
  if not isBad then circuit.openings = 0 end
  return sumOf(circuit.calls)
end

-- The tenant's own circuit.
if own.state == 'half-open' and own.probeCall == args.callId then
  isOwnChanged = true
  if verdict == '' then own.state, own.openUntil = 'open', now
  elseif isBad then open(own)
  else own = close(own) end
elseif verdict ~= '' and (own.state == nil or own.state == 'closed') then
  isOwnChanged = true
  local calls, bad = count(own)
  if isBad and isIll(calls, bad, args.minCalls) then open(own) end
end

-- The circuit that all tenants share.
local function keepTenants(map, weightOf)
  local kept, fewest, fewestTenant = 0, nil, nil
  for tenant, value in pairs(map) do
    local weight = weightOf(tenant, value)
    if not weight then map[tenant] = nil
    else
      kept = kept + 1
      if tenant ~= args.tenant and (not fewest or weight < fewest) then fewest, fewestTenant = weight, tenant end
    end
  end
  if kept > ${TENANTS_KEPT} and fewestTenant then map[fewestTenant] = nil end
  return filled(map)
end
if shared.state == 'half-open' and shared.probeCall == args.callId then
  isSharedChanged = true
  if isBad then
    -- Other tenants may probe at once: the tenant of this call does not hold the circuit open for them.
    shared.failedProbes = shared.failedProbes or {}
    shared.failedProbes[args.tenant] = args.isShared and nextRetryAt(shared) or now + args.openMs
    shared.failedProbes = keepTenants(shared.failedProbes, function(_, till) return till > now and till end)
    change = 'opened'
  end
  if isBad or verdict == '' then shared.state, shared.openUntil = 'open', now
  else shared = close(shared) end
elseif verdict ~= '' and (args.isShared or not isBad) and (shared.state == nil or shared.state == 'closed') then
  isSharedChanged = true
  local calls, bad = count(shared)
  shared.tenants = shared.tenants or {}
  if isBad or shared.tenants[args.tenant] then
    local rows = trim(shared.tenants[args.tenant], slot)
    shared.tenants[args.tenant] = rows
    local row = current(rows, slot, 3)
    row[2] = row[2] + 1
    if isBad then row[3] = row[3] + 1 end
  end
  shared.tenants = keepTenants(shared.tenants, function(tenant, rows)
    local kept = trim(rows, slot)
    shared.tenants[tenant] = kept
    local _, badOfTenant = sumOf(kept)
    return badOfTenant > 0 and badOfTenant
  end)
  local isIllForAll = isBad and isIll(calls, bad, args.minCalls)
  for _, rows in pairs(shared.tenants or {}) do
    local callsOfTenant, badOfTenant = sumOf(rows)
    isIllForAll = isIllForAll and isIll(calls - callsOfTenant, bad - badOfTenant, args.minCalls / 2)
  end
  if isIllForAll then open(shared) end
end

local function learnSpeed(circuit, firstTokenMs)
  local fade = 0.5 ^ ((now - (circuit.decayedAt or now)) / args.halfLifeMs)
  local function add(mean, value)
    mean = mean or {0, 0}
    if value <= 0 then return {mean[1] * fade, mean[2] * fade} end
    return {mean[1] * fade * ${EARLIER_SHARE} + value, mean[2] * fade * ${EARLIER_SHARE} + 1}
  end
  circuit.firstToken = add(circuit.firstToken, firstTokenMs)
  circuit.pace = add(circuit.pace, args.tokensPerSecond)
  circuit.decayedAt = now
end
if args.firstTokenMs > 0 then
  isSharedChanged, isOwnChanged = true, true
  learnSpeed(shared, args.usualFirstTokenMs)
  learnSpeed(own, args.firstTokenMs)
end
if isSharedChanged then write(SHARED, shared, args.circuitMs) end
if isOwnChanged then
  write(OWN, own, args.circuitMs)
  -- Only a model that answered is remembered: an unknown one answers nothing.
  redis.call('ZADD', MODELS, now, args.model)
  redis.call('ZREMRANGEBYSCORE', MODELS, '-inf', now - DAY)
  redis.call('ZREMRANGEBYRANK', MODELS, 0, -${MODELS_KEPT} - 1)
  redis.call('PEXPIRE', MODELS, DAY)
end

if args.key == 'declined' then
  local declined = read(redis.call('GET', DECLINED))
  declined[args.keyId] = true
  write(DECLINED, declined, args.declinedMs)
end
local rest = 0
local key = read(raw[3])
key.models = key.models or {}
local learned = key.models[args.model] or {}
for _, row in ipairs(key.window or {}) do
  if row[1] == args.slot then row[3] = math.max(0, row[3] + args.extraTokens) end
end
if args.key == 'limited' then
  learned.refusals = (learned.refusals or 0) + 1
  rest = args.restMs
  if rest <= 0 then rest = math.min(${FIRST_REST_MS} * 2 ^ (learned.refusals - 1), ${LONGEST_REST_MS}) end
  learned.restUntil = math.max(learned.restUntil or 0, now + rest)
  -- A refusal that names its wait knows better than the limits of earlier answers.
  if args.restMs > 0 then learned.requestsLeft, learned.tokensLeft, learned.leftUntil = nil, nil, nil end
elseif args.key == 'refused' then
  key.refusedUntil, key.refusedBy = now + args.refusedMs, args.status
elseif args.key == 'ok' and (learned.restUntil or 0) <= now then
  learned.refusals, learned.restUntil = nil, nil
end
key.models[args.model] = filled(learned)
prune(key.models)
key.models = filled(key.models)
write(KEY, key, DAY)
return {change, integer(rest)}
`);
