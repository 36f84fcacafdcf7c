/** The gate in Redis: one script when a call starts, one when it has ended. */
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { RoomTaken } from '../../contracts/steps.ts';
import type { BreakerSettings, ProviderKey } from '../../platform/config/gate-schema.ts';
import { askScriptForTexts, type ScriptRedis } from '../../platform/redis/lua-script.ts';
import { withTimeout } from '../../platform/with-timeout.ts';
import { drawByWeight } from './draw-by-weight.ts';
import { circuitPart, ENTER, keyStatePart, LEAVE } from './gate-scripts.ts';
import { NOTE_LIMITS } from './note-limits-script.ts';
import type {
  Admission,
  CallResult,
  Departure,
  GateCall,
  GateKey,
  GatePass,
  ProviderGate,
  RoomRefusal,
} from './provider-gate.ts';
import { scarceLimits } from './rate-limit-headers.ts';

interface GateSettings {
  readonly redis: ScriptRedis;
  readonly keys: Readonly<Record<string, readonly ProviderKey[]>>;
  /** The name under which each provider's gate is shared; absent: the provider's own name. */
  readonly scopes: Readonly<Record<string, string>>;
  readonly breaker: BreakerSettings;
  /** A probe of an open circuit counts as lost after this: its first token is late by then. */
  readonly probeMs: number;
  /** Called with the reason when a call proceeds without the gate. */
  readonly onUnreachable: (reason: unknown) => void;
}

/** After a call was seen waiting in line, new arrivals join the line for this time. */
const LINE_MS = 1_500;
/** After this time, a measured speed counts half. */
const HALF_LIFE_MS = 5 * 60_000;
/** How long a refused key is skipped. */
const REFUSED_MS = 5 * 60_000;
/** How long a generation skips a key that has declined it. */
const DECLINED_MS = 60 * 60_000;
/** How long a circuit is kept: by then its measured speed is out of date, and its window is over. */
const CIRCUIT_MS = 60 * 60_000;
/** The extra time to the first token that each input token allows a model. */
const READING_MS_PER_TOKEN = 0.25;

type Arrival = Omit<GateCall, 'tenant'> & { readonly tenant: string | null };

export class RedisGate implements ProviderGate {
  readonly #settings: GateSettings;

  constructor(settings: GateSettings) {
    this.#settings = settings;
  }

  keyCount(provider: string): number {
    return this.#keysOf(provider).length;
  }

  keyOf(provider: string, keyId: string): GateKey | undefined {
    return this.#keysOf(provider).find(({ id }) => id === keyId);
  }

