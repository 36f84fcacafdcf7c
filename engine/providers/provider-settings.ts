/** What an adapter is made with: one entry of the config's `providers`, its key and the limits in time. */

import type { ModelFacts } from '../../contracts/model.ts';
import type { ProviderConfig } from '../../platform/config/schema.ts';
import type { ProviderCapabilities } from './provider.ts';

/** A provider that needs no key; the SDKs want some key all the same. */
export const NO_KEY = 'none';

export interface CallLimits {
  /** Longest that a connection may take to be established, TLS included. */
  readonly connectMs: number;
  readonly firstTokenMs: number;
  readonly betweenTokensMs: number;
  /** Silence that a reasoning model may keep after it has taken a call. */
  readonly thinkingMs: number;
}

export interface ProviderSettings
  extends CallLimits,
    Pick<ProviderConfig, 'quirks' | 'apiVersion' | 'region' | 'package'> {
  readonly name: string;
  readonly apiKey: string;
  readonly baseUrl: string | undefined;
  /** The keys of all providers: none may stand in an error, however a vendor quotes it. */
  readonly secrets: readonly string[];
  readonly factsOf: (model: string) => ModelFacts;
}

export function resumeCapabilities({ factsOf }: ProviderSettings): (model: string) => ProviderCapabilities {
  return (model) => {
    const { reattach, prefill, instruct } = factsOf(model).capabilities;
    return { reattach, prefill, instruct };
  };
}
