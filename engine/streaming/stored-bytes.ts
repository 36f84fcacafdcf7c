/**
 * Counts the bytes of inputs and prompts that each tenant keeps in Redis, which all tenants share and which evicts
 * nothing. Bytes are counted by the hour in which they expire. So a count needs no entry per generation, and bytes
 * that were never subtracted stop counting with their hour.
 */
import { z } from 'zod';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { EventBody } from '../../contracts/events.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { HOUR_MS } from '../../contracts/time.ts';
import { askScript, type ScriptRedis, script } from '../../platform/redis/lua-script.ts';

const MIB = 1024 * 1024;
/** The field of bytes that never expire: the versions of named prompts. */
const PROMPTS_FIELD = 'prompts';

/**
 * Counts bytes if they fit, and drops the hours that are over.
 * KEYS counts. ARGV JSON of {hourNow, limit, field: an hour or the name for prompts, bytes, ttlMs}.
 * -> {1 or 0, bytes of the tenant}
 */
const TAKE = script(`
local args = cjson.decode(ARGV[1])
local total = 0
local counts = redis.call('HGETALL', KEYS[1])
for i = 1, #counts, 2 do
  local hour = tonumber(counts[i])
  if hour and hour < args.hourNow then redis.call('HDEL', KEYS[1], counts[i])
  else total = total + tonumber(counts[i + 1]) end
end
if total + args.bytes > args.limit then return {0, total} end
redis.call('HINCRBY', KEYS[1], args.field, string.format('%.0f', args.bytes))
if redis.call('HEXISTS', KEYS[1], '${PROMPTS_FIELD}') == 0 then
  if redis.call('PTTL', KEYS[1]) < args.ttlMs then redis.call('PEXPIRE', KEYS[1], args.ttlMs) end
else redis.call('PERSIST', KEYS[1]) end
return {1, total + args.bytes}
`);

/**
 * Subtracts bytes, but never more than were counted, and adds them to another hour if one is given.
 * KEYS counts. ARGV JSON of {field, bytes, toField}.
 */
const MOVE = script(`
local args = cjson.decode(ARGV[1])
local counted = tonumber(redis.call('HGET', KEYS[1], args.field) or '0')
local bytes = math.min(counted, args.bytes)
if bytes <= 0 then return 0 end
if bytes == counted then redis.call('HDEL', KEYS[1], args.field)
else redis.call('HINCRBY', KEYS[1], args.field, string.format('%.0f', -bytes)) end
if args.toField then redis.call('HINCRBY', KEYS[1], args.toField, string.format('%.0f', bytes)) end
return 1
`);

const replySchema = z.tuple([z.coerce.number(), z.coerce.number()]);
const endedSchema = z.tuple([z.string(), z.coerce.number(), z.coerce.number(), z.string().nullable()]);

interface TakenBytes {
  readonly field: string;
  readonly bytes: number;
  readonly keptMs: number;
}

/** The bytes counted for one generation; stored in its log. */
export interface CountedInput {
  readonly bytes: number;
  /** Hours since 1970. */
  readonly untilHour: number;
}

export interface StoredBytes {
  /**
   * Counts an input, or a conversation, before it is kept. @throws storage_exceeded
   * @param keptMs absent: as long as an open log.
   */
  takeInput(tenant: string, bytes: number, keptMs?: number): Promise<CountedInput>;
  /** Subtracts an input that is not kept after all. */
  dropInput(tenant: string, counted: CountedInput): Promise<void>;
  /** Counts what is kept for another time than before in the hour in which it expires now. */
  moveInput(tenant: string, counted: CountedInput, untilHour: number): Promise<void>;
  /** Counts the version of a prompt. @throws storage_exceeded */
  takePrompt(tenant: string, bytes: number): Promise<void>;
  dropPrompt(tenant: string, bytes: number): Promise<void>;
  /** Expires the input of an ended generation within an hour, unless the generation can be continued. */
  ended(generationId: string, last: EventBody | undefined): Promise<void>;
}

interface StoredRedis extends ScriptRedis {
  hmGet(key: string, fields: string[]): Promise<(string | null)[]>;
  pExpire(key: string, ms: number): Promise<unknown>;
}

