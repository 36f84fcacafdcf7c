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

/** Limited by the caller (`mayAsk`), and no sign that the provider is unwell. */
const LIMITED_BY_CALLER = 'output_invalid';

/** Errors that the next candidate is likelier not to have than this one, once it has had one. */
const NOT_TWICE: ReadonlySet<ErrorCode> = new Set(['provider_stalled', 'provider_malformed']);

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
  return errors.filter(
    (error) =>
      isSameCandidate(error, candidate) && !UNCOUNTED.has(error.code) && error.code !== LIMITED_BY_CALLER,
  );
}

interface RetryDecision {
  readonly mayRetry: boolean;
  /** Retry only by reattaching: a silent model that is called again would be silent again. */
  readonly onlyResumed: boolean;
  readonly waitMs: number;
}

/** The first wait before a model that failed is called again; each further one doubles it. */
const BACKOFF_MS = 100;
/** How much longer a wait may become at random: of our own waits, and of those that a provider asks for. */
const OWN_JITTER = 0.5;
const ASKED_JITTER = 0.1;
const LONGEST_JITTER_MS = 1_000;

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
  /** From 0 to 1: calls that failed together must not all return at the same moment. */
  readonly random: number;
}

export function decideRetry(call: FailedCall): RetryDecision {
  const { candidate, error, record, isLast, keyCount, restMs, random } = call;
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
    const askedMs = Math.max(restMs, error.retryAfterMs ?? 0);
    const isShort = keyCount <= 1 && askedMs <= LIMITS.shortWaitMs;
    return { mayRetry, onlyResumed: false, waitMs: isShort ? askedWaitMs(askedMs, random) : AT_ONCE_MS };
  }
  const askedMs = error.retryAfterMs ?? 0;
  const isSilent = error.code === 'provider_stalled' && !isLast;
  const happenedBefore = earlier.some(({ code }) => code === error.code);
  const isHopeless = !isLast && NOT_TWICE.has(error.code) && happenedBefore;
  return {
    mayRetry: mayRetry && askedMs <= LIMITS.retryAfterMs && !isHopeless,
    onlyResumed: isSilent,
    waitMs: askedMs > 0 ? askedWaitMs(askedMs, random) : backoffMs(counted.length, random),
  };
}

function askedWaitMs(askedMs: number, random: number): number {
  return Math.ceil(askedMs + Math.min(askedMs * ASKED_JITTER, LONGEST_JITTER_MS) * random);
}

function backoffMs(failures: number, random: number): number {
  return Math.ceil(BACKOFF_MS * 2 ** Math.max(0, failures - 1) * (1 + OWN_JITTER * random));
}
