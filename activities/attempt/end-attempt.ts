/** The ends of an attempt: whole, stopped, or broken. Each puts on record what it used. */
import { ApplicationFailure } from '@temporalio/common';
import { ERRORS, type ErrorCode, isErrorCode, UnbrokenError } from '../../contracts/errors.ts';
import type { EventBody } from '../../contracts/events.ts';
import type { Candidate } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { mayBeBilled } from '../../contracts/may-be-billed.ts';
import { addUsage, NO_USAGE, type Usage } from '../../contracts/money.ts';
import type { GenerationOutcome } from '../../contracts/steps.ts';
import type { ProviderEvent } from '../../engine/providers/provider.ts';
import type { Departure } from '../../engine/routing/provider-gate.ts';
import type { Dependencies } from '../dependencies.ts';
import { AT_ONCE_MS, interrupted, timeIsUp } from '../failures.ts';
import { shareOf } from '../follow-leader.ts';
import type { GenerationRecord } from '../generation-record.ts';
import { type Attempt, type Progress, totals, usageSoFar } from './attempt.ts';
import { REFUSES_KEY } from './gate-admission.ts';
import { isPlausibleUsage } from './plausible-usage.ts';
import { responseIdOf } from './resume-plan.ts';

/** Errors after which a response that runs at the provider is still good and can be taken up again. */
const CUT: ReadonlySet<ErrorCode> = new Set([
  'provider_stream_cut',
  'provider_stalled',
  'provider_connect_failed',
]);
/** Ends of an attempt after which the candidate is as good as before: they use up none of its tries. */
const UNCOUNTED: ReadonlySet<string> = new Set(['attempt_interrupted', 'provider_response_lost']);

/** Over all candidates: an input that kills a worker does so whichever model answers. */
export function uncountedIn({ errors }: Pick<GenerationRecord, 'errors'>): number {
  return errors.filter(({ code }) => UNCOUNTED.has(code)).length;
}

/**
 * The error by which an earlier attempt gave this candidate up; null where it may be asked. The report of that attempt
 * can be lost with its worker or with Temporal, and then Temporal repeats the step: only the log knows of its end.
 */
export function givenUpBy(
  candidate: Candidate,
  { errors }: Pick<GenerationRecord, 'errors'>,
): ErrorCode | null {
  const counted = countedOf(candidate, errors);
  const code = counted.at(-1)?.code;
  if (code === undefined || !isErrorCode(code)) return null;
  const mayHaveOtherKey = REFUSES_KEY.has(code);
  const isFinal = !mayHaveOtherKey && !ERRORS[code].retryable;
  return isFinal || counted.length >= LIMITS.providerErrorsPerCandidate ? code : null;
}

function countedOf({ provider, model }: Candidate, errors: GenerationRecord['errors']) {
  return errors.filter(
    (error) => error.provider === provider && error.model === model && !UNCOUNTED.has(error.code),
  );
}

export async function endCompleted(
  dependencies: Dependencies,
  attempt: Attempt,
  progress: Progress,
  finish: Extract<ProviderEvent, { type: 'finish' }>,
): Promise<GenerationOutcome> {
  const { writer } = attempt;
  const { priceOf } = dependencies;
  const usage = await billedUsage(dependencies, attempt, progress, finish);
  const { record, step } = attempt;
  const used = { usage, costMicroUsd: priceOf(step.candidate.provider, step.candidate.model, usage) };
  const { own, shared } = await shareOf(dependencies, attempt, finish.reason, used);
  const end = {
    ...attempt.step.candidate,
    finishReason: finish.reason,
    attempts: attempt.number,
    cached: false,
    usage: addUsage(record.usage, own.usage),
    costMicroUsd: record.costMicroUsd + own.costMicroUsd,
  };
  void writer.write({ type: 'generation-end', ...end, ...(shared === null ? {} : { shared }) });
  // The reader's end does not wait for what the next callers learn of it.
  void attempt.pass.leave('answered', usage);
  await writer.flush();
  return { status: 'completed', ...end, lastSeq: writer.nextSeq - 1, errorCode: null };
}

