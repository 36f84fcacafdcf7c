/** What travels between the workflow and its activities: ids, usage and money, never text. */
import type { BudgetStanding, BudgetWarning } from './budgets.ts';
import type { ErrorCode } from './errors.ts';
import type { Candidate, CompressedTokens, FinishReason, GenerationOrder } from './generation.ts';
import type { MicroUsd, Usage } from './money.ts';

/** The run of a generation that is to be started. */
export interface NewRun {
  readonly order: GenerationOrder;
  /** 1 goes first, 5 last; absent: as Temporal has it. */
  readonly priorityKey?: number | undefined;
}

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
  /** An old stored answer, because every candidate failed; only then present. */
  readonly degraded?: true;
  readonly lastSeq: number;
  readonly errorCode: ErrorCode | null;
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
  /** Absent in what runs of an older version recorded. */
  readonly reservedMicroUsd?: MicroUsd;
  /** Budgets that have passed their warning share. */
  readonly warnings?: readonly BudgetStanding[];
}

export interface RefusedReservation {
  /** The tightest budget; null where nothing can be reserved any more. */
  readonly budget: BudgetStanding | null;
  /** What it has left, in its unit. */
  readonly remaining: number;
}

/** What `beginGeneration` leaves to do, and what it has done to the context. */
export type BegunGeneration = NextStep & { readonly compressed?: CompressedTokens };

type NextStep =
  /** The log has ended and the budget is settled. */
  | {
      readonly next: 'ended';
      readonly outcome: GenerationOutcome;
      readonly storeFailed: boolean;
      /** Budgets that it brought over their warning share, where somebody is to be told. */
      readonly warnings?: readonly BudgetWarning[];
    }
  | { readonly next: 'refuse'; readonly refusal: RefusedReservation }
  /** The first candidate's stream runs on, or shall be tried again after `waitMs`. */
  | { readonly next: 'stream'; readonly reservation: GrantedReservation; readonly waitMs: number }
  /** The first candidate has failed for good. */
  | {
      readonly next: 'fall-back';
      readonly reservation: GrantedReservation;
      readonly failure: StepFailure;
    };

export interface StepFailure {
  readonly code: ErrorCode;
  readonly message: string;
  /** Where there was no room, or the circuit is open: when it may be worth another look. */
  readonly waitMs?: number;
  /** Small facts for the reader, such as what a budget has left. */
  readonly details?: Readonly<Record<string, string | number>>;
}

export interface StreamStep {
  readonly order: GenerationOrder;
  readonly candidate: Candidate;
  readonly reservedTokens: number;
  readonly remainingTokens: number | null;
  readonly maxOutputTokens: number;
  readonly reservedMicroUsd?: MicroUsd;
  readonly warnings?: readonly BudgetStanding[];
  /** Whether a failure of this candidate would be the end of the chain. */
  readonly isLast?: boolean;
  /** What was waited for. */
  readonly room?: RoomTaken;
}

/** Who waits for room, and where. */
export interface WaitStep {
  readonly generationId: string;
  readonly candidate: Candidate;
  readonly tokens: number;
  /** A provider that asks to be left alone for longer is not waited for; absent: it is. */
  readonly longestRestMs?: number;
}

/** What the first in line got: room, or word that the provider wants the model to be left alone for so long. */
export type WaitResult = RoomTaken | { readonly restMs: number };

/** Room for one call under the limits of a key. */
export interface RoomTaken {
  readonly keyId: string;
  /** The part of the key's window in which it was taken. */
  readonly slot: number;
}

export interface RaiseStep {
  readonly order: GenerationOrder;
  /** The new cap of the whole output. */
  readonly maxOutputTokens: number;
}

export interface CloseStep {
  readonly order: GenerationOrder;
  readonly as: 'failed' | 'cancelled';
  readonly error: StepFailure | null;
}

export interface SettleStep {
  readonly order: GenerationOrder;
  readonly outcome: GenerationOutcome;
}

/** What an activity gave with its failure: how long to wait, or small facts for the reader. */
export function failureFacts(
  details: readonly unknown[] | null | undefined,
): Pick<StepFailure, 'waitMs' | 'details'> {
  const [given] = details ?? [];
  if (typeof given === 'number') return Number.isFinite(given) ? { waitMs: given } : {};
  if (typeof given !== 'object' || given === null) return {};
  const small = Object.entries(given).filter(
    (fact): fact is [string, string | number] => typeof fact[1] === 'string' || typeof fact[1] === 'number',
  );
  return { details: Object.fromEntries(small) };
}
