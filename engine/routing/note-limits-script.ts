/** The script of the gate that keeps what an answer said about a key's limits. */
import { script } from '../../platform/redis/lua-script.ts';
import { COMMON } from './gate-scripts.ts';

/**
 * Records what the headers of an answer say is left of a key's limits.
 * KEYS key. ARGV JSON of {model, requestsLeft and tokensLeft, msPerRequest and msPerToken: absent if unknown, resetMs}.
 */
export const NOTE_LIMITS = script(`${COMMON}
local KEY = KEYS[1]
local key = read(redis.call('GET', KEY))
key.models = key.models or {}
local own = key.models[args.model] or {}
own.requestsLeft, own.tokensLeft, own.leftUntil = args.requestsLeft, args.tokensLeft, now + args.resetMs
own.leftAt, own.msPerRequest, own.msPerToken = now, args.msPerRequest, args.msPerToken
key.models[args.model] = own
prune(key.models)
key.models = filled(key.models)
write(KEY, key, DAY)
return {'noted', ''}
`);
