/** Keeps the gate's reports of about a second ago in memory, so that a route is chosen without waiting for Redis. */
import type { Candidate } from '../../contracts/generation.ts';
import { BoundedMap } from '../../platform/bounded-map.ts';
import type { GateReader, ProviderReport } from './provider-gate.ts';
import { type ModelHealth, UNKNOWN_HEALTH } from './route-facts.ts';

const FRESH_MS = 1_000;
/** An older report says nothing about the present. */
const STALE_MS = 60_000;
/** Pairs of tenant and provider whose report is kept. */
const REPORTS_KEPT = 10_000;

interface KeptReport {
  readonly provider: string;
  readonly tenant: string | undefined;
  report: ProviderReport | null;
  requestedAtMs: number;
  receivedAtMs: number;
}

export class HealthSnapshot {
  readonly #reader: GateReader;
  readonly #onError: (error: unknown) => void;
  readonly #clock: () => number;
  readonly #reports = new BoundedMap<string, KeptReport>(REPORTS_KEPT);

  constructor(reader: GateReader, onError: (error: unknown) => void, clock: () => number = Date.now) {
    this.#reader = reader;
    this.#onError = onError;
    this.#clock = clock;
  }

  /**
   * Never waits. Returns what the tenant's last report says, or, until there is one, what all tenants share. A report
   * older than a second is requested again for the next caller.
   */
  healthOf({ provider, model }: Candidate, tenant: string): ModelHealth {
    const shared = this.#current(this.#kept(provider));
    const report = this.#current(this.#kept(provider, tenant)) ?? shared;
    if (report === null) return UNKNOWN_HEALTH;
    const hasKey = report.keys.some(({ state }) => state !== 'refused');
    return report.models.find((health) => health.model === model) ?? { ...UNKNOWN_HEALTH, hasKey };
  }

  /** Waits until the reports are up to date; for people. */
  async refresh(providers: Iterable<string>, tenant: string): Promise<void> {
    await Promise.all([...new Set(providers)].map((provider) => this.#request(this.#kept(provider, tenant))));
  }

  #kept(provider: string, tenant?: string): KeptReport {
    return this.#reports.getOrCreate(JSON.stringify([provider, tenant]), () => ({
      provider,
      tenant,
      report: null,
      requestedAtMs: 0,
      receivedAtMs: 0,
    }));
  }

  #current(kept: KeptReport): ProviderReport | null {
    const nowMs = this.#clock();
    if (nowMs - kept.requestedAtMs > FRESH_MS) void this.#request(kept);
    return nowMs - kept.receivedAtMs > STALE_MS ? null : kept.report;
  }

  async #request(kept: KeptReport): Promise<void> {
    kept.requestedAtMs = this.#clock();
    try {
      kept.report = await this.#reader.report(kept.provider, kept.tenant);
      kept.receivedAtMs = this.#clock();
    } catch (error) {
      this.#onError(error);
    }
  }
}
