/**
 * Budgets in Redis: a saga of reserve and settle. One script decides each step, so no two callers can share the last
 * tokens. Every change is also an entry of an append-only stream; the sum of the entries is the balance.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { REDIS_KEYS } from '../contracts/names.ts';
import type { BudgetBalance, BudgetLedger, BudgetOwner } from './ledger.ts';

/** What the ledger needs of a node-redis client. */
export interface LedgerRedis {
  evalSha(sha: string, call: { keys: string[]; arguments: string[] }): Promise<unknown>;
  eval(source: string, call: { keys: string[]; arguments: string[] }): Promise<unknown>;
  hGetAll(key: string): Promise<Record<string, string>>;
  xRange(
    key: string,
    from: string,
    to: string,
  ): Promise<readonly { readonly message: Record<string, string> }[] | null>;
}

export interface Reconciliation {
  readonly balance: { readonly spentTokens: number; readonly reservedTokens: number };
  readonly recomputed: { readonly spentTokens: number; readonly reservedTokens: number };
  readonly equal: boolean;
}

export interface RedisBudgetLedger extends BudgetLedger {
  /** Recomputes the balance of a day (such as 2026-11-24) from its entries. */
  reconcile(owner: BudgetOwner, day: string): Promise<Reconciliation>;
}

const KEEP_MS = 40 * 24 * 3_600_000;
const DAY_MS = 24 * 3_600_000;

/**
 * KEYS day, entries, reservation. ARGV limit or '', input, max output, min output, generation, now, ttl, day.
 * -> {1, reserved, maxOutput, remaining or ''} or {0, remaining}
 */
const RESERVE = `
local day = redis.call('HMGET', KEYS[1], 'spentTokens', 'reservedTokens')
local used = tonumber(day[1] or '0') + tonumber(day[2] or '0')
local limit = tonumber(ARGV[1])
local known = redis.call('HMGET', KEYS[3], 'tokens', 'maxOutputTokens')
if known[1] then
  return {1, known[1], known[2], limit and string.format('%.0f', math.max(0, limit - used)) or ''}
end
local output = tonumber(ARGV[3])
if limit then
  output = math.min(output, limit - used - tonumber(ARGV[2]))
  if output < tonumber(ARGV[4]) then return {0, string.format('%.0f', math.max(0, limit - used))} end
end
local tokens = string.format('%.0f', tonumber(ARGV[2]) + output)
redis.call('HINCRBY', KEYS[1], 'reservedTokens', tokens)
redis.call('HSET', KEYS[3], 'day', ARGV[8], 'tokens', tokens, 'maxOutputTokens', string.format('%.0f', output), 'state', 'reserved')
redis.call('XADD', KEYS[2], '*', 'kind', 'reserve', 'tokens', tokens, 'generation', ARGV[5], 'at', ARGV[6])
for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ARGV[7]) end
return {1, tokens, string.format('%.0f', output), limit and string.format('%.0f', limit - used - tonumber(tokens)) or ''}
`;

/** KEYS day, entries, reservation. ARGV tokens, micro-USD, generation, now, ttl, estimated, day. -> 1 if it counted */
const SETTLE = `
local held = redis.call('HMGET', KEYS[3], 'state', 'tokens')
if held[1] == 'settled' then return 0 end
if held[1] == 'reserved' then
  redis.call('HINCRBY', KEYS[1], 'reservedTokens', '-' .. held[2])
  redis.call('XADD', KEYS[2], '*', 'kind', 'release', 'tokens', held[2], 'generation', ARGV[3], 'at', ARGV[4])
end
if tonumber(ARGV[1]) > 0 or tonumber(ARGV[2]) > 0 then
  redis.call('HINCRBY', KEYS[1], 'spentTokens', ARGV[1])
  redis.call('HINCRBY', KEYS[1], 'spentMicroUsd', ARGV[2])
  redis.call('XADD', KEYS[2], '*', 'kind', 'debit', 'tokens', ARGV[1], 'microUsd', ARGV[2], 'generation', ARGV[3], 'at', ARGV[4], 'estimated', ARGV[6])
end
redis.call('HSET', KEYS[3], 'state', 'settled', 'day', ARGV[7])
for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ARGV[5]) end
return 1
`;

const daySchema = z.object({
  spentTokens: z.coerce.number().int().default(0),
  reservedTokens: z.coerce.number().int().default(0),
  spentMicroUsd: z.coerce.number().int().default(0),
});
const entrySchema = z.object({
  kind: z.enum(['reserve', 'release', 'debit']),
  tokens: z.coerce.number().int(),
});

