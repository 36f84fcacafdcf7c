/** Whether the next candidate is tried after one has failed for good. Pure. */
import { ActivityFailure, ApplicationFailure, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import { ERRORS, type ErrorCode, isErrorCode } from '../contracts/errors.ts';

export interface CandidateFailure {
  readonly code: ErrorCode;
  readonly message: string;
  /** Small facts for the reader. */
  readonly details?: Readonly<Record<string, string | number>>;
  readonly fallback: boolean;
  readonly cancelled: boolean;
}

export function readFailure(error: unknown): CandidateFailure {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  const cancelled = isCancellation(error);
  if (cause instanceof ApplicationFailure && isErrorCode(cause.type)) {
    const { type: code, message, details } = cause;
    const [facts] = details ?? [];
    return {
      ...{ code, message, fallback: ERRORS[code].fallback, cancelled },
      ...(isFacts(facts) ? { details: facts } : {}),
    };
  }
  if (cause instanceof TimeoutFailure) {
    const message = 'The generation took longer than its limit.';
    return { code: 'generation_timeout', message, fallback: false, cancelled };
  }
  return { code: 'internal', message: 'A step of the generation failed.', fallback: false, cancelled };
}

function isFacts(value: unknown): value is Readonly<Record<string, string | number>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
