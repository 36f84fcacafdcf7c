/** Who is asked next after candidates have failed, and whether anybody is. Pure. */
import { ActivityFailure, ApplicationFailure, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import { isSameCandidate } from '../contracts/candidate.ts';
import { ERRORS, type ErrorCode, isErrorCode } from '../contracts/errors.ts';
import type { Candidate, GenerationOrder } from '../contracts/generation.ts';
import { failureFacts, type StepFailure } from '../contracts/steps.ts';

export interface CandidateFailure extends StepFailure {
  readonly cancelled: boolean;
}

export interface FailedCandidate {
  readonly candidate: Candidate;
  readonly failure: CandidateFailure;
}

/** The failure of a candidate whose error the log has already. */
export function failureOf(failure: StepFailure): CandidateFailure {
  return { ...failure, cancelled: false };
}

export function readFailure(error: unknown): CandidateFailure {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  const cancelled = isCancellation(error);
  if (cause instanceof ApplicationFailure && isErrorCode(cause.type)) {
    return { code: cause.type, message: cause.message, ...failureFacts(cause.details), cancelled };
  }
  // Its last error may be of a service that was away; what ended it is that no time was left to retry.
  const isOutOfTime = error instanceof ActivityFailure && error.retryState === 'TIMEOUT';
  if (isOutOfTime || cause instanceof TimeoutFailure) {
    return { code: 'generation_timeout', message: 'The generation took longer than its limit.', cancelled };
  }
  return { code: 'internal', message: 'A step of the generation failed.', cancelled };
}

/** Whether somebody else may answer after this error. A refusal by content policy is told, unless the route says else. */
export function mayFallBack({ routing }: GenerationOrder, code: ErrorCode): boolean {
  if (code === 'content_filtered') return routing?.onContentPolicy === 'fall-back';
  return ERRORS[code].fallback;
}

/**
 * The candidates that are left, in their order. After an input was too long for a model, no model with a window that
 * is known to be as small is asked, and the route's models for long inputs come first.
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
  const known = [...larger, ...windowed];
  const windows = tooLong.map(
    ({ candidate }) => known.find((other) => isSameCandidate(other.candidate, candidate))?.contextTokens ?? 0,
  );
  const tooSmall = Math.max(0, ...windows);
  return (tooLong.length > 0 ? known : windowed)
    .filter(({ contextTokens }) => contextTokens === null || contextTokens > tooSmall)
    .map(({ candidate }) => candidate)
    .filter((candidate, index, all) => all.findIndex((other) => isSameCandidate(other, candidate)) === index)
    .filter((candidate) => !failed.some((other) => isSameCandidate(other.candidate, candidate)));
}