export class RedisStoredBytes implements StoredBytes {
  readonly #redis: StoredRedis;
  readonly #bytesPerTenant: number;
  readonly #retentionMs: number;

  /** @param bytesPerTenant null: no limit. */
  constructor(
    redis: StoredRedis,
    { bytesPerTenant, retentionMs }: { readonly bytesPerTenant: number | null; readonly retentionMs: number },
  ) {
    this.#redis = redis;
    this.#bytesPerTenant = bytesPerTenant ?? Number.MAX_SAFE_INTEGER;
    this.#retentionMs = retentionMs;
  }

  async takeInput(
    tenant: string,
    bytes: number,
    keptMs: number = LIMITS.openLogTtlMs,
  ): Promise<CountedInput> {
    const untilHour = hourOf(Date.now() + keptMs);
    await this.#take(tenant, { field: String(untilHour), bytes, keptMs });
    return { bytes, untilHour };
  }

  async dropInput(tenant: string, { bytes, untilHour }: CountedInput): Promise<void> {
    await this.#move(tenant, { field: String(untilHour), bytes });
  }

  async moveInput(tenant: string, { bytes, untilHour }: CountedInput, toHour: number): Promise<void> {
    if (bytes === 0 || toHour === untilHour) return;
    await this.#move(tenant, { field: String(untilHour), bytes, toField: String(toHour) });
  }

  async takePrompt(tenant: string, bytes: number): Promise<void> {
    await this.#take(tenant, { field: PROMPTS_FIELD, bytes, keptMs: LIMITS.openLogTtlMs });
  }

  async dropPrompt(tenant: string, bytes: number): Promise<void> {
    await this.#move(tenant, { field: PROMPTS_FIELD, bytes });
  }

  async ended(generationId: string, last: EventBody | undefined): Promise<void> {
    const fields = ['tenant', 'inputBytes', 'inputUntilHour', 'origin'];
    const stored = endedSchema.safeParse(await this.#redis.hmGet(REDIS_KEYS.logMeta(generationId), fields));
    // A log of code that counted nothing.
    if (!stored.success) return;
    const [tenant, bytes, untilHour, origin] = stored.data;
    const retentionMs = this.#retentionMs;
    const keptMs = canBeContinued(origin, last) ? retentionMs : Math.min(retentionMs, LIMITS.endedInputMs);
    // Steps after the end, such as storing the answer, still read the input.
    if (keptMs < retentionMs) await this.#redis.pExpire(REDIS_KEYS.logInput(generationId), keptMs);
    const toField = String(hourOf(Date.now() + keptMs));
    await this.#move(tenant, { field: String(untilHour), bytes, toField });
  }

  async #take(tenant: string, { field, bytes, keptMs }: TakenBytes): Promise<void> {
    const limit = this.#bytesPerTenant;
    const ask = { hourNow: hourOf(Date.now()), limit, field, bytes, ttlMs: keptMs + 2 * HOUR_MS };
    const keys = [REDIS_KEYS.storedBytes(tenant)];
    const [granted] = replySchema.parse(await askScript(this.#redis, TAKE, { keys, ask }));
    if (granted === 1) return;
    throw new UnbrokenError(
      'storage_exceeded',
      `The tenant ${tenant} keeps ${Math.floor(limit / MIB)} MiB of inputs, prompts and conversations, which is its limit.`,
    );
  }

  async #move(
    tenant: string,
    ask: { readonly field: string; readonly bytes: number; readonly toField?: string },
  ): Promise<void> {
    await askScript(this.#redis, MOVE, { keys: [REDIS_KEYS.storedBytes(tenant)], ask });
  }
}

/** A length-limited answer needs its input to be continued. A response shows its input, and others can follow it. */
function canBeContinued(origin: string | null, last: EventBody | undefined): boolean {
  if (last?.type === 'generation-end' && last.finishReason === 'length') return true;
  const { format }: { format?: unknown } = JSON.parse(origin ?? '{}');
  return format === 'openai-responses';
}

function hourOf(ms: number): number {
  return Math.floor(ms / HOUR_MS);
}