  async enter(call: GateCall): Promise<Admission> {
    const keys = this.#keysOf(call.provider);
    if (keys.length === 0) return { admitted: false, because: 'refused', waitMs: 0 };
    const mode = call.room === undefined ? 'arrive' : 'paid';
    const reply = await orNull(this.#enter(call, mode), this.#settings.onUnreachable);
    if (reply === null) {
      const key = call.affinity === undefined ? randomKey(keys) : keysByAffinity(keys, call.affinity)[0];
      return key === undefined
        ? { admitted: false, because: 'refused', waitMs: 0 }
        : { admitted: true, pass: uncountedPass(key) };
    }
    if (reply.answer === 'admitted') {
      const { key, isProbe } = reply;
      const slot = reply.slot || (call.room?.slot ?? 0);
      return { admitted: true, pass: new RedisGatePass(this.#settings, { call, key, isProbe, slot }) };
    }
    const resting = reply.isResting ? { isResting: true as const } : {};
    return { admitted: false, because: reply.answer, waitMs: reply.waitMs, ...resting };
  }

  async takeRoom(call: Omit<GateCall, 'tenant' | 'isLast' | 'room'>): Promise<RoomTaken | RoomRefusal> {
    const reply = await this.#enter({ ...call, tenant: null, isLast: true }, 'line');
    if (reply.answer === 'admitted') return { keyId: reply.key.id, slot: reply.slot };
    const { answer, waitMs, isResting } = reply;
    if (answer !== 'full') return { because: 'refused', waitMs };
    return { because: isResting ? 'resting' : 'full', waitMs };
  }

  #keysOf(provider: string): readonly ProviderKey[] {
    return this.#settings.keys[provider] ?? [];
  }

  async #enter(call: Arrival, mode: 'arrive' | 'line' | 'paid'): Promise<GateReply> {
    const { redis, probeMs } = this.#settings;
    const keys = this.#keysOf(call.provider);
    const names = redisKeysOf(this.#settings, call);
    const { room } = call;
    const paidKey = keys.findIndex(({ id }) => id === room?.keyId) + 1;
    // While a rolling restart replaces a key, one worker takes room under a key that another worker does not have.
    const ranked = call.affinity === undefined ? [] : keysByAffinity(keys, call.affinity);
    const paidElsewhere = room === undefined || paidKey > 0 ? [] : [names.key({ id: room.keyId })];
    const reply = await askScriptForTexts(redis, ENTER, {
      keys: [names.shared, names.own, names.line, names.declined, ...keys.map(names.key), ...paidElsewhere],
      ask: {
        callId: call.callId,
        tenant: call.tenant ?? '',
        model: call.model,
        mode,
        tokens: call.tokens,
        isLast: call.isLast,
        probeMs,
        lineMs: LINE_MS,
        keys: keys.map((key) => ({
          id: key.id,
          weight: key.weight,
          lot: drawByWeight(`${call.callId} ${key.id}`, key.weight),
          rank: ranked.length === 0 ? undefined : ranked.indexOf(key),
          requests: key.requests ?? 0,
          tokens: key.tokens ?? 0,
          windowMs: key.windowMs,
        })),
        paidKey,
        paidSlot: room?.slot ?? 0,
      },
    });
    return readReply(reply, keys);
  }
}

/** What ENTER answers. */
type GateReply =
  | {
      readonly answer: 'admitted';
      readonly key: ProviderKey;
      readonly isProbe: boolean;
      /** In which room was taken; 0 if it was taken before. */
      readonly slot: number;
    }
  | {
      readonly answer: 'open' | 'full' | 'refused';
      readonly waitMs: number;
      /** Only this model has no room, and other models of the provider have. */
      readonly isResting: boolean;
    };

function readReply(
  [answer, number, detail, slot]: readonly string[],
  keys: readonly ProviderKey[],
): GateReply {
  const key = answer === 'admitted' ? keys[Number(number) - 1] : undefined;
  if (key !== undefined) return { answer: 'admitted', key, isProbe: detail === '1', slot: Number(slot) };
  const isKnown = answer === 'open' || answer === 'full';
  return { answer: isKnown ? answer : 'refused', waitMs: Number(number), isResting: detail === 'rest' };
}

interface Entry {
  readonly call: GateCall;
  readonly key: ProviderKey;
  /** Whether this call probes a model whose circuit was open. */
  readonly isProbe: boolean;
  readonly slot: number;
}

class RedisGatePass implements GatePass {
  readonly #settings: GateSettings;
  readonly #entry: Entry;
  readonly #names: GateRedisKeys;
  #hasLeft = false;

  constructor(settings: GateSettings, entry: Entry) {
    this.#settings = settings;
    this.#entry = entry;
    this.#names = redisKeysOf(settings, entry.call);
  }

  get key(): GateKey {
    return this.#entry.key;
  }

  noteHead(headers: Headers): void {
    const { call, key } = this.#entry;
    const left = scarceLimits(headers, Date.now());
    if (left === null) return;
    const ask = {
      model: call.model,
      requestsLeft: left.requests ?? undefined,
      tokensLeft: left.tokens ?? undefined,
      msPerRequest: left.msPerRequest ?? undefined,
      msPerToken: left.msPerToken ?? undefined,
      // The reset is the time of a full bucket, which refills all the time. A provider with nothing left says so by a
      // refusal, which names the wait.
      resetMs: Math.ceil(Math.min(left.resetMs, LIMITS.retryAfterMs)),
    };
    const keys = [this.#names.key(key)];
    const noted = askScriptForTexts(this.#settings.redis, NOTE_LIMITS, { keys, ask });
    void orNull(noted, this.#settings.onUnreachable);
  }

  noteFirstToken(firstTokenMs: number): void {
    const { call, isProbe } = this.#entry;
    if (!isProbe) return;
    // Its tokens are not known yet, so the reserved number stays.
    void this.#leave({
      verdict: 'answered',
      key: null,
      firstTokenMs,
      tokensPerSecond: null,
      tokens: call.tokens,
    });
  }

  async leave(result: CallResult): Promise<Departure> {
    if (this.#hasLeft) return { circuit: null, restMs: 0 };
    this.#hasLeft = true;
    return this.#leave(result);
  }

  async #leave(result: CallResult): Promise<Departure> {
    const { redis, breaker, onUnreachable } = this.#settings;
    const { shared, own, key, models, declined } = this.#names;
    const left = askScriptForTexts(redis, LEAVE, {
      keys: [shared, own, key(this.#entry.key), models, declined],
      ask: departureFields(result, this.#entry, breaker),
    });
    const reply = await orNull(left, onUnreachable);
    const [change, restMs] = reply ?? [];
    return {
      circuit: change === 'opened' || change === 'closed' ? change : null,
      restMs: reply === null ? (result.key?.restMs ?? 0) : Number(restMs),
    };
  }
}

/** A pass that is counted nowhere, because the gate did not answer. */
function uncountedPass(key: GateKey): GatePass {
  return {
    key,
    noteHead: () => undefined,
    noteFirstToken: () => undefined,
    leave: async (result) => ({ circuit: null, restMs: result.key?.restMs ?? 0 }),
  };
}

/** JSON has no other numbers, and Lua cannot compute with `null`. */
function finite(count: number): number {
  return Number.isFinite(count) ? count : 0;
}

/** The fields of LEAVE. */
function departureFields(
  result: CallResult,
  { call, key, slot }: Entry,
  { slowFirstTokenMs, windowMs, minCalls, badShare, openMs, maxOpenMs }: BreakerSettings,
) {
  const { verdict, firstTokenMs, silentMs, inputTokens = 0 } = result;
  const lateMs = slowFirstTokenMs + finite(inputTokens) * READING_MS_PER_TOKEN;
  const isSlow = verdict === 'answered' && firstTokenMs !== null && firstTokenMs > lateMs;
  return {
    callId: call.callId,
    tenant: call.tenant,
    model: call.model,
    verdict: verdict === null ? '' : verdict === 'failed' ? 'bad' : isSlow ? 'slow' : 'ok',
    // A call that was given up while the model may still have read a long input says nothing to other tenants.
    isShared: silentMs === undefined || silentMs >= lateMs,
    key: result.key?.verdict ?? 'ok',
    keyId: key.id,
    status: result.key?.status ?? 0,
    restMs: Math.ceil(result.key?.restMs ?? 0),
    slot,
    extraTokens: slot === 0 ? 0 : Math.round(finite(result.tokens ?? 0) - call.tokens),
    firstTokenMs: Math.round(firstTokenMs ?? 0),
    usualFirstTokenMs: Math.round((firstTokenMs ?? 0) * (slowFirstTokenMs / lateMs)),
    tokensPerSecond: finite(result.tokensPerSecond ?? 0),
    windowMs,
    minCalls,
    badShare,
    openMs,
    maxOpenMs,
    halfLifeMs: HALF_LIFE_MS,
    refusedMs: REFUSED_MS,
    declinedMs: DECLINED_MS,
    circuitMs: Math.max(CIRCUIT_MS, 4 * windowMs, 4 * maxOpenMs),
  };
}

/**
 * Weighted rendezvous hashing: every worker computes the same order, conversations spread over the keys by weight, and
 * a key that is added or removed moves only the conversations that it gets or had.
 */
function keysByAffinity(keys: readonly ProviderKey[], affinity: string): readonly ProviderKey[] {
  const scored = keys.map((key) => ({ key, score: drawByWeight(`${affinity} ${key.id}`, key.weight) }));
  return scored.sort((a, b) => b.score - a.score).map(({ key }) => key);
}

/** A key by its weight. */
function randomKey(keys: readonly ProviderKey[]): ProviderKey | undefined {
  let left = Math.random() * keys.reduce((sum, { weight }) => sum + weight, 0);
  return keys.find(({ weight }) => {
    left -= weight;
    return left < 0;
  });
}

interface GateRedisKeys {
  readonly line: string;
  /** The models that the tenant has called. */
  readonly models: string;
  /** The model's circuit that all tenants share. */
  readonly shared: string;
  /** The model's circuit of the tenant. */
  readonly own: string;
  readonly declined: string;
  key(key: { readonly id: string }): string;
}

function redisKeysOf(
  { scopes }: GateSettings,
  { provider, model, generationId, tenant }: Pick<Arrival, 'provider' | 'model' | 'generationId' | 'tenant'>,
): GateRedisKeys {
  const scope = scopes[provider] ?? provider;
  return {
    line: REDIS_KEYS.gate(scope, 'line'),
    shared: REDIS_KEYS.gate(scope, circuitPart(model)),
    own: REDIS_KEYS.gateOfTenant(scope, tenant ?? '', circuitPart(model)),
    models: REDIS_KEYS.gateOfTenant(scope, tenant ?? '', 'models'),
    declined: REDIS_KEYS.gate(scope, `declined:${generationId}`),
    key: ({ id }) => REDIS_KEYS.gate(scope, keyStatePart(id)),
  };
}

/** @returns null if Redis does not answer in time or fails: then calls proceed without the gate. */
async function orNull<Reply>(
  reply: Promise<Reply>,
  onUnreachable: (reason: unknown) => void,
): Promise<Reply | null> {
  try {
    return await withTimeout('The gate', LIMITS.gateMs, reply);
  } catch (error) {
    onUnreachable(error);
    return null;
  }
}
