/** What a route is decided by: what each model is, what it costs, and how it has lately been. */
import type { MicroUsd } from '../../contracts/money.ts';
import type { CircuitState } from '../../contracts/routing.ts';

export interface CandidateFacts {
  /** null: unknown. */
  readonly contextTokens: number | null;
  /** null: no price is known. */
  readonly costMicroUsd: (inputTokens: number, outputTokens: number) => MicroUsd | null;
  /** Why it cannot take this input at all (images, tools, ...); null where it can. */
  readonly cannot: string | null;
}

export interface ModelHealth {
  readonly circuit: CircuitState;
  /** Open: when one call may try it. Half-open: when the call that tries it is given up. ms since 1970. */
  readonly retryAtMs: number | null;
  /** Decayed means of what all workers saw; null: nothing lately. */
  readonly firstTokenMs: number | null;
  readonly tokensPerSecond: number | null;
  /** Whether any key of the provider can be used at all. */
  readonly hasKey: boolean;
}

export const UNKNOWN_HEALTH: ModelHealth = {
  circuit: 'closed',
  retryAtMs: null,
  firstTokenMs: null,
  tokensPerSecond: null,
  hasKey: true,
};
