/** What travels between the workflow and its activities: ids, usage and money, never text. */
import type { ErrorCode } from './errors.ts';
import type { Candidate, FinishReason, GenerationOrder } from './generation.ts';
import type { MicroUsd, Usage } from './money.ts';

/** How a generation stands when a step has ended it; also the result of the workflow. */
export interface GenerationOutcome {
  readonly status: 'completed' | 'failed' | 'cancelled';
  readonly provider: string | null;
  readonly model: string | null;
  readonly finishReason: FinishReason | null;
  readonly usage: Usage;
  readonly costMicroUsd: MicroUsd;
  readonly attempts: number;
  readonly cached: boolean;
  readonly lastSeq: number;
  readonly errorCode: ErrorCode | null;
}

export interface CacheStepResult {
  /** Present on a hit: the stored answer is in the log, which has ended. */
  readonly hit: GenerationOutcome | null;
  readonly unavailable: string | null;
}

export interface BeginStep {
  readonly order: GenerationOrder;
  /** When this workflow task began, by the server's clock: orders this attempt among all others. */
  readonly epochMs: number;
}

export interface GrantedReservation {
  readonly reservedTokens: number;
  /** What the generation may put out: what it asked for, clipped to the budget. */
  readonly maxOutputTokens: number;
  /** null: no limit is set. */
  readonly remainingTokens: number | null;
}

export interface RefusedReservation {
  readonly limitTokens: number;
  readonly remainingTokens: number;
  readonly resetsAtMs: number;
}

/** What `beginGeneration` leaves to do. */
export type BegunGeneration =
  /** The log has ended and the budget is settled. */
  | { readonly next: 'ended'; readonly outcome: GenerationOutcome; readonly storeFailed: boolean }
  | { readonly next: 'refuse'; readonly refusal: RefusedReservation }
  /** The first candidate's stream runs on, or shall be tried again after `waitMs`. */
  | { readonly next: 'stream'; readonly reservation: GrantedReservation; readonly waitMs: number }
  /** The first candidate has failed for good. */
  | {
      readonly next: 'fall-back';
      readonly reservation: GrantedReservation;
      readonly failure: { readonly code: ErrorCode; readonly message: string };
    };

export interface StreamStep {
  readonly order: GenerationOrder;
  readonly candidate: Candidate;
  readonly reservedTokens: number;
  readonly remainingTokens: number | null;
  readonly maxOutputTokens: number;
}

export interface CloseStep {
  readonly order: GenerationOrder;
  readonly as: 'failed' | 'cancelled';
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
}

export interface SettleStep {
  readonly order: GenerationOrder;
  readonly outcome: GenerationOutcome;
}
