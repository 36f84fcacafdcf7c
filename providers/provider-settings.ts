/** What an adapter is made with: one entry of the config's `providers`, its key and the limits in time. */
import type { ProviderCapabilities } from './provider.ts';

export interface CallLimits {
  /** Longest that a connection may take to be established, TLS included. */
  readonly connectMs: number;
  readonly firstTokenMs: number;
  readonly betweenTokensMs: number;
}

export interface ProviderSettings extends CallLimits {
  readonly name: string;
  readonly apiKey: string;
  readonly baseUrl: string | undefined;
  readonly capabilities: { readonly [Name in keyof ProviderCapabilities]?: boolean | undefined } | undefined;
}
