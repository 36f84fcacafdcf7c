/** The facts that decide a route: what each model can do, what it costs, and its recent health. */
import type { MicroUsd } from '../../contracts/money.ts';
import type { CircuitState } from '../../contracts/routing.ts';

export interface CandidateFacts {
  /** null: unknown. */
  readonly contextTokens: number | null;
  /** null: no price is known. */
  readonly costMicroUsd: (inputTokens: number, outputTokens: number) => MicroUsd | null;
  /** Why it cannot take this input at all (images, tools, ...); null if it can. */
  readonly cannot: string | null;
}

export interface ModelHealth {
  readonly circuit: CircuitState;
  /** Open: when one call may probe it. Half-open: when that probe counts as lost. ms since 1970. */
  readonly retryAtMs: number | null;
  /** Decayed means of what all workers measured; null: nothing lately. */
  readonly firstTokenMs: number | null;
  readonly tokensPerSecond: number | null;
  /** Whether any key of the provider can be used. */
  readonly hasKey: boolean;
}

export const UNKNOWN_HEALTH: ModelHealth = {
  circuit: 'closed',
  retryAtMs: null,
  firstTokenMs: null,
  tokensPerSecond: null,
  hasKey: true,
};