/** The provider's own report, unless it has none or one that cannot be true. */
async function billedUsage(
  dependencies: Dependencies,
  attempt: Attempt,
  progress: Progress,
  { usage, reason }: Extract<ProviderEvent, { type: 'finish' }>,
): Promise<Usage> {
  const { reservedTokens, maxOutputTokens } = attempt.step;
  const { ownText } = progress;
  if (usage !== null && isPlausibleUsage(usage, { ownText, reason, reservedTokens, maxOutputTokens })) {
    return usage;
  }
  return usageSoFar(dependencies, attempt, { ...progress, counted: null });
}

/**
 * The stream was stopped. Only a cancelled generation ends here; a worker that shuts down, a pause, or an attempt
 * that the server has given up leave the log as it is for the next attempt, and one whose time is up for the workflow.
 */
export async function endStopped(
  dependencies: Dependencies,
  attempt: Attempt,
  progress: Progress,
  error: unknown,
): Promise<GenerationOutcome> {
  const soFar = await usageSoFar(dependencies, attempt, progress);
  void attempt.pass.leave(null, soFar);
  const why = attempt.control.stopped();
  const { writer } = attempt;
  if (why !== 'cancel') {
    if (!progress.mayBeBilled) void writer.write(neverLeft(attempt));
    const flushed = writer.flush().catch(() => abandonResponse(dependencies, attempt, progress));
    // A log that does not answer must not hold up the end; but what was never asked for must be known before it is billed.
    if (!progress.mayBeBilled) await flushed;
    throw why === 'deadline' ? timeIsUp() : interrupted(error);
  }
  const usage = (await stopAtProvider(attempt, progress)) ?? soFar;
  const end = { attempts: attempt.number, ...totals(dependencies, attempt, usage) };
  void writer.write({ type: 'generation-cancel', ...end });
  await writer.flush();
  return {
    status: 'cancelled',
    ...attempt.step.candidate,
    ...end,
    finishReason: null,
    cached: false,
    lastSeq: writer.nextSeq - 1,
    errorCode: 'cancelled',
  };
}

/** On record, so that nobody estimates a call that the provider never had. */
function neverLeft({ step, number }: Attempt): EventBody {
  return {
    type: 'provider-error',
    ...step.candidate,
    attempt: number,
    code: 'attempt_interrupted',
    message: 'The attempt was stopped before its call.',
    resumable: false,
    usage: NO_USAGE,
    costMicroUsd: 0,
  };
}

/**
 * The log takes no more from this attempt. The attempt that owns the log now reads on, or stops, the response that its checkpoint
 * names; any other would run to its end, paid and read by nobody, so it is stopped here.
 */
export async function abandonResponse(
  { log }: Dependencies,
  attempt: Attempt,
  { cursor }: Progress,
): Promise<void> {
  if (cursor === null) return;
  const head = await log.head(attempt.step.order.generationId).catch(() => undefined);
  // A log that is away may hold the checkpoint after all: the response is left to the next attempt.
  if (head === undefined || responseIdOf(head?.checkpoint) === cursor.responseId) return;
  await stopAtProvider(attempt, { cursor }).catch(() => null);
}

