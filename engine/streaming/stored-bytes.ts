/**
 * How many bytes of inputs and prompts each tenant keeps in Redis, which all tenants share and which never makes room by
 * itself. Bytes are counted by the hour in which they go, so a count needs no entry for each generation, and what nobody
 * took off is forgotten with its hour.
 */
import { z } from 'zod';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { EventBody } from '../../contracts/events.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { runScript, type ScriptRedis, script } from '../../platform/redis/lua-script.ts';

const HOUR_MS = 3_600_000;
const MIB = 1024 * 1024;
/** What has no end: the versions of named prompts. */
const FOR_GOOD = 'prompts';

/** KEYS counts. ARGV hour now, limit, hour or name, bytes, ttlMs. -> {1 or 0, bytes of the tenant} */
const TAKE = script(`
local total = 0
local counts = redis.call('HGETALL', KEYS[1])
for i = 1, #counts, 2 do
  local hour = tonumber(counts[i])
  if hour and hour < tonumber(ARGV[1]) then redis.call('HDEL', KEYS[1], counts[i])
  else total = total + tonumber(counts[i + 1]) end
end
if total + tonumber(ARGV[4]) > tonumber(ARGV[2]) then return {0, total} end
redis.call('HINCRBY', KEYS[1], ARGV[3], ARGV[4])
if redis.call('HEXISTS', KEYS[1], '${FOR_GOOD}') == 0 then redis.call('PEXPIRE', KEYS[1], ARGV[5])
else redis.call('PERSIST', KEYS[1]) end
return {1, total + tonumber(ARGV[4])}
`);

/** KEYS counts. ARGV hour or name, bytes, then the hour to which they move, if any. Never takes more than is there. */
const MOVE = script(`
local there = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
local bytes = math.min(there, tonumber(ARGV[2]))
if bytes <= 0 then return 0 end
if bytes == there then redis.call('HDEL', KEYS[1], ARGV[1])
else redis.call('HINCRBY', KEYS[1], ARGV[1], string.format('%.0f', -bytes)) end
if ARGV[3] then redis.call('HINCRBY', KEYS[1], ARGV[3], string.format('%.0f', bytes)) end
return 1
`);

const replySchema = z.tuple([z.coerce.number(), z.coerce.number()]);
const endedSchema = z.tuple([z.string(), z.coerce.number(), z.coerce.number(), z.string().nullable()]);

/** What was counted for one generation; kept with its log. */
export interface CountedInput {
  readonly bytes: number;
  /** Hours since 1970. */
  readonly untilHour: number;
}

export interface StoredBytes {
  /** Counts an input before it is kept. @throws storage_exceeded */
  takeInput(tenant: string, bytes: number): Promise<CountedInput>;
  /** For an input that is not kept after all. */
  dropInput(tenant: string, counted: CountedInput): Promise<void>;
  /** Counts the version of a prompt. @throws storage_exceeded */
  takePrompt(tenant: string, bytes: number): Promise<void>;
  dropPrompt(tenant: string, bytes: number): Promise<void>;
  /** Lets the input of an ended generation go within an hour, unless something can still continue it. */
  ended(generationId: string, last: EventBody | undefined): Promise<void>;
}

export interface StoredRedis extends ScriptRedis {
  hmGet(key: string, fields: string[]): Promise<(string | null)[]>;
  pExpire(key: string, ms: number): Promise<unknown>;
}

export function createStoredBytes(
  redis: StoredRedis,
  { bytesPerTenant, retentionMs }: { readonly bytesPerTenant: number | null; readonly retentionMs: number },
): StoredBytes {
  const take = async (tenant: string, field: string, bytes: number): Promise<void> => {
    const limit = bytesPerTenant ?? Number.MAX_SAFE_INTEGER;
    const args = [hourOf(Date.now()), limit, field, bytes, LIMITS.openLogTtlMs + 2 * HOUR_MS];
    const [granted] = replySchema.parse(await runScript(redis, TAKE, [REDIS_KEYS.storedBytes(tenant)], args));
    if (granted === 1) return;
    throw new UnbrokenError(
      'storage_exceeded',
      `The tenant ${tenant} keeps ${Math.floor(limit / MIB)} MiB of inputs and prompts, which is its limit.`,
    );
  };
  const move = async (tenant: string, from: string, bytes: number, to?: number): Promise<void> => {
    const args = to === undefined ? [from, bytes] : [from, bytes, to];
    await runScript(redis, MOVE, [REDIS_KEYS.storedBytes(tenant)], args);
  };
  return {
    async takeInput(tenant, bytes) {
      const untilHour = hourOf(Date.now() + LIMITS.openLogTtlMs);
      await take(tenant, String(untilHour), bytes);
      return { bytes, untilHour };
    },
    dropInput: (tenant, { bytes, untilHour }) => move(tenant, String(untilHour), bytes),
    takePrompt: (tenant, bytes) => take(tenant, FOR_GOOD, bytes),
    dropPrompt: (tenant, bytes) => move(tenant, FOR_GOOD, bytes),
    async ended(generationId, last) {
      const fields = ['tenant', 'inputBytes', 'inputUntilHour', 'origin'];
      const stored = endedSchema.safeParse(await redis.hmGet(REDIS_KEYS.logMeta(generationId), fields));
      // A log of code that counted nothing.
      if (!stored.success) return;
      const [tenant, bytes, untilHour, origin] = stored.data;
      const keptMs = canBeContinued(origin, last) ? retentionMs : Math.min(retentionMs, LIMITS.endedInputMs);
      // What follows the end, such as storing the answer, still reads the input.
      if (keptMs < retentionMs) await redis.pExpire(REDIS_KEYS.logInput(generationId), keptMs);
      await move(tenant, String(untilHour), bytes, hourOf(Date.now() + keptMs));
    },
  };
}

/** A length-limited answer needs its input to be continued; a response shows its input and can be chained from. */
function canBeContinued(origin: string | null, last: EventBody | undefined): boolean {
  if (last?.type === 'generation-end' && last.finishReason === 'length') return true;
  const { format }: { format?: unknown } = JSON.parse(origin ?? '{}');
  return format === 'openai-responses';
}

function hourOf(ms: number): number {
  return Math.floor(ms / HOUR_MS);
}
