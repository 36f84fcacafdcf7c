/** The gate in Redis: one script when a call begins, one when it has ended. */
import { z } from 'zod';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { BreakerSettings, ProviderKey } from '../../platform/config/gate-schema.ts';
import { runScript, type ScriptRedis } from '../../platform/redis/lua-script.ts';
import { ENTER, LEAVE, NOTE_LIMITS } from './gate-scripts.ts';
import type {
  Admission,
  CallResult,
  Departure,
  GateCall,
  GateKey,
  GatePass,
  ProviderGate,
} from './provider-gate.ts';
import { scarceLimits } from './rate-limit-headers.ts';

export interface GateSettings {
  readonly redis: ScriptRedis;
  readonly keys: Readonly<Record<string, readonly ProviderKey[]>>;
  /** Under which name each provider's gate is shared; its own where it is not named. */
  readonly scopes: Readonly<Record<string, string>>;
  readonly breaker: BreakerSettings;
  /** A call that tries an open circuit is given up after this: its first token is then surely late. */
  readonly probeMs: number;
  /** Hears why the gate was passed by. */
  readonly onAway: (reason: unknown) => void;
}

/** Newcomers go to the end of the line for so long after somebody was seen in it. */
export const LINE_MS = 1_500;
/** Half of what was learned of a model's speed is forgotten after this. */
const HALF_LIFE_MS = 5 * 60_000;
/** A key that was rejected is tried again after this. */
const ASIDE_MS = 5 * 60_000;
/** How long a generation skips a key that has declined it. */
const DECLINED_MS = 60 * 60_000;
/** How long a circuit is kept: by then its speed is forgotten, and its window long past. */
const CIRCUIT_MS = 60 * 60_000;
/** A model may take so much longer to its first token for each token that it must read. */
const READING_MS_PER_TOKEN = 0.25;
const replySchema = z.array(z.coerce.string());

interface Entry {
  readonly call: GateCall;
  readonly key: ProviderKey;
  readonly isProbe: boolean;
  readonly slot: number;
}

export function createRedisGate(settings: GateSettings): ProviderGate {
  const { redis } = settings;
  const keysOf = (provider: string): readonly ProviderKey[] => settings.keys[provider] ?? [];

  const enter = async (
    call: Omit<GateCall, 'tenant'> & { readonly tenant: string | null },
    mode: 'arrive' | 'line' | 'paid',
  ): Promise<string[]> => {
    const keys = keysOf(call.provider);
    const names = keysIn(settings, call);
    const paid = keys.findIndex(({ id }) => id === call.room?.keyId) + 1;
    // While a rolling restart replaces a key, one worker takes room under a key that another does not have.
    const foreign = call.room === undefined || paid > 0 ? [] : [names.key({ id: call.room.keyId })];
    const options = {
      mode,
      paid,
      slot: call.room?.slot ?? 0,
      tokens: call.tokens,
      isLast: call.isLast,
      probeMs: settings.probeMs,
      lineMs: LINE_MS,
      keys: keys.map(({ id, weight, requests, tokens, windowMs }) => ({
        id,
        weight,
        requests: requests ?? 0,
        tokens: tokens ?? 0,
        windowMs,
      })),
    };
    return run(
      redis,
      ENTER,
      [names.model, names.own, names.line, names.declined, ...keys.map(names.key), ...foreign],
      [call.callId, call.tenant ?? '', call.model, JSON.stringify(options)],
    );
  };

  return {
    keyCount: (provider) => keysOf(provider).length,
    keyOf: (provider, keyId) => keysOf(provider).find(({ id }) => id === keyId),

    async enter(call): Promise<Admission> {
      const keys = keysOf(call.provider);
      if (keys.length === 0) return { admitted: false, because: 'refused', waitMs: 0 };
      const mode = call.room === undefined ? 'arrive' : 'paid';
      const reply = await inTime(enter(call, mode), settings.onAway);
      if (reply === null) {
        const key = anyOf(keys);
        return key === undefined
          ? { admitted: false, because: 'refused', waitMs: 0 }
          : { admitted: true, pass: openPass(key) };
      }
      const [answer, first, third, slot] = reply;
      const key = answer === 'admitted' ? keys[Number(first) - 1] : undefined;
      if (key !== undefined) {
        const entry = { call, key, isProbe: third === '1', slot: Number(slot) || (call.room?.slot ?? 0) };
        return { admitted: true, pass: createPass(settings, entry) };
      }
      const because = answer === 'open' || answer === 'full' ? answer : 'refused';
      const resting = third === 'rest' ? { isResting: true as const } : {};
      return { admitted: false, because, waitMs: Number(first), ...resting };
    },

    async takeRoom(call) {
      const [answer, first, third, slot] = await enter({ ...call, tenant: null, isLast: true }, 'line');
      const key = answer === 'admitted' ? keysOf(call.provider)[Number(first) - 1] : undefined;
      if (key !== undefined) return { keyId: key.id, slot: Number(slot) };
      if (answer !== 'full') return { because: 'refused', waitMs: Number(first) };
      return { because: third === 'rest' ? 'resting' : 'full', waitMs: Number(first) };
    },
  };
}

