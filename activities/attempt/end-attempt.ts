/**
 * The ends of an attempt: whole, stopped, or broken. Complete, cancelled and failed attempts write to the log what they
 * used. One that another attempt continues writes nothing, or that its call was never sent. `write` buffers; `flush`
 * waits for Redis.
 */
import { ApplicationFailure } from '@temporalio/common';
import { endingOf } from '../../contracts/ending.ts';
import { type ErrorCode, UnbrokenError } from '../../contracts/errors.ts';
import { mayBeBilled } from '../../contracts/may-be-billed.ts';
import { addUsage, NO_USAGE, type Usage } from '../../contracts/money.ts';
import { savedBy } from '../../contracts/share.ts';
import type { GenerationOutcome } from '../../contracts/steps.ts';
import { mostMediaTokens } from '../../contracts/tokens.ts';
import type { Finish } from '../../engine/providers/provider.ts';
import { callFailed, interrupted, timeIsUp } from '../failures.ts';
import { shareOf } from '../share-answer.ts';
import type { Accounted } from './account-attempt.ts';
import type { Attempt } from './attempt.ts';
import { isPlausibleUsage } from './plausible-usage.ts';
import { decideRetry } from './retry-policy.ts';

/** Errors after which a response still runs at the provider and can be reattached to. */
const CUT: ReadonlySet<ErrorCode> = new Set([
  'provider_stream_cut',
  'provider_stalled',
  'provider_connect_failed',
]);

export async function endCompleted(attempt: Attempt, finish: Finish): Promise<GenerationOutcome> {
  const { step, record, writer, number, pass } = attempt.facts;
  const usage = await billedUsage(attempt, finish);
  const used = { usage, costMicroUsd: attempt.costOf(usage) };
  const { own, shared } = await shareOf(attempt.dependencies, attempt.facts, finish.reason, used);
  const end = {
    ...step.candidate,
    finishReason: finish.reason,
    attempts: number,
    cached: false,
    usage: addUsage(record.usage, own.usage),
    costMicroUsd: record.costMicroUsd + own.costMicroUsd,
    ...(shared === null ? {} : { saved: savedBy(used, own) }),
  };
  rememberCalls(attempt, finish);
  const details = { ...endingOf(finish), ...(shared === null ? {} : { shared }) };
  void writer.write({ type: 'generation-end', ...end, ...details });
  // Not awaited: readers get the end without waiting for the gate.
  void pass.leave('answered', usage);
  await writer.flush();
  return { status: 'completed', ...end, lastSeq: writer.nextSeq - 1, errorCode: null };
}

/**
 * Sent before the end of the answer, so that the results of its calls find it. Not awaited: without it, the model only
 * starts its next turn without these thoughts.
 */
function rememberCalls(attempt: Attempt, { reason }: Finish): void {
  if (reason !== 'tool-calls' || !attempt.hasSeals) return;
  const { tenant, user, generationId } = attempt.facts.step.order;
  const { callAnswers } = attempt.dependencies;
  callAnswers.remember({ tenant, user }, generationId, attempt.callIds).catch(() => undefined);
}

/** The provider's own report, unless it has none or one that cannot be true. */
export async function billedUsage(attempt: Attempt, { usage, reason, refusal }: Finish): Promise<Usage> {
  const { step, input, isUncapped } = attempt.facts;
  const bounds = {
    ownText: attempt.ownText,
    reason,
    reservedTokens: step.reservedTokens,
    mostMediaTokens: mostMediaTokens(input.messages),
    maxOutputTokens: isUncapped ? Number.POSITIVE_INFINITY : step.maxOutputTokens,
  };
  if (usage !== null && isPlausibleUsage(usage, bounds)) return usage;
  if (refusal?.text !== undefined) attempt.noteOutput(refusal.text);
  return attempt.estimateUsage();
}

/**
 * The stream was stopped. Only a cancelled generation ends here. After a worker's shutdown, a pause, or a takeover by
 * another attempt, the next attempt resumes from the log; after the deadline, the workflow closes it.
 */
