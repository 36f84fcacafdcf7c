/** Decides from the errors in the log whether a candidate is called again, and after which wait. Pure. */

import { isSameCandidate } from '../../contracts/candidate.ts';
import { ERRORS, type ErrorCode, isErrorCode, type UnbrokenError } from '../../contracts/errors.ts';
import type { Candidate } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { AT_ONCE_MS } from '../failures.ts';
import type { GenerationRecord } from '../generation-record.ts';
import { REFUSES_KEY } from './gate-admission.ts';

/** Ends of an attempt that say nothing about its candidate, and so use up none of its attempts. */
const UNCOUNTED: ReadonlySet<string> = new Set(['attempt_interrupted', 'provider_response_lost']);

type Errors = Pick<GenerationRecord, 'errors'>;

/** Over all candidates: an input that kills a worker does so whichever model answers. */
export function uncountedIn({ errors }: Errors): number {
  return errors.filter(({ code }) => UNCOUNTED.has(code)).length;
}

/**
 * The error by which an earlier attempt gave this candidate up; null if it may be called. The report of that attempt
 * can be lost with its worker or with Temporal, which then repeats the step: only the log knows of its end.
 */
export function givenUpBy(candidate: Candidate, record: Errors): ErrorCode | null {
  const counted = countedErrors(candidate, record);
  const code = counted.at(-1)?.code;
  if (code === undefined || !isErrorCode(code)) return null;
  const mayHaveOtherKey = REFUSES_KEY.has(code);
  const isFinal = !mayHaveOtherKey && !ERRORS[code].retryable;
  return isFinal || counted.length >= LIMITS.providerErrorsPerCandidate ? code : null;
}

function countedErrors(candidate: Candidate, { errors }: Errors): GenerationRecord['errors'] {
  return errors.filter((error) => isSameCandidate(error, candidate) && !UNCOUNTED.has(error.code));
}

interface RetryDecision {
  readonly mayRetry: boolean;
  /** Retry only by reattaching: a silent model that is called again would be silent again. */
  readonly onlyResumed: boolean;
  readonly waitMs: number;
}

interface FailedCall {
  readonly candidate: Candidate;
  readonly error: UnbrokenError;
  /** The generation before this attempt. */
  readonly record: Errors;
  /** True if no candidate is left after this one. */
  readonly isLast: boolean;
  /** The keys of the provider. */
  readonly keyCount: number;
  /** How long the gate rests the key. */
  readonly restMs: number;
}

export function decideRetry(call: FailedCall): RetryDecision {
  const { candidate, error, record, isLast, keyCount, restMs } = call;
  const earlier = countedErrors(candidate, record);
  const isUncounted = UNCOUNTED.has(error.code);
  const counted = isUncounted ? earlier : [...earlier, error];
  const uncounted = uncountedIn(record) + (isUncounted ? 1 : 0);
  const isWithinLimits =
    counted.length < LIMITS.providerErrorsPerCandidate && uncounted < LIMITS.uncountedAttempts;
  if (REFUSES_KEY.has(error.code)) {
    const refusals = counted.filter(({ code }) => REFUSES_KEY.has(code)).length;
    return { mayRetry: refusals < keyCount && isWithinLimits, onlyResumed: false, waitMs: AT_ONCE_MS };
  }
  const mayRetry = error.entry.retryable && isWithinLimits;
  if (error.code === 'provider_rate_limited') {
    // For a long wait the gate has no room: it says so to the next attempt, and the workflow falls back or queues.
    const waitMs = Math.max(restMs, error.retryAfterMs ?? 0);
    const isShort = keyCount <= 1 && waitMs <= LIMITS.shortWaitMs;
    return { mayRetry, onlyResumed: false, waitMs: isShort ? waitMs : AT_ONCE_MS };
  }
  const waitMs = error.retryAfterMs ?? 0;
  const isSilent = error.code === 'provider_stalled' && !isLast;
  const wasSilent = earlier.some(({ code }) => code === 'provider_stalled');
  return {
    mayRetry: mayRetry && waitMs <= LIMITS.retryAfterMs && !(isSilent && wasSilent),
    onlyResumed: isSilent,
    waitMs,
  };
}
