/**
 * The failures of our activities. Each says to Temporal whether and when the step is retried, by `nonRetryable` and
 * `nextRetryDelay`, and to the workflow why, by an `ErrorCode` in `type` and `FailureFacts` in `details`.
 */
import { ApplicationFailure } from '@temporalio/common';
import { type ErrorCode, TIMEOUT_MESSAGE } from '../contracts/errors.ts';
import type { FailureFacts } from '../contracts/steps.ts';

/** The next attempt need not wait for anything. */
export const AT_ONCE_MS = 50;
/** The next attempt continues a running answer, and readers wait for it. */
const CONTINUE_MS = 10;

/** The step must not be retried. */
export function permanent(code: ErrorCode, message: string, facts?: FailureFacts): ApplicationFailure {
  const details = facts === undefined ? {} : { details: [facts] };
  return ApplicationFailure.create({ message, type: code, nonRetryable: true, ...details });
}

export function interrupted(cause: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    message: 'This attempt ends without an answer; the next one resumes from the log.',
    type: 'attempt_interrupted',
    nextRetryDelay: AT_ONCE_MS,
    ...(cause instanceof Error ? { cause } : {}),
  });
}

/** The run was given to another worker, which resumes from the log. */
export function notOurs(): ApplicationFailure {
  return interrupted(null);
}

export function capRaised(): ApplicationFailure {
  return ApplicationFailure.create({
    message: 'The output cap was raised; the next attempt continues the answer.',
    type: 'attempt_interrupted',
    nextRetryDelay: CONTINUE_MS,
  });
}

export function timeIsUp(): ApplicationFailure {
  return permanent('generation_timeout', TIMEOUT_MESSAGE);
}

/** Ends this one generation: a retry would read the same log and fail again. */
export function brokenInvariant({ message }: Error): ApplicationFailure {
  return permanent('internal', `An invariant is broken: ${message}.`);
}

export function inputLost(): ApplicationFailure {
  return permanent('input_lost', 'The input of this generation is no longer stored.');
}

/** The provider asked for a longer wait than a caller is made to wait. */
export function askedToWait(candidate: string, restMs: number): ApplicationFailure {
  const message = `${candidate} asks not to be called for ${Math.ceil(restMs / 1_000)} s.`;
  return permanent('provider_rate_limited', message, { details: retryAt(restMs) });
}

interface CallFailure {
  readonly code: ErrorCode;
  readonly mayRetry: boolean;
  /** Until the next attempt. */
  readonly waitMs: number;
  /** The wait that the provider or its gate asked for; 0: none. */
  readonly restMs: number;
}

export function callFailed({ code, mayRetry, waitMs, restMs }: CallFailure): ApplicationFailure {
  return ApplicationFailure.create({
    // A vendor's message may quote the prompt: it stays in the log, and out of history and the SDK's logs.
    message: `The call failed with ${code}; the log of the generation has the provider's message.`,
    type: code,
    nonRetryable: !mayRetry,
    ...(waitMs > 0 ? { nextRetryDelay: waitMs } : {}),
    // If no other candidate answers, the caller gets this as its Retry-After.
    ...(restMs > 0 ? { details: [{ details: retryAt(restMs) } satisfies FailureFacts] } : {}),
  });
}

function retryAt(restMs: number) {
  return { retryAtMs: Date.now() + Math.ceil(restMs) };
}

/** Why the log refused a writer, such as `fenced` or `missing`; null for any other error. */
export function logRefusal(error: unknown): string | null {
  return error instanceof Error && 'reason' in error && typeof error.reason === 'string'
    ? error.reason
    : null;
}