export async function endStopped(attempt: Attempt, error: unknown): Promise<GenerationOutcome> {
  const { step, control, writer, number, pass } = attempt.facts;
  const soFar = await attempt.usageSoFar();
  void pass.leave(null, soFar);
  const why = control.stopped();
  if (why !== 'cancel') {
    if (!attempt.mayBeBilled) noteNeverSent(attempt);
    const flushed = writer.flush().catch(() => attempt.abandonResponse());
    // An unreachable log must not delay this end, unless the log must learn that the call was never sent.
    if (!attempt.mayBeBilled) await flushed;
    throw why === 'deadline' ? timeIsUp() : interrupted(error);
  }
  const usage = (await attempt.stopAtProvider()) ?? soFar;
  const end = { attempts: number, ...attempt.totals(usage) };
  void writer.write({ type: 'generation-cancel', ...end });
  await writer.flush();
  return {
    status: 'cancelled',
    ...step.candidate,
    ...end,
    finishReason: null,
    cached: false,
    lastSeq: writer.nextSeq - 1,
    errorCode: 'cancelled',
  };
}

/** Without this, a later process would estimate and bill a call that the provider never received. */
function noteNeverSent({ facts }: Attempt): void {
  const { step, number, writer } = facts;
  void writer.write({
    type: 'provider-error',
    ...step.candidate,
    attempt: number,
    code: 'attempt_interrupted',
    message: 'The attempt was stopped before its call.',
    resumable: false,
    usage: NO_USAGE,
    costMicroUsd: 0,
  });
}

/** Writes a provider's error to the log. @returns the failure that says whether Temporal retries this candidate. */
export async function noteProviderError(attempt: Attempt, error: unknown): Promise<unknown> {
  const { step, record, pass, writer, number } = attempt.facts;
  const { provider, model } = step.candidate;
  if (!(error instanceof UnbrokenError)) {
    if (!(error instanceof ApplicationFailure)) void pass.leave(null, NO_USAGE);
    return error;
  }
  if (isRefusal(error, attempt)) attempt.noteCallRefused();
  const departure = await pass.leave(error, await attempt.usageSoFar());
  const retry = decideRetry({
    candidate: step.candidate,
    error,
    record,
    isLast: step.isLast === true,
    keyCount: attempt.dependencies.gate.keyCount(provider),
    restMs: departure.restMs,
    random: Math.random(),
  });
  const canResume = isStillRunning(error, attempt);
  const mayRetry = retry.mayRetry && (canResume || !retry.onlyResumed);
  const resumable = mayRetry && canResume;
  const accounted = resumable ? { usage: NO_USAGE, costMicroUsd: 0 } : await accountFailed(attempt);
  void writer.write({
    type: 'provider-error',
    provider,
    model,
    attempt: number,
    code: error.code,
    message: error.message,
    resumable,
    ...accounted,
  });
  await writer.flush();
  const restMs = Math.max(departure.restMs, error.retryAfterMs ?? 0);
  return callFailed({ code: error.code, mayRetry, waitMs: retry.waitMs, restMs });
}

/** True if the response still runs at the provider and can be reattached to. */
function isStillRunning({ code }: UnbrokenError, { cursor, hasReceived }: Attempt): boolean {
  return cursor !== null && code !== 'provider_response_lost' && (!hasReceived || CUT.has(code));
}

/**
 * True if the provider cannot have begun an answer: it refused, or the request never left. A retry is not paid twice.
 */
function isRefusal(error: UnbrokenError, { cursor, hasReceived }: Attempt): boolean {
  return cursor === null && !hasReceived && !mayBeBilled(error);
}

async function accountFailed(attempt: Attempt): Promise<Accounted> {
  const usage = (await attempt.stopAtProvider()) ?? (await attempt.usageSoFar());
  return { usage, costMicroUsd: attempt.costOf(usage) };
}
