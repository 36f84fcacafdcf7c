/** Arguments and results of the activities: ids, usage and money, never text, because they are kept in history. */
import type { BudgetStanding, BudgetWarning } from './budgets.ts';
import type { ErrorCode } from './errors.ts';
import type { Candidate, CompressedTokens, FinishReason, GenerationOrder } from './generation.ts';
import type { MicroUsd, Usage } from './money.ts';
import type { Saved } from './share.ts';
import type { WebhookDelivery } from './webhooks.ts';

/** A run to be started. */
export interface NewRun {
  readonly order: GenerationOrder;
  /** 1 goes first, 5 last; absent: as Temporal has it. */
  readonly priorityKey?: number | undefined;
}

/** How a generation ended; also the result of the workflow. */
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
  /** What a stored answer or a shared call spared; only then present. */
  readonly saved?: Saved;
  readonly lastSeq: number;
  readonly errorCode: ErrorCode | null;
}

export interface BeginStep {
  readonly order: GenerationOrder;
  /** When this workflow task began, by the server's clock: the epoch of this attempt. */
  readonly epochMs: number;
}

export interface GrantedReservation {
  readonly reservedTokens: number;
  /** The output cap: as requested, clipped to the budget. */
  readonly maxOutputTokens: number;
  /** null: no limit is set. */
  readonly remainingTokens: number | null;
  /** Absent in what runs of an older version recorded. */
  readonly reservedMicroUsd?: MicroUsd;
  /** Budgets that have passed their warning share. */
  readonly warnings?: readonly BudgetStanding[];
  /** True if no hard budget applies. Absent in what runs of an older version recorded. */
  readonly isUnlimited?: true;
}

export interface RefusedReservation {
  /** The tightest budget; null if the generation has ended or was never reserved. */
  readonly budget: BudgetStanding | null;
  /** What it has left, in its unit. */
  readonly remaining: number;
  /** What is needed of it at least. */
  readonly needed?: number;
}

/** What the workflow must do after `beginGeneration`, and what compression left of the context. */
export type BegunGeneration = NextStep & { readonly compressed?: CompressedTokens };

type NextStep =
  /** The log has ended and the budget is settled. */
  | {
      readonly next: 'ended';
      readonly outcome: GenerationOutcome;
      /** Budgets that it brought over their warning share; empty if no webhook is configured. */
      readonly warnings?: readonly BudgetWarning[];
      /** Webhooks that learn of its end. */
      readonly deliveries?: readonly WebhookDelivery[];
    }
  | { readonly next: 'refuse'; readonly refusal: RefusedReservation }
  /** The first candidate's stream is running, or must be retried after `waitMs`. */
  | { readonly next: 'stream'; readonly reservation: GrantedReservation; readonly waitMs: number }
  /** The first candidate has failed permanently. */
  | {
      readonly next: 'fall-back';
      readonly reservation: GrantedReservation;
      readonly failure: StepFailure;
    };

export interface StepFailure {
  readonly code: ErrorCode;
  readonly message: string;
  /** If the candidate had no room, or its circuit is open: the time until a retry may succeed. */
  readonly waitMs?: number;
  /** Small facts for the caller, such as what a budget has left. */
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
  /** True if no hard budget applies. */
  readonly isUnlimited?: true;
  /** True if no candidate is left after this one. */
  readonly isLast?: boolean;
  /** The room that `waitForRoom` took for this call. */
  readonly room?: RoomTaken;
}

/** One generation that waits for room at a candidate. */
export interface WaitStep {
  readonly generationId: string;
  readonly candidate: Candidate;
  readonly tokens: number;
  /** As in the order: the room is taken with the key that may have the prompt in its cache. */
  readonly promptCacheKey?: string;
  /** Longest Retry-After of the provider that is waited for; absent: any. */
  readonly longestRestMs?: number;
}

/** Room for one call, or how long the provider asked us not to call the model. */
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

export interface CancelStep {
  readonly generationId: string;
}

/** What must be sent after a settlement: each starts a run. */
export interface SettledGeneration {
  readonly warnings: readonly BudgetWarning[];
  /** Absent in what runs of an older version recorded. */
  readonly deliveries?: readonly WebhookDelivery[];
}

export interface SettleStep {
  readonly order: GenerationOrder;
  readonly outcome: GenerationOutcome;
}

/** What our activities put into `ApplicationFailure.details`, as its only element. */
export type FailureFacts = Pick<StepFailure, 'waitMs' | 'details'>;

/** Reads it. Older code wrote a bare number for `waitMs`, or the facts for the caller without a name. */
export function readFailureFacts(details: readonly unknown[] | null | undefined): FailureFacts {
  const [facts] = details ?? [];
  if (typeof facts === 'number') return waitFact(facts);
  if (typeof facts !== 'object' || facts === null) return {};
  if (!('waitMs' in facts) && !('details' in facts)) return { details: smallFacts(facts) };
  return {
    ...('waitMs' in facts ? waitFact(facts.waitMs) : {}),
    ...('details' in facts && facts.details ? { details: smallFacts(facts.details) } : {}),
  };
}

function waitFact(waitMs: unknown): FailureFacts {
  return typeof waitMs === 'number' && Number.isFinite(waitMs) ? { waitMs } : {};
}

function smallFacts(facts: object): Readonly<Record<string, string | number>> {
  return Object.fromEntries(
    Object.entries(facts).filter(
      (fact): fact is [string, string | number] => typeof fact[1] === 'string' || typeof fact[1] === 'number',
    ),
  );
}