function createPass(settings: GateSettings, { call, key, isProbe, slot }: Entry): GatePass {
  const { redis, breaker, onAway } = settings;
  const names = keysIn(settings, call);
  let hasLeft = false;
  const leave = async (result: CallResult): Promise<Departure> => {
    const touched = [names.model, names.own, names.key(key), names.models, names.declined];
    const options = JSON.stringify(leaving(result, { call, key, slot }, breaker));
    const reply = await inTime(
      run(redis, LEAVE, touched, [call.callId, call.tenant, call.model, options]),
      onAway,
    );
    const [change, restMs] = reply ?? [];
    return {
      circuit: change === 'opened' || change === 'closed' ? change : null,
      restMs: reply === null ? (result.key?.restMs ?? 0) : Number(restMs),
    };
  };
  return {
    key,
    isProbe,
    noteHead(headers) {
      const left = scarceLimits(headers, Date.now());
      if (left === null) return;
      // The time of a reset is that of a full bucket, and it fills all the time: a provider that has really nothing
      // left says so by a refusal, with the wait that it wants.
      const { requests, tokens, resetMs } = left;
      void inTime(
        run(
          redis,
          NOTE_LIMITS,
          [names.key(key)],
          [call.model, requests ?? -1, tokens ?? -1, Math.ceil(Math.min(resetMs, LIMITS.retryAfterMs))],
        ),
        onAway,
      );
    },
    noteFirstToken(firstTokenMs) {
      if (!isProbe) return;
      // Its tokens are not known yet, so they stay as they were entered.
      const tokens = call.tokens;
      void leave({ verdict: 'answered', key: null, firstTokenMs, tokensPerSecond: null, tokens });
    },
    async leave(result) {
      if (hasLeft) return { circuit: null, restMs: 0 };
      hasLeft = true;
      return leave(result);
    },
  };
}

/** A pass that nobody counts: the gate did not answer. */
function openPass(key: GateKey): GatePass {
  return {
    key,
    isProbe: false,
    noteHead: () => undefined,
    noteFirstToken: () => undefined,
    leave: async (result) => ({ circuit: null, restMs: result.key?.restMs ?? 0 }),
  };
}

/** JSON has no other number, and a script cannot reckon with `null`. */
function finite(count: number): number {
  return Number.isFinite(count) ? count : 0;
}

/** What a call leaves behind, as the script reads it. */
function leaving(
  result: CallResult,
  { call, key, slot }: Pick<Entry, 'call' | 'key' | 'slot'>,
  { slowFirstTokenMs, windowMs, minCalls, badShare, openMs, maxOpenMs }: BreakerSettings,
) {
  const { verdict, firstTokenMs, silentMs, inputTokens = 0 } = result;
  const lateMs = slowFirstTokenMs + finite(inputTokens) * READING_MS_PER_TOKEN;
  const isSlow = verdict === 'answered' && firstTokenMs !== null && firstTokenMs > lateMs;
  return {
    verdict: verdict === null ? '' : verdict === 'failed' ? 'bad' : isSlow ? 'slow' : 'ok',
    // A model that was given up while it may still have read a long input is not ill for others.
    isShared: silentMs === undefined || silentMs >= lateMs,
    key: result.key?.verdict ?? 'ok',
    keyId: key.id,
    status: result.key?.status ?? 0,
    restMs: Math.ceil(result.key?.restMs ?? 0),
    slot,
    extra: slot === 0 ? 0 : Math.round(finite(result.tokens ?? 0) - call.tokens),
    firstTokenMs: Math.round(firstTokenMs ?? 0),
    usualFirstTokenMs: Math.round((firstTokenMs ?? 0) * (slowFirstTokenMs / lateMs)),
    tokensPerSecond: finite(result.tokensPerSecond ?? 0),
    windowMs,
    minCalls,
    badShare,
    openMs,
    maxOpenMs,
    halfLifeMs: HALF_LIFE_MS,
    asideMs: ASIDE_MS,
    declinedMs: DECLINED_MS,
    circuitMs: Math.max(CIRCUIT_MS, 4 * windowMs, 4 * maxOpenMs),
  };
}

function anyOf(keys: readonly ProviderKey[]): ProviderKey | undefined {
  let left = Math.random() * keys.reduce((sum, { weight }) => sum + weight, 0);
  return keys.find(({ weight }) => {
    left -= weight;
    return left < 0;
  });
}

interface GateKeys {
  readonly line: string;
  /** The models that the tenant has asked. */
  readonly models: string;
  /** The circuit of the model for all, and that of the tenant. */
  readonly model: string;
  readonly own: string;
  readonly declined: string;
  key(key: { readonly id: string }): string;
}

function keysIn(
  { scopes }: GateSettings,
  call: Pick<GateCall, 'provider' | 'model' | 'generationId'> & { readonly tenant: string | null },
): GateKeys {
  const name = (part: string) => REDIS_KEYS.gate(scopes[call.provider] ?? call.provider, part);
  return {
    line: name('line'),
    model: name(`model:${call.model}`),
    models: REDIS_KEYS.gateOfTenant(scopes[call.provider] ?? call.provider, call.tenant ?? '', 'models'),
    own: REDIS_KEYS.gateOfTenant(
      scopes[call.provider] ?? call.provider,
      call.tenant ?? '',
      `model:${call.model}`,
    ),
    declined: name(`declined:${call.generationId}`),
    key: ({ id }) => name(`key:${id}`),
  };
}

async function run(...call: Parameters<typeof runScript>): Promise<string[]> {
  return replySchema.parse(await runScript(...call));
}

/** @returns null where Redis does not answer in time or fails: the calls go on without it. */
function inTime<Reply>(asked: Promise<Reply>, onAway: (reason: unknown) => void): Promise<Reply | null> {
  return new Promise((resolve) => {
    let isOver = false;
    const passBy = (reason: unknown) => {
      clearTimeout(timer);
      if (!isOver) onAway(reason);
      isOver = true;
      resolve(null);
    };
    // In a busy process the timer may come before a reply that is there already: that one is heard first.
    const late = () => setImmediate(passBy, new Error(`No answer within ${LIMITS.gateMs} ms.`));
    const timer = setTimeout(late, LIMITS.gateMs);
    asked.then((reply) => {
      clearTimeout(timer);
      isOver = true;
      resolve(reply);
    }, passBy);
  });
}
