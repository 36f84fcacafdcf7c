/** What travels between the workflow and its activities: ids, usage and money, never text. */
import type { BudgetStanding } from './budgets.ts';
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

export interface StreamStep {
  readonly order: GenerationOrder;
  readonly candidate: Candidate;
  readonly reservedTokens: number;
  readonly remainingTokens: number | null;
  readonly maxOutputTokens: number;
  /** Absent in runs that began before these were told. */
  readonly reservedMicroUsd?: MicroUsd;
  readonly warnings?: readonly BudgetStanding[];
}

export interface RaiseStep {
  readonly order: GenerationOrder;
  /** The new cap of the whole output. */
  readonly maxOutputTokens: number;
}

export interface CloseStep {
  readonly order: GenerationOrder;
  readonly as: 'failed' | 'cancelled';
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    /** Small facts for the reader, such as what a budget has left. */
    readonly details?: Readonly<Record<string, string | number>>;
  } | null;
}

export interface SettleStep {
  readonly order: GenerationOrder;
  readonly outcome: GenerationOutcome;
}
