/** What the gate knows, read for people and for the choice of a route. The states are those of gate-scripts.ts. */
import { z } from 'zod';
import type { BreakerSettings, ProviderKey } from '../config/gate-schema.ts';
import { REDIS_KEYS } from '../contracts/names.ts';
import type { CircuitState } from '../contracts/routing.ts';
import type { GateReader, KeyReport, ModelReport } from './provider-gate.ts';

export interface GateReaderRedis {
  sMembers(key: string): Promise<string[]>;
  mGet(keys: string[]): Promise<(string | null)[]>;
}

const SLOTS = 12;
/** Lua writes an empty list as `{}`. */
const rows = z
  .union([z.array(z.array(z.number())), z.object({}).transform((): number[][] => [])])
  .default([]);
const pair = z.tuple([z.number(), z.number()]).optional();
const modelSchema = z.object({
  s: z.enum(['c', 'o', 'h']).default('c'),
  u: z.number().optional(),
  p: z.number().optional(),
  at: z.number().optional(),
  why: z.enum(['errors', 'slow']).optional(),
  w: rows,
  f: pair,
  r: pair,
  d: z.number().optional(),
});
const keySchema = z.object({
  w: rows,
  aside: z.number().optional(),
  code: z.number().optional(),
  m: z
    .record(
      z.string(),
      z.object({ rest: z.number().optional(), lr: z.number().optional(), lu: z.number().optional() }),
    )
    .default({}),
});
const CIRCUITS: Readonly<Record<'c' | 'o' | 'h', CircuitState>> = { c: 'closed', o: 'open', h: 'half-open' };

export function createRedisGateReader(settings: {
  readonly redis: GateReaderRedis;
  readonly keys: Readonly<Record<string, readonly ProviderKey[]>>;
  readonly scopes: Readonly<Record<string, string>>;
  readonly breaker: BreakerSettings;
  readonly clock?: () => number;
}): GateReader {
  const { redis, breaker, clock = Date.now } = settings;
  return {
    async report(provider) {
      const gate = (part: string) => REDIS_KEYS.gate(settings.scopes[provider] ?? provider, part);
      const keys = settings.keys[provider] ?? [];
      const models = (await redis.sMembers(gate('models'))).sort();
      const names = [
        ...models.map((model) => gate(`model:${model}`)),
        ...keys.map(({ id }) => gate(`key:${id}`)),
      ];
      const stored = names.length === 0 ? [] : await redis.mGet(names);
      const nowMs = clock();
      const reports = keys.map((key, index) => keyReport(key, stored[models.length + index], nowMs));
      const hasKey = reports.some(({ state }) => state !== 'refused');
      return {
        provider,
        keys: reports,
        models: models.map((model, index) => modelReport(model, stored[index], breaker, hasKey, nowMs)),
      };
    },
  };
}

function modelReport(
  model: string,
  stored: string | null | undefined,
  breaker: BreakerSettings,
  hasKey: boolean,
  nowMs: number,
): ModelReport {
  const state = modelSchema.parse(JSON.parse(stored ?? '{}'));
  const oldest = Math.floor(nowMs / (breaker.windowMs / SLOTS)) - SLOTS;
  const recent = state.w.filter(([slot]) => (slot ?? 0) >= oldest);
  return {
    model,
    circuit: CIRCUITS[state.s],
    because: state.s === 'c' ? null : (state.why ?? 'errors'),
    sinceMs: state.at ?? null,
    retryAtMs: state.s === 'c' ? null : ((state.s === 'o' ? state.u : state.p) ?? null),
    calls: sumOf(recent, 1),
    badCalls: sumOf(recent, 2),
    firstTokenMs: meanOf(state.f),
    tokensPerSecond: meanOf(state.r),
    hasKey,
  };
}

function keyReport(key: ProviderKey, stored: string | null | undefined, nowMs: number): KeyReport {
  const state = keySchema.parse(JSON.parse(stored ?? '{}'));
  const oldest = Math.floor(nowMs / (key.windowMs / SLOTS)) - SLOTS;
  const recent = state.w.filter(([slot]) => (slot ?? 0) >= oldest);
  const isRefused = (state.aside ?? 0) > nowMs;
  const rests = Object.values(state.m).map(({ rest, lr, lu }) =>
    Math.max(rest ?? 0, (lr ?? 1) < 1 ? (lu ?? 0) : 0),
  );
  const restsUntil = Math.max(0, ...rests);
  const isResting = restsUntil > nowMs;
  return {
    id: key.id,
    state: isRefused ? 'refused' : isResting ? 'resting' : 'ready',
    untilMs: isRefused ? (state.aside ?? null) : isResting ? Math.round(restsUntil) : null,
    refusedBy: isRefused ? (state.code ?? null) : null,
    usedRequests: sumOf(recent, 1),
    usedTokens: sumOf(recent, 2),
    ...{ limitRequests: key.requests, limitTokens: key.tokens, windowMs: key.windowMs },
  };
}

function sumOf(list: readonly (readonly number[])[], column: number): number {
  return list.reduce((sum, row) => sum + (row[column] ?? 0), 0);
}

/** A mean whose weight has decayed to nothing says nothing. */
function meanOf(decayed: readonly [number, number] | undefined): number | null {
  if (decayed === undefined || decayed[1] < 0.05) return null;
  return Math.round((decayed[0] / decayed[1]) * 10) / 10;
}
