/**
 * The port to the budgets: a saga of reserve, extend and settle, keyed by generation id. Each step is idempotent, is
 * atomic over all budgets that a generation touches, and writes entries whose sum is the balance.
 */
import type { AttemptCharge, BudgetOwner, BudgetStanding, BudgetWarning } from '../../contracts/budgets.ts';
import type { Candidate } from '../../contracts/generation.ts';
import type { MicroUsd, Usage } from '../../contracts/money.ts';
import type { Saved } from '../../contracts/share.ts';

/** The most that a call may cost: `fixedMicroUsd`, and `outputMicroUsdPerMillion` for a million output tokens. */
export interface WorstPrice {
  readonly fixedMicroUsd: MicroUsd;
  readonly outputMicroUsdPerMillion: MicroUsd;
}

export interface Reservation extends BudgetOwner {
  readonly generationId: string;
  /** Tokens of the input, an upper bound. */
  readonly inputTokens: number;
  /** Requested output tokens; the grant may be clipped to what is left, but not below `minOutputTokens`. */
  readonly maxOutputTokens: number;
  readonly minOutputTokens: number;
  readonly price: WorstPrice;
  /** A settlement from before this time, ms since 1970, belongs to an earlier generation of the same id. */
  readonly againSinceMs?: number | undefined;
  /** The batch whose run holds the reservation until the generation has its own. */
  readonly heldBy?: string | undefined;
}

/** Another call of the same generation. It pays its input again. */
export interface Extension extends BudgetOwner {
  readonly generationId: string;
  /** The attempts that have ended. Those that are not booked yet are booked first, even if the extension is refused. */
  readonly charges: readonly AttemptCharge[];
  /** The version of the named prompt, as name@version. */
  readonly prompt?: string | undefined;
  readonly inputTokens: number;
  /** Output that readers have and that the call continues; it counts against the cap of the generation. */
  readonly deliveredTokens: number;
  readonly minOutputTokens: number;
  readonly price: WorstPrice;
}

export interface Raise extends BudgetOwner {
  readonly generationId: string;
  /** The new cap of the whole output. Never lowers it. */
  readonly maxOutputTokens: number;
}

export interface Granted {
  readonly granted: true;
  /** The whole reservation after this step, for this and later calls. */
  readonly reservedTokens: number;
  readonly reservedMicroUsd: MicroUsd;
  /** The output cap of this call. */
  readonly maxOutputTokens: number;
  /** The output cap of the generation, all its calls together. */
  readonly capTokens: number;
  /** What the tightest token budget has left after this; null without a token budget. */
  readonly remainingTokens: number | null;
  /** Budgets that have passed their warning share. */
  readonly warnings: readonly BudgetStanding[];
  /** True if no hard budget applies: the call may use more than was reserved. */
  readonly isUnlimited?: true;
}

export interface Refused {
  readonly granted: false;
  /** The tightest budget; null if the generation has ended or was never reserved. */
  readonly budget: BudgetStanding | null;
  /** What that budget has left, in its unit, after the reservations of running generations. */
  readonly remaining: number;
  /** What the step needs of it at least; absent: not known. */
  readonly needed?: number;
}

export type ReserveOutcome = Granted | Refused;

export interface Settlement extends BudgetOwner {
  readonly generationId: string;
  /** All tokens and all money that all attempts used. */
  readonly usage: Usage;
  readonly costMicroUsd: MicroUsd;
  /** The last attempt: amounts that are not booked yet are booked for it. */
  readonly attempt: number;
  readonly provider: string | null;
  readonly model: string | null;
  /** The version of the named prompt, as name@version. */
  readonly prompt?: string | undefined;
  /** As of a reservation. */
  readonly againSinceMs?: number | undefined;
  /** Awaited while the reservation is read. */
  readonly counted: CountedGeneration | Promise<CountedGeneration>;
}

/** What the usage statistics count of a generation beside what it used. */
export interface CountedGeneration {
  readonly status: 'completed' | 'failed' | 'cancelled';
  readonly isCached: boolean;
  readonly saved: Saved | null;
  /** The last model that was called: what a settlement without a model is booked under. */
  readonly lastCalled: Candidate | null;
  /** From the request to the first text, and to the end; null if the generation says nothing about speed. */
  readonly firstTokenMs: number | null;
  readonly totalMs: number | null;
  /** Calls that failed. A failure of the generation itself has no candidate. */
  readonly failures: readonly ((Candidate | Record<keyof Candidate, null>) & { readonly code: string })[];
}

/** Of a generation whose end no log tells. */
export const UNKNOWN_END: CountedGeneration = {
  status: 'failed',
  isCached: false,
  saved: null,
  lastCalled: null,
  firstTokenMs: null,
  totalMs: null,
  failures: [{ provider: null, model: null, code: 'internal' }],
};

export interface Settled {
  /** Budgets that this settlement brought over their warning share or amount. A repeated call returns them too. */
  readonly warnings: readonly BudgetWarning[];
}

export interface Wish {
  /** The least tokens that it needs. Called only if a limit applies. */
  neededTokens(): Promise<number>;
  /** True if no model that may be called costs anything. */
  readonly isFree: boolean;
}

export interface BudgetLedger {
  /** Reserves the worst case in all budgets or in none. A repeated call returns the first answer. */
  reserve(reservation: Reservation): Promise<ReserveOutcome>;
  /** Makes the reservation large enough for another call. A refusal leaves it as it is. */
  extend(extension: Extension): Promise<ReserveOutcome>;
  /** Raises the output cap of a running generation, if the budgets have room for it. */
  raise(raise: Raise): Promise<ReserveOutcome>;
  /** The output cap of a running generation, in tokens; null if it has ended or was never reserved. */
  currentCap(tenant: string, generationId: string): Promise<number | null>;
  /**
   * Books the actual usage in the windows of the reservation, and releases the rest. The first settlement of a
   * generation counts; later ones change nothing.
   */
  settle(settlement: Settlement): Promise<Settled>;
  /**
   * Predicts whether `reserve` would be refused now, and reserves nothing. The limits may be some seconds old: a look
   * saves the start of a run, and the reservation decides.
   */
  look(owner: BudgetOwner, wish: Wish): Promise<Refused | null>;
}
