/** Whether the next candidate is tried after one has failed for good. Pure. */
import { ActivityFailure, ApplicationFailure, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import { ERRORS, type ErrorCode, isErrorCode } from '../contracts/errors.ts';

export interface CandidateFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fallback: boolean;
  readonly cancelled: boolean;
}

/** The failure of a candidate whose error the log has already. */
export function failureOf({ code, message }: { code: ErrorCode; message: string }): CandidateFailure {
  return { code, message, fallback: ERRORS[code].fallback, cancelled: false };
}

export function readFailure(error: unknown): CandidateFailure {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  const cancelled = isCancellation(error);
  if (cause instanceof ApplicationFailure && isErrorCode(cause.type)) {
    return { ...failureOf({ code: cause.type, message: cause.message }), cancelled };
  }
  if (cause instanceof TimeoutFailure) {
    const message = 'The generation took longer than its limit.';
    return { code: 'generation_timeout', message, fallback: false, cancelled };
  }
  return { code: 'internal', message: 'A step of the generation failed.', fallback: false, cancelled };
}