/** Puts a provider's error on record and says whether Temporal shall try this candidate again. */
export async function noteProviderError(
  dependencies: Dependencies,
  attempt: Attempt,
  progress: Progress,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof UnbrokenError)) {
    if (!(error instanceof ApplicationFailure)) void attempt.pass.leave(null, NO_USAGE);
    return error;
  }
  const { provider, model } = attempt.step.candidate;
  if (isRefusal(error, progress)) progress.mayBeBilled = false;
  const soFar = await usageSoFar(dependencies, attempt, progress);
  const departure = await attempt.pass.leave(error, soFar);
  const next = nextTry(dependencies, attempt, error, departure);
  const wantedMs = Math.max(departure.restMs, error.retryAfterMs ?? 0);
  const canResume = isStillThere(error, progress);
  const again = next.again && (canResume || !next.onlyResumed);
  const resumable = again && canResume;
  const accounted = resumable
    ? { usage: NO_USAGE, costMicroUsd: 0 }
    : await accountFailed(dependencies, attempt, progress);
  void attempt.writer.write({
    type: 'provider-error',
    provider,
    model,
    attempt: attempt.number,
    code: error.code,
    message: error.message,
    resumable,
    ...accounted,
  });
  await attempt.writer.flush();
  return ApplicationFailure.create({
    // A vendor's words may quote the prompt: they stay in the log, and out of history and what Temporal's SDK logs.
    message: `The call failed with ${error.code}; the log of the generation has the provider's words.`,
    type: error.code,
    nonRetryable: !again,
    ...(next.waitMs > 0 ? { nextRetryDelay: next.waitMs } : {}),
    // If no other candidate answers, the caller gets this wait as its Retry-After.
    ...(wantedMs > 0 ? { details: [{ retryAtMs: Date.now() + Math.ceil(wantedMs) }] } : {}),
  });
}

/** Whether the response that was begun can be taken up again. */
function isStillThere({ code }: UnbrokenError, { cursor, received }: Progress): boolean {
  return cursor !== null && code !== 'provider_response_lost' && (!received || CUT.has(code));
}

/** Whether the provider has said, or cannot have been told, that it makes no answer. */
function isRefusal(error: UnbrokenError, { cursor, received }: Progress): boolean {
  return cursor === null && !received && !mayBeBilled(error);
}

interface NextTry {
  readonly again: boolean;
  /** Again only where the running response is taken up: asked anew, a silent model would be silent again. */
  readonly onlyResumed: boolean;
  readonly waitMs: number;
}

function nextTry(
  { gate }: Dependencies,
  { step, record }: Attempt,
  error: UnbrokenError,
  { restMs }: Departure,
): NextTry {
  const earlier = countedOf(step.candidate, record.errors);
  const counted = UNCOUNTED.has(error.code) ? earlier : [...earlier, error];
  const uncounted = uncountedIn(record) + (UNCOUNTED.has(error.code) ? 1 : 0);
  const isWorthIt =
    counted.length < LIMITS.providerErrorsPerCandidate && uncounted < LIMITS.uncountedAttempts;
  const hasOtherKeys = gate.keyCount(step.candidate.provider) > 1;
  if (REFUSES_KEY.has(error.code)) {
    const refusals = counted.filter(({ code }) => REFUSES_KEY.has(code)).length;
    const again = refusals < gate.keyCount(step.candidate.provider) && isWorthIt;
    return { again, onlyResumed: false, waitMs: AT_ONCE_MS };
  }
  const again = error.entry.retryable && isWorthIt;
  if (error.code === 'provider_rate_limited') {
    // A long wait is the gate's: it says that there is no room, and the workflow asks another or waits in line.
    const waitMs = Math.max(restMs, error.retryAfterMs ?? 0);
    const isShort = !hasOtherKeys && waitMs <= LIMITS.shortWaitMs;
    return { again, onlyResumed: false, waitMs: isShort ? waitMs : AT_ONCE_MS };
  }
  const waitMs = error.retryAfterMs ?? 0;
  const isSilent = error.code === 'provider_stalled' && step.isLast !== true;
  const wasSilent = earlier.some(({ code }) => code === 'provider_stalled');
  return {
    again: again && waitMs <= LIMITS.retryAfterMs && !(isSilent && wasSilent),
    onlyResumed: isSilent,
    waitMs,
  };
}

async function accountFailed(dependencies: Dependencies, attempt: Attempt, progress: Progress) {
  const { provider, model } = attempt.step.candidate;
  const usage =
    (await stopAtProvider(attempt, progress)) ?? (await usageSoFar(dependencies, attempt, progress));
  return { usage, costMicroUsd: dependencies.priceOf(provider, model, usage) };
}

async function stopAtProvider(
  { provider, pass }: Attempt,
  { cursor }: Pick<Progress, 'cursor'>,
): Promise<Usage | null> {
  return cursor === null ? null : ((await provider.stop?.(cursor.responseId, pass.key.secret)) ?? null);
}
