/** Decides which candidate is tried next after others have failed, and whether any is. Pure. */
import { ActivityFailure, ApplicationFailure, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import { isSameCandidate } from '../contracts/candidate.ts';
import { ERRORS, type ErrorCode, isErrorCode, TIMEOUT_MESSAGE } from '../contracts/errors.ts';
import type { Candidate, GenerationOrder } from '../contracts/generation.ts';
import { readFailureFacts, type StepFailure } from '../contracts/steps.ts';

export interface CandidateFailure extends StepFailure {
  readonly cancelled: boolean;
}

export interface FailedCandidate {
  readonly candidate: Candidate;
  readonly failure: CandidateFailure;
}

/** The failure of a candidate whose error is in the log already. */
export function failureOf(failure: StepFailure): CandidateFailure {
  return { ...failure, cancelled: false };
}

export function readFailure(error: unknown): CandidateFailure {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  const cancelled = isCancellation(error);
  if (cause instanceof ApplicationFailure && isErrorCode(cause.type)) {
    return { code: cause.type, message: cause.message, ...readFailureFacts(cause.details), cancelled };
  }
  // Its last error may be that a service was unreachable; what ended it is that no time was left for a retry.
  const isOutOfTime = error instanceof ActivityFailure && error.retryState === 'TIMEOUT';
  if (isOutOfTime || cause instanceof TimeoutFailure) {
    return { code: 'generation_timeout', message: TIMEOUT_MESSAGE, cancelled };
  }
  return { code: 'internal', message: 'A step of the generation failed.', cancelled };
}

/** Whether the next candidate may be tried after this error. For a refusal by content policy the route decides. */
export function mayFallBack({ routing }: GenerationOrder, code: ErrorCode): boolean {
  if (code === 'content_filtered') return routing?.onContentPolicy === 'fall-back';
  return ERRORS[code].fallback;
}

/**
 * The candidates that are left, in order. Once an input was too long for a model, models whose known window is not
 * larger are skipped, and the route's models for long inputs come first.
 */
export function remainingCandidates(
  { candidates, routing }: GenerationOrder,
  failed: readonly FailedCandidate[],
): readonly Candidate[] {
  const windowed = candidates.map((candidate, index) => ({
    candidate,
    contextTokens: routing?.contextTokens[index] ?? null,
  }));
  const larger = (routing?.onContextLength ?? []).map(({ provider, model, contextTokens }) => ({
    candidate: { provider, model },
    contextTokens,
  }));
  const tooLong = failed.filter(({ failure }) => failure.code === 'context_length_exceeded');
  const all = [...larger, ...windowed];
  const windows = tooLong.map(
    ({ candidate }) => all.find((other) => isSameCandidate(other.candidate, candidate))?.contextTokens ?? 0,
  );
  const tooSmall = Math.max(0, ...windows);
  return (tooLong.length > 0 ? all : windowed)
    .filter(({ contextTokens }) => contextTokens === null || contextTokens > tooSmall)
    .map(({ candidate }) => candidate)
    .filter(
      (candidate, index, others) => others.findIndex((other) => isSameCandidate(other, candidate)) === index,
    )
    .filter((candidate) => !failed.some((other) => isSameCandidate(other.candidate, candidate)));
}
