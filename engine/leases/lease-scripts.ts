/**
 * The Lua of the leases. All times are of Redis' clock. All keys of a task queue share one hash tag.
 *
 * A lease is judged only while renewals flow. After a gap in all of them, Redis itself was unreachable or stopped, and
 * every lease looks expired: none is judged until the processes had time to renew. At its limit of memory Redis refuses
 * some writes and not others, so what it renews must not depend on that.
 */
import { script, vitalScript } from '../../platform/redis/lua-script.ts';

const COMMON = `
local args = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** A lease that was last renewed before this time has expired. */
const JUDGE = `
local expiredBefore = now - args.silentMs
`;

/**
 * Renews a lease, records which runs its process works on, and looks for leases that have expired.
 * KEYS processes, runs of this process, hold.
 * ARGV JSON of {process, held: values by field, dropped: fields, judges, silentMs, gapMs, graceMs, keptMs}
 * -> {1 if the process was not known, else 0; processes whose lease has expired}
 */
export const RENEW = vitalScript(`${COMMON}${JUDGE}
local PROCESSES, RUNS, HOLD = unpack(KEYS)
local latest = redis.call('ZREVRANGE', PROCESSES, 0, 0, 'WITHSCORES')[2]
local isNew = redis.call('ZADD', PROCESSES, string.format('%.0f', now), args.process)
for _, field in ipairs(args.dropped) do redis.call('HDEL', RUNS, field) end
for field, value in pairs(args.held) do redis.call('HSET', RUNS, field, value) end
redis.call('PEXPIRE', PROCESSES, args.keptMs)
redis.call('PEXPIRE', RUNS, args.keptMs)
if latest and now - tonumber(latest) > args.gapMs then redis.call('SET', HOLD, '1', 'PX', args.graceMs) end
if not args.judges or redis.call('EXISTS', HOLD) == 1 then return {isNew} end
return {isNew, unpack(redis.call('ZRANGEBYSCORE', PROCESSES, '-inf', '(' .. string.format('%.0f', expiredBefore),
  'LIMIT', 0, 8))}
`);

/**
 * Takes over the runs of a process whose lease has expired; of several processes that try, one gets them. They are
 * recorded as its own, so that they are taken over again if it dies meanwhile.
 * KEYS processes, runs of the expired process, runs of this process, hold. ARGV JSON of {process, expired, silentMs}
 * -> {'taken', fields and values in turn} | {'alive'}
 */
export const TAKE_OVER = vitalScript(`${COMMON}${JUDGE}
local PROCESSES, EXPIRED_RUNS, RUNS, HOLD = unpack(KEYS)
local renewedAt = redis.call('ZSCORE', PROCESSES, args.expired)
local isAlive = not renewedAt or tonumber(renewedAt) >= expiredBefore
if isAlive or redis.call('EXISTS', HOLD) == 1 then return {'alive'} end
local runs = redis.call('HGETALL', EXPIRED_RUNS)
for index = 1, #runs, 2 do redis.call('HSET', RUNS, runs[index], runs[index + 1]) end
redis.call('DEL', EXPIRED_RUNS)
redis.call('ZREM', PROCESSES, args.expired)
table.insert(runs, 1, 'taken')
return runs
`);

/** Ends a lease whose process works on nothing. KEYS processes, runs of this process. ARGV JSON of {process} */
export const LEAVE = script(`${COMMON}
local PROCESSES, RUNS = unpack(KEYS)
if redis.call('EXISTS', RUNS) == 0 then redis.call('ZREM', PROCESSES, args.process) end
return {}
`);