export function createRedisBudgetLedger({
  redis,
  dailyTokensPerUser,
  clock = Date.now,
}: {
  readonly redis: LedgerRedis;
  /** Per user and UTC day; null: no limit, but all is booked. */
  readonly dailyTokensPerUser: number | null;
  readonly clock?: () => number;
}): RedisBudgetLedger {
  const run = async (
    source: string,
    keys: string[],
    args: readonly (string | number)[],
  ): Promise<string[]> => {
    const call = { keys, arguments: args.map(String) };
    const sha = createHash('sha1').update(source).digest('hex');
    const reply = await redis.evalSha(sha, call).catch((error: unknown) => {
      if (error instanceof Error && error.message.startsWith('NOSCRIPT')) return redis.eval(source, call);
      throw error;
    });
    return z.array(z.coerce.string()).parse(Array.isArray(reply) ? reply : [reply]);
  };

  return {
    async reserve(reservation) {
      const { generationId, inputTokens, maxOutputTokens, minOutputTokens } = reservation;
      const now = clock();
      // A reservation that is asked for again after midnight is still the one of its day.
      const day = (await reservedDay(redis, reservation, generationId)) ?? dayOf(now);
      const reply = await run(RESERVE, keysOf(reservation, day, generationId), [
        ...[dailyTokensPerUser ?? '', inputTokens, maxOutputTokens, minOutputTokens],
        ...[generationId, now, KEEP_MS, day],
      ]);
      const [granted, first, output, remaining] = reply;
      if (granted === '1') {
        return {
          granted: true,
          reservedTokens: Number(first),
          maxOutputTokens: Number(output),
          remainingTokens: remaining === '' ? null : Number(remaining),
        };
      }
      return {
        granted: false,
        limitTokens: dailyTokensPerUser ?? 0,
        remainingTokens: Number(first),
        resetsAtMs: endOfDay(now),
      };
    },

    async settle(settlement) {
      const { generationId, tokens, costMicroUsd, estimated } = settlement;
      const now = clock();
      const day = (await reservedDay(redis, settlement, generationId)) ?? dayOf(now);
      await run(SETTLE, keysOf(settlement, day, generationId), [
        ...[tokens, costMicroUsd, generationId, now, KEEP_MS, String(estimated), day],
      ]);
    },

    async balance(owner): Promise<BudgetBalance> {
      const now = clock();
      const day = dayOf(now);
      const stored = daySchema.parse({
        ...(await redis.hGetAll(REDIS_KEYS.budget(owner.tenant, owner.user, day))),
      });
      return { day, limitTokens: dailyTokensPerUser, ...stored, resetsAtMs: endOfDay(now) };
    },

    async reconcile(owner, day) {
      const [dayKey, entriesKey] = keysOf(owner, day, '');
      const stored = daySchema.parse({ ...(await redis.hGetAll(dayKey)) });
      const balance = { spentTokens: stored.spentTokens, reservedTokens: stored.reservedTokens };
      const recomputed = { spentTokens: 0, reservedTokens: 0 };
      for (const { message } of (await redis.xRange(entriesKey, '-', '+')) ?? []) {
        const { kind, tokens } = entrySchema.parse({ ...message });
        if (kind === 'debit') recomputed.spentTokens += tokens;
        else recomputed.reservedTokens += kind === 'reserve' ? tokens : -tokens;
      }
      const equal =
        balance.spentTokens === recomputed.spentTokens &&
        balance.reservedTokens === recomputed.reservedTokens;
      return { balance, recomputed, equal };
    },
  };
}

async function reservedDay(
  redis: LedgerRedis,
  owner: BudgetOwner,
  generationId: string,
): Promise<string | undefined> {
  const { day } = await redis.hGetAll(
    REDIS_KEYS.budget(owner.tenant, owner.user, `reservation:${generationId}`),
  );
  return day;
}

function keysOf({ tenant, user }: BudgetOwner, day: string, generationId: string): [string, string, string] {
  const key = (part: string) => REDIS_KEYS.budget(tenant, user, part);
  return [key(day), key(`${day}:entries`), key(`reservation:${generationId}`)];
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function endOfDay(ms: number): number {
  return (Math.floor(ms / DAY_MS) + 1) * DAY_MS;
}
