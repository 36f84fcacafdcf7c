/** Reads what the gate knows, for people and for the choice of a route. gate-scripts.ts describes the states. */
import { z } from 'zod';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { BreakerSettings, ProviderKey } from '../../platform/config/gate-schema.ts';
import { circuitPart, keyStatePart, WINDOW_SLOTS } from './gate-scripts.ts';
import type { GateReader, KeyReport, ModelReport, ProviderReport } from './provider-gate.ts';

interface GateReaderSettings {
  /** What the reader needs of a node-redis client. */
  readonly redis: {
    zRange(key: string, from: number, to: number): Promise<string[]>;
    mGet(keys: string[]): Promise<(string | null)[]>;
  };
  readonly keys: Readonly<Record<string, readonly ProviderKey[]>>;
  readonly scopes: Readonly<Record<string, string>>;
  readonly breaker: BreakerSettings;
  /** The models of the config's routes by provider, which every tenant may see. Absent: none. */
  readonly routed?: Readonly<Record<string, readonly string[]>>;
  readonly clock?: () => number;
}

/** Lua writes an empty list as `{}`. */
const rowsSchema = z
  .union([z.array(z.array(z.number())), z.object({}).transform((): number[][] => [])])
  .default([]);
const meanSchema = z.tuple([z.number(), z.number()]).optional();
const circuitSchema = z.object({
  state: z.enum(['closed', 'open', 'half-open']).default('closed'),
  since: z.number().optional(),
  openUntil: z.number().optional(),
  probeUntil: z.number().optional(),
  cause: z.enum(['errors', 'slow']).optional(),
  calls: rowsSchema,
  firstToken: meanSchema,
  pace: meanSchema,
});
const keyStateSchema = z.object({
  window: rowsSchema,
  refusedUntil: z.number().optional(),
  refusedBy: z.number().optional(),
  models: z
    .record(
      z.string(),
      z.object({
        restUntil: z.number().optional(),
        requestsLeft: z.number().optional(),
        leftUntil: z.number().optional(),
      }),
    )
    .default({}),
});

export class RedisGateReader implements GateReader {
  readonly #settings: GateReaderSettings;

  constructor(settings: GateReaderSettings) {
    this.#settings = settings;
  }

  async report(provider: string, tenant = ''): Promise<ProviderReport> {
    const { redis, breaker, clock = Date.now } = this.#settings;
    const scope = this.#settings.scopes[provider] ?? provider;
    const keys = this.#settings.keys[provider] ?? [];
    const called = await redis.zRange(REDIS_KEYS.gateOfTenant(scope, tenant, 'models'), 0, -1);
    const models = [...new Set([...called, ...(this.#settings.routed?.[provider] ?? [])])].sort();
    const names = [
      ...models.map((model) => REDIS_KEYS.gate(scope, circuitPart(model))),
      ...models.map((model) => REDIS_KEYS.gateOfTenant(scope, tenant, circuitPart(model))),
      ...keys.map(({ id }) => REDIS_KEYS.gate(scope, keyStatePart(id))),
    ];
    const stored = names.length === 0 ? [] : await redis.mGet(names);
    const nowMs = clock();
    const keyReports = keys.map((key, index) => keyReport(key, stored[2 * models.length + index], nowMs));
    const hasKey = keyReports.some(({ state }) => state !== 'refused');
    return {
      provider,
      keys: keyReports,
      models: models.flatMap((model, index) => {
        const shared = stored[index] ?? null;
        const own = stored[models.length + index] ?? null;
        if (shared === null && own === null) return [];
        return [modelReport({ model, shared, own, hasKey }, breaker, nowMs)];
      }),
    };
  }
}

interface StoredModel {
  readonly model: string;
  readonly shared: string | null;
  readonly own: string | null;
  readonly hasKey: boolean;
}

/**
 * Reports the circuit that keeps the tenant's calls out: the shared one if it is not closed, else the tenant's own. The
 * speed is what the tenant has measured, else what all tenants have.
 */
function modelReport(
  { model, shared, own, hasKey }: StoredModel,
  breaker: BreakerSettings,
  nowMs: number,
): ModelReport {
  const ofAll = circuitSchema.parse(JSON.parse(shared ?? '{}'));
  const ofTenant = circuitSchema.parse(JSON.parse(own ?? '{}'));
  const circuit = ofAll.state === 'closed' ? ofTenant : ofAll;
  const recent = recentRows(ofTenant.calls, breaker.windowMs, nowMs);
  const retryAtMs = circuit.state === 'open' ? circuit.openUntil : circuit.probeUntil;
  return {
    model,
    circuit: circuit.state,
    because: circuit.state === 'closed' ? null : (circuit.cause ?? 'errors'),
    sinceMs: circuit.since ?? null,
    retryAtMs: circuit.state === 'closed' ? null : (retryAtMs ?? null),
    calls: sumOf(recent, 1),
    badCalls: sumOf(recent, 2),
    firstTokenMs: meanOf(ofTenant.firstToken) ?? meanOf(ofAll.firstToken),
    tokensPerSecond: meanOf(ofTenant.pace) ?? meanOf(ofAll.pace),
    hasKey,
  };
}

function keyReport(key: ProviderKey, stored: string | null | undefined, nowMs: number): KeyReport {
  const { window, refusedUntil, refusedBy, models } = keyStateSchema.parse(JSON.parse(stored ?? '{}'));
  const recent = recentRows(window, key.windowMs, nowMs);
  const isRefused = (refusedUntil ?? 0) > nowMs;
  const rests = Object.values(models).map(({ restUntil, requestsLeft, leftUntil }) =>
    Math.max(restUntil ?? 0, (requestsLeft ?? 1) < 1 ? (leftUntil ?? 0) : 0),
  );
  const restsUntil = Math.max(0, ...rests);
  const isResting = restsUntil > nowMs;
  return {
    id: key.id,
    state: isRefused ? 'refused' : isResting ? 'resting' : 'ready',
    untilMs: isRefused ? (refusedUntil ?? null) : isResting ? Math.round(restsUntil) : null,
    refusedBy: isRefused ? (refusedBy ?? null) : null,
    usedRequests: sumOf(recent, 1),
    usedTokens: sumOf(recent, 2),
    limitRequests: key.requests,
    limitTokens: key.tokens,
    windowMs: key.windowMs,
  };
}

function recentRows(rows: readonly (readonly number[])[], windowMs: number, nowMs: number) {
  const oldestSlot = Math.floor(nowMs / (windowMs / WINDOW_SLOTS)) - WINDOW_SLOTS;
  return rows.filter(([slot]) => (slot ?? 0) >= oldestSlot);
}

function sumOf(rows: readonly (readonly number[])[], column: number): number {
  return rows.reduce((sum, row) => sum + (row[column] ?? 0), 0);
}

/** Below this weight, a mean is too old to say anything. */
const LEAST_WEIGHT = 0.05;

function meanOf(decayed: readonly [number, number] | undefined): number | null {
  if (decayed === undefined || decayed[1] < LEAST_WEIGHT) return null;
  return Math.round((decayed[0] / decayed[1]) * 10) / 10;
}
