/** Whether the next candidate is tried after one has failed for good. Pure. */
import { ActivityFailure, ApplicationFailure, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import { ERRORS, isErrorCode } from '../contracts/errors.ts';
import { type StepFailure, stepDetails } from '../contracts/steps.ts';

export interface CandidateFailure extends StepFailure {
  readonly fallback: boolean;
  readonly cancelled: boolean;
}

/** The failure of a candidate whose error the log has already. */
export function failureOf(failure: StepFailure): CandidateFailure {
  return { ...failure, fallback: ERRORS[failure.code].fallback, cancelled: false };
}

export function readFailure(error: unknown): CandidateFailure {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  const cancelled = isCancellation(error);
  if (cause instanceof ApplicationFailure && isErrorCode(cause.type)) {
    const { type: code, message, details } = cause;
    return { ...failureOf({ code, message, ...stepDetails(details) }), cancelled };
  }
  if (cause instanceof TimeoutFailure) {
    const message = 'The generation took longer than its limit.';
    return { code: 'generation_timeout', message, fallback: false, cancelled };
  }
  return { code: 'internal', message: 'A step of the generation failed.', fallback: false, cancelled };
}
