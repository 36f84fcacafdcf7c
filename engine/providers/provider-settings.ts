/** What an adapter is created from: one entry of the config's `providers`, its key and the time limits. */
import type { ModelFacts } from '../../contracts/model.ts';
import type { ProviderProxy } from '../../platform/config/proxy-environment.ts';
import type { ProviderConfig } from '../../platform/config/schema.ts';

/** The key of a provider that needs none: the SDKs require some value. */
export const NO_KEY = 'none';

export interface CallLimits {
  /** Longest that connecting may take, TLS included. */
  readonly connectMs: number;
  readonly firstTokenMs: number;
  readonly betweenTokensMs: number;
  /** How long a reasoning model may be silent after it has accepted a call, and between contents. */
  readonly thinkingMs: number;
  /** How long a provider may send nothing but signs of life, such as pings. */
  readonly aliveMs: number;
}

export interface ProviderSettings
  extends CallLimits,
    Pick<ProviderConfig, 'quirks' | 'apiVersion' | 'region' | 'package'> {
  readonly name: string;
  readonly apiKey: string;
  readonly baseUrl: string | undefined;
  readonly proxy: ProviderProxy | null;
  /** The keys of all providers. They are removed from every error, because vendors quote keys. */
  readonly secrets: readonly string[];
  readonly factsOf: (model: string) => ModelFacts;
}
