/** The gate in Redis: one script when a call begins, one when it has ended. */
import { z } from 'zod';
import type { BreakerSettings, ProviderKey } from '../config/gate-schema.ts';
import type { Candidate } from '../contracts/generation.ts';
import { LIMITS } from '../contracts/limits.ts';
import { REDIS_KEYS } from '../contracts/names.ts';
import { runScript, type ScriptRedis } from '../lua/script.ts';
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
/** A key that was refused is tried again after this: some refusals are of a model or a moment, not of the key. */
const ASIDE_MS = 5 * 60_000;
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

  const enter = async (call: GateCall, mode: 'arrive' | 'line' | 'paid'): Promise<string[]> => {
    const keys = keysOf(call.provider);
    const names = keysIn(settings, call);
    const paid = mode === 'paid' ? keys.findIndex(({ id }) => id === call.room?.keyId) + 1 : 0;
    return run(
      redis,
      ENTER,
      [names.model, names.line, ...keys.map(names.key)],
      [
        ...[call.callId, paid > 0 || mode !== 'paid' ? mode : 'arrive', call.model, call.tokens],
        ...[call.isLast ? '1' : '', settings.probeMs, LINE_MS, paid],
        ...keys.flatMap(({ weight, requests, tokens, windowMs }) => [
          weight,
          requests ?? 0,
          tokens ?? 0,
          windowMs,
        ]),
      ],
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
      const [answer, first, probe, slot] = reply;
      const key = answer === 'admitted' ? keys[Number(first) - 1] : undefined;
      if (key !== undefined) {
        const entry = { call, key, isProbe: probe === '1', slot: Number(slot) || (call.room?.slot ?? 0) };
        return { admitted: true, pass: createPass(settings, entry) };
      }
      const because = answer === 'open' || answer === 'full' ? answer : 'refused';
      return { admitted: false, because, waitMs: Number(first) };
    },

    async takeRoom(call) {
      const [answer, first, third, slot] = await enter(call, 'line');
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
    const reply = await inTime(
      run(
        redis,
        LEAVE,
        [names.model, names.key(key), names.models],
        [
          ...[call.callId, call.model, verdictOf(result, breaker), result.key?.verdict ?? 'ok'],
          ...[result.key?.status ?? 0, Math.ceil(result.key?.restMs ?? 0), slot],
          ...[slot === 0 ? 0 : Math.round((result.tokens ?? 0) - call.tokens)],
          ...[Math.round(result.firstTokenMs ?? 0), result.tokensPerSecond ?? 0],
          ...[breaker.windowMs, breaker.minCalls, breaker.badShare, breaker.openMs, breaker.maxOpenMs],
          ...[HALF_LIFE_MS, ASIDE_MS],
        ],
      ),
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
      const { requests, tokens, resetMs } = left;
      void inTime(
        run(
          redis,
          NOTE_LIMITS,
          [names.key(key)],
          [call.model, requests ?? -1, tokens ?? -1, Math.ceil(resetMs)],
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

function verdictOf({ verdict, firstTokenMs }: CallResult, { slowFirstTokenMs }: BreakerSettings): string {
  if (verdict === null) return '';
  if (verdict === 'failed') return 'bad';
  return firstTokenMs !== null && firstTokenMs > slowFirstTokenMs ? 'slow' : 'ok';
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
  readonly models: string;
  readonly model: string;
  key(key: { readonly id: string }): string;
}

function keysIn({ scopes }: GateSettings, { provider, model }: Candidate): GateKeys {
  const name = (part: string) => REDIS_KEYS.gate(scopes[provider] ?? provider, part);
  return {
    line: name('line'),
    models: name('models'),
    model: name(`model:${model}`),
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
