/** The port to the budgets: a saga of reserve and settle, keyed by generation id; both are idempotent. */
import type { MicroUsd } from '../contracts/money.ts';

export interface BudgetOwner {
  readonly tenant: string;
  readonly user: string;
}

export interface Reservation extends BudgetOwner {
  readonly generationId: string;
  /** Tokens of the input, an upper bound. */
  readonly inputTokens: number;
  /** Output tokens wished for; granted whole or clipped to what is left (never below `minOutputTokens`). */
  readonly maxOutputTokens: number;
  readonly minOutputTokens: number;
}

export type ReserveOutcome =
  | {
      readonly granted: true;
      readonly reservedTokens: number;
      readonly maxOutputTokens: number;
      /** What is left after this reservation; null where no limit is set. */
      readonly remainingTokens: number | null;
    }
  | {
      readonly granted: false;
      readonly limitTokens: number;
      readonly remainingTokens: number;
      /** When the window ends, ms since 1970. */
      readonly resetsAtMs: number;
    };

export interface Settlement extends BudgetOwner {
  readonly generationId: string;
  /** All tokens used, of all attempts. */
  readonly tokens: number;
  readonly costMicroUsd: MicroUsd;
  readonly estimated: boolean;
}

export interface BudgetBalance {
  /** The day in UTC, such as 2026-11-24. */
  readonly day: string;
  readonly limitTokens: number | null;
  readonly spentTokens: number;
  readonly reservedTokens: number;
  readonly spentMicroUsd: MicroUsd;
  readonly resetsAtMs: number;
}

export interface BudgetLedger {
  /** Reserves the worst case, atomically. Asked again for the same generation it gives the first answer. */
  reserve(reservation: Reservation): Promise<ReserveOutcome>;
  /**
   * Releases the reservation and books what was really used, on the day of the reservation. The first settlement of
   * a generation counts; later ones change nothing. Zero tokens: the reservation is only released.
   */
  settle(settlement: Settlement): Promise<void>;
  balance(owner: BudgetOwner): Promise<BudgetBalance>;
}
