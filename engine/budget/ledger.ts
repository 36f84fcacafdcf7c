/**
 * The port to the budgets: a saga of reserve, extend and settle, keyed by generation id. Each step is atomic over all
 * budgets that a generation touches, is idempotent, and is booked as entries whose sum is the balance.
 */
import type { AttemptCharge, BudgetOwner, BudgetStanding, BudgetWarning } from '../../contracts/budgets.ts';
import type { MicroUsd } from '../../contracts/money.ts';

/** The most that a call may cost: `fixedMicroUsd`, and `outputMicroUsdPerMillion` for a million output tokens. */
export interface WorstPrice {
  readonly fixedMicroUsd: MicroUsd;
  readonly outputMicroUsdPerMillion: MicroUsd;
}

export interface Reservation extends BudgetOwner {
  readonly generationId: string;
  /** Tokens of the input, an upper bound. */
  readonly inputTokens: number;
  /** Output tokens wished for; granted whole or clipped to what is left (never below `minOutputTokens`). */
  readonly maxOutputTokens: number;
  readonly minOutputTokens: number;
  readonly price: WorstPrice;
  /** What was settled before this, ms since 1970, was of an earlier generation of the same id. */
  readonly againSinceMs?: number | undefined;
}

/** Another call of the same generation, which pays its input again. */
export interface Extension extends BudgetOwner {
  readonly generationId: string;
  /** The attempts that have ended. What is not booked of them yet, is booked first, also if the rest is refused. */
  readonly charges: readonly AttemptCharge[];
  readonly inputTokens: number;
  /** Output that readers have and that the call continues; counts against the cap of the generation. */
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
  /** What is reserved now, for this and later calls. */
  readonly reservedTokens: number;
  readonly reservedMicroUsd: MicroUsd;
  /** The output cap of this call. */
  readonly maxOutputTokens: number;
  /** The output cap of the generation, all its calls together. */
  readonly capTokens: number;
  /** What the tightest token budget has left after this; null where none is limited. */
  readonly remainingTokens: number | null;
  /** Budgets that have passed their warning share. */
  readonly warnings: readonly BudgetStanding[];
}

export interface Refused {
  readonly granted: false;
  /** The tightest budget; null where the generation is over, or was never reserved. */
  readonly budget: BudgetStanding | null;
  /** What that budget has left, in its unit; reservations of running generations are not left. */
  readonly remaining: number;
}

export type ReserveOutcome = Granted | Refused;

export interface Settlement extends BudgetOwner {
  readonly generationId: string;
  /** All tokens used and all money, of all attempts. */
  readonly tokens: number;
  readonly costMicroUsd: MicroUsd;
  readonly estimated: boolean;
  /** The last attempt: what is not booked yet is booked as its. */
  readonly attempt: number;
  readonly provider: string | null;
  readonly model: string | null;
}

export interface Settled {
  /** Budgets that this settlement brought over their warning share or their amount; told again when asked again. */
  readonly warnings: readonly BudgetWarning[];
}

export interface BudgetLedger {
  /** Reserves the worst case in all budgets or in none. Asked again it gives the first answer. */
  reserve(reservation: Reservation): Promise<ReserveOutcome>;
  /** Makes the reservation large enough for another call. A refusal leaves it as it is. */
  extend(extension: Extension): Promise<ReserveOutcome>;
  /** Raises the output cap of a running generation, if the budgets have room for it. */
  raise(raise: Raise): Promise<ReserveOutcome>;
  /**
   * Books what was really used, in the windows of the reservation, and releases the rest. The first settlement of a
   * generation counts; later ones change nothing.
   */
  settle(settlement: Settlement): Promise<Settled>;
  /**
   * Whether `reserve` would be refused now; reserves nothing. `needed` is only asked where a limit applies. Limits may
   * be some seconds old: a look saves a caller the start of a run, the reservation decides.
   */
  look(owner: BudgetOwner, needed: () => Promise<number>): Promise<Refused | null>;
}
