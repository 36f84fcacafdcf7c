/** What the gate knew about a second ago, in memory, so that a route is decided without waiting for anybody. */
import type { Candidate } from '../contracts/generation.ts';
import type { GateReader, ProviderReport } from './provider-gate.ts';
import { type ModelHealth, UNKNOWN_HEALTH } from './route-facts.ts';

const FRESH_MS = 1_000;
/** What is older says nothing of today. */
const STALE_MS = 60_000;

export interface HealthSnapshot {
  /** Never waits: what is known at this moment; asks anew for the next one where it is a second old. */
  healthOf(candidate: Candidate): ModelHealth;
  /** Waits for what is known now; for people. */
  refresh(providers: Iterable<string>): Promise<void>;
}

interface Remembered {
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
  const ask = async (provider: string, remembered: Remembered): Promise<void> => {
    remembered.askedAtMs = clock();
    try {
      remembered.report = await reader.report(provider);
      remembered.knownAtMs = clock();
    } catch (error) {
      onError(error);
    }
  };
  const remember = (provider: string): Remembered => {
    const found = known.get(provider) ?? { report: null, askedAtMs: 0, knownAtMs: 0 };
    known.set(provider, found);
    return found;
  };
  return {
    healthOf({ provider, model }) {
      const remembered = remember(provider);
      const nowMs = clock();
      if (nowMs - remembered.askedAtMs > FRESH_MS) void ask(provider, remembered);
      if (remembered.report === null || nowMs - remembered.knownAtMs > STALE_MS) return UNKNOWN_HEALTH;
      const found = remembered.report.models.find((one) => one.model === model);
      const hasKey = remembered.report.keys.some(({ state }) => state !== 'refused');
      return found ?? { ...UNKNOWN_HEALTH, hasKey };
    },
    async refresh(providers) {
      await Promise.all([...new Set(providers)].map((provider) => ask(provider, remember(provider))));
    },
  };
}
