/** What the gate knows, read for people and for the choice of a route. The states are those of gate-scripts.ts. */
import { z } from 'zod';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { CircuitState } from '../../contracts/routing.ts';
import type { BreakerSettings, ProviderKey } from '../../platform/config/gate-schema.ts';
import { WINDOW_SLOTS } from './gate-scripts.ts';
import type { GateReader, KeyReport, ModelReport } from './provider-gate.ts';

export interface GateReaderRedis {
  zRange(key: string, from: number, to: number): Promise<string[]>;
  mGet(keys: string[]): Promise<(string | null)[]>;
}

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
  /** The models of the config's routes by provider: they are everybody's to see. Absent: none. */
  readonly routed?: Readonly<Record<string, readonly string[]>>;
  readonly clock?: () => number;
}): GateReader {
  const { redis, breaker, clock = Date.now } = settings;
  return {
    async report(provider, tenant = '') {
      const scope = settings.scopes[provider] ?? provider;
      const keys = settings.keys[provider] ?? [];
      const asked = await redis.zRange(REDIS_KEYS.gateOfTenant(scope, tenant, 'models'), 0, -1);
      const models = [...new Set([...asked, ...(settings.routed?.[provider] ?? [])])].sort();
      const names = [
        ...models.map((model) => REDIS_KEYS.gate(scope, `model:${model}`)),
        ...models.map((model) => REDIS_KEYS.gateOfTenant(scope, tenant, `model:${model}`)),
        ...keys.map(({ id }) => REDIS_KEYS.gate(scope, `key:${id}`)),
      ];
      const stored = names.length === 0 ? [] : await redis.mGet(names);
      const nowMs = clock();
      const reports = keys.map((key, index) => keyReport(key, stored[2 * models.length + index], nowMs));
      const hasKey = reports.some(({ state }) => state !== 'refused');
      return {
        provider,
        keys: reports,
        models: models.flatMap((model, index) => {
          const shared = stored[index] ?? null;
          const own = stored[models.length + index] ?? null;
          if (shared === null && own === null) return [];
          return [modelReport({ model, shared, own, hasKey }, breaker, nowMs)];
        }),
      };
    },
  };
}

interface StoredModel {
  readonly model: string;
  readonly shared: string | null;
  readonly own: string | null;
  readonly hasKey: boolean;
}

/** The circuit that keeps the tenant out, its own or that for all; the speed as the tenant has seen it, else as all have. */
function modelReport(
  { model, shared, own, hasKey }: StoredModel,
  breaker: BreakerSettings,
  nowMs: number,
): ModelReport {
  const ofAll = modelSchema.parse(JSON.parse(shared ?? '{}'));
  const ofTenant = modelSchema.parse(JSON.parse(own ?? '{}'));
  const state = ofAll.s === 'c' ? ofTenant : ofAll;
  const oldest = Math.floor(nowMs / (breaker.windowMs / WINDOW_SLOTS)) - WINDOW_SLOTS;
  const recent = ofTenant.w.filter(([slot]) => (slot ?? 0) >= oldest);
  return {
    model,
    circuit: CIRCUITS[state.s],
    because: state.s === 'c' ? null : (state.why ?? 'errors'),
    sinceMs: state.at ?? null,
    retryAtMs: state.s === 'c' ? null : ((state.s === 'o' ? state.u : state.p) ?? null),
    calls: sumOf(recent, 1),
    badCalls: sumOf(recent, 2),
    firstTokenMs: meanOf(ofTenant.f) ?? meanOf(ofAll.f),
    tokensPerSecond: meanOf(ofTenant.r) ?? meanOf(ofAll.r),
    hasKey,
  };
}

function keyReport(key: ProviderKey, stored: string | null | undefined, nowMs: number): KeyReport {
  const state = keySchema.parse(JSON.parse(stored ?? '{}'));
  const oldest = Math.floor(nowMs / (key.windowMs / WINDOW_SLOTS)) - WINDOW_SLOTS;
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
    limitRequests: key.requests,
    limitTokens: key.tokens,
    windowMs: key.windowMs,
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
