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

type Sums = Pick<BudgetBalance, 'spentTokens' | 'reservedTokens' | 'spentMicroUsd'>;

export interface Reconciliation {
  readonly balance: Sums;
  readonly recomputed: Sums;
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
 * -> {'granted', reserved, maxOutput, remaining or ''}, {'refused', remaining} or {'other-day', day}
 * A generation that was settled before it was reserved is over: what it reserved now, nobody would release.
 */
const RESERVE = `
local known = redis.call('HMGET', KEYS[3], 'tokens', 'maxOutputTokens', 'day')
if known[3] and known[3] ~= ARGV[8] then return {'other-day', known[3]} end
local day = redis.call('HMGET', KEYS[1], 'spentTokens', 'reservedTokens')
local used = tonumber(day[1] or '0') + tonumber(day[2] or '0')
local limit = tonumber(ARGV[1])
if known[1] then
  return {'granted', known[1], known[2], limit and string.format('%.0f', math.max(0, limit - used)) or ''}
end
local left = string.format('%.0f', math.max(0, (limit or 0) - used))
if known[3] then return {'refused', left} end
local output = tonumber(ARGV[3])
if limit then
  output = math.min(output, limit - used - tonumber(ARGV[2]))
  if output < tonumber(ARGV[4]) then return {'refused', left} end
end
local tokens = string.format('%.0f', tonumber(ARGV[2]) + output)
redis.call('HINCRBY', KEYS[1], 'reservedTokens', tokens)
redis.call('HSET', KEYS[3], 'day', ARGV[8], 'tokens', tokens, 'maxOutputTokens', string.format('%.0f', output), 'state', 'reserved')
redis.call('XADD', KEYS[2], '*', 'kind', 'reserve', 'tokens', tokens, 'generation', ARGV[5], 'at', ARGV[6])
for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ARGV[7]) end
return {'granted', tokens, string.format('%.0f', output), limit and string.format('%.0f', limit - used - tonumber(tokens)) or ''}
`;

/** KEYS day, entries, reservation. ARGV tokens, micro-USD, generation, now, ttl, estimated, day. -> {'booked'}, {'known'} or {'other-day', day} */
const SETTLE = `
local held = redis.call('HMGET', KEYS[3], 'state', 'tokens', 'day')
if held[1] == 'settled' then return {'known'} end
if held[3] and held[3] ~= ARGV[7] then return {'other-day', held[3]} end
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
return {'booked'}
`;

const daySchema = z.object({
  spentTokens: z.coerce.number().int().default(0),
  reservedTokens: z.coerce.number().int().default(0),
  spentMicroUsd: z.coerce.number().int().default(0),
});
const entrySchema = z.object({
  kind: z.enum(['reserve', 'release', 'debit']),
  tokens: z.coerce.number().int(),
  microUsd: z.coerce.number().int().default(0),
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
    return z.array(z.string()).parse(reply);
  };
  // A step after midnight belongs to the day of its reservation. The script says so, which spares every other step
  // a look beforehand, and leaves no moment in which two callers could disagree about the day.
  const runOnItsDay = async (day: string, step: (day: string) => Promise<string[]>): Promise<string[]> => {
    const reply = await step(day);
    return reply[0] === 'other-day' && reply[1] !== undefined ? step(reply[1]) : reply;
  };

  return {
    async reserve(reservation) {
      const { generationId, inputTokens, maxOutputTokens, minOutputTokens } = reservation;
      assertCounts({ inputTokens, maxOutputTokens, minOutputTokens });
      const now = clock();
      const [answer, first, output, remaining] = await runOnItsDay(dayOf(now), (day) =>
        run(RESERVE, keysOf(reservation, day, generationId), [
          ...[dailyTokensPerUser ?? '', inputTokens, maxOutputTokens, minOutputTokens],
          ...[generationId, now, KEEP_MS, day],
        ]),
      );
      if (answer === 'granted') {
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
      assertCounts({ tokens, costMicroUsd });
      const now = clock();
      await runOnItsDay(dayOf(now), (day) =>
        run(SETTLE, keysOf(settlement, day, generationId), [
          ...[tokens, costMicroUsd, generationId, now, KEEP_MS, String(estimated), day],
        ]),
      );
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
      const balance = daySchema.parse({ ...(await redis.hGetAll(dayKey)) });
      const recomputed = { spentTokens: 0, reservedTokens: 0, spentMicroUsd: 0 };
      for (const { message } of (await redis.xRange(entriesKey, '-', '+')) ?? []) {
        const { kind, tokens, microUsd } = entrySchema.parse({ ...message });
        recomputed.spentMicroUsd += microUsd;
        if (kind === 'debit') recomputed.spentTokens += tokens;
        else recomputed.reservedTokens += kind === 'reserve' ? tokens : -tokens;
      }
      const equal =
        balance.spentTokens === recomputed.spentTokens &&
        balance.reservedTokens === recomputed.reservedTokens &&
        balance.spentMicroUsd === recomputed.spentMicroUsd;
      return { balance, recomputed, equal };
    },
  };
}

/** Redis keeps what a script wrote before it failed, so nothing may reach one that it cannot add. */
function assertCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new RangeError(`${name} must be a whole number from 0, but is ${count}`);
    }
  }
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
