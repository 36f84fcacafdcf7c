/** What the gate knew about a second ago, in memory, so that a route is decided without waiting for anybody. */
import type { Candidate } from '../../contracts/generation.ts';
import type { GateReader, ProviderReport } from './provider-gate.ts';
import { type ModelHealth, UNKNOWN_HEALTH } from './route-facts.ts';

const FRESH_MS = 1_000;
/** What is older says nothing of today. */
const STALE_MS = 60_000;

/** Tenants times providers that are remembered; those that nobody has asked for lately make room. */
const REMEMBERED = 10_000;

export interface HealthSnapshot {
  /**
   * Never waits: what the tenant sees at this moment, and before that is known what all share; asks again for the next
   * one where it is a second old.
   */
  healthOf(candidate: Candidate, tenant: string): ModelHealth;
  /** Waits for what is known now; for people. */
  refresh(providers: Iterable<string>, tenant: string): Promise<void>;
}

interface Remembered {
  readonly provider: string;
  readonly tenant: string | undefined;
  report: ProviderReport | null;
  askedAtMs: number;
  knownAtMs: number;
}

export function createHealthSnapshot(
  reader: GateReader,
  onError: (error: unknown) => void,
  clock: () => number = Date.now,
): HealthSnapshot {
  const known = new Map<string, Remembered>();
  const ask = async (remembered: Remembered): Promise<void> => {
    remembered.askedAtMs = clock();
    try {
      remembered.report = await reader.report(remembered.provider, remembered.tenant);
      remembered.knownAtMs = clock();
    } catch (error) {
      onError(error);
    }
  };
  const remember = (provider: string, tenant?: string): Remembered => {
    const name = JSON.stringify([provider, tenant]);
    const found = known.get(name);
    if (found !== undefined) return found;
    if (known.size >= REMEMBERED) known.clear();
    const fresh = { provider, tenant, report: null, askedAtMs: 0, knownAtMs: 0 };
    known.set(name, fresh);
    return fresh;
  };
  const current = (remembered: Remembered): ProviderReport | null => {
    const nowMs = clock();
    if (nowMs - remembered.askedAtMs > FRESH_MS) void ask(remembered);
    return nowMs - remembered.knownAtMs > STALE_MS ? null : remembered.report;
  };
  return {
    healthOf({ provider, model }, tenant) {
      const shared = current(remember(provider));
      const report = current(remember(provider, tenant)) ?? shared;
      if (report === null) return UNKNOWN_HEALTH;
      const found = report.models.find((one) => one.model === model);
      const hasKey = report.keys.some(({ state }) => state !== 'refused');
      return found ?? { ...UNKNOWN_HEALTH, hasKey };
    },
    async refresh(providers, tenant) {
      await Promise.all([...new Set(providers)].map((provider) => ask(remember(provider, tenant))));
    },
  };
}
