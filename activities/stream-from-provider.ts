/**
 * Streams one candidate's answer into the log. Every attempt begins by taking the log over (which silences any
 * attempt before it) and reading what it holds; so an attempt after a crash knows exactly what readers were given,
 * and goes on from there. A stream that `beginGeneration` has begun in this process is adopted as it runs.
 */
import { activityInfo, Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { type ErrorCode, UnbrokenError } from '../contracts/errors.ts';
import type { GenerationInput } from '../contracts/generation.ts';
import { LIMITS } from '../contracts/limits.ts';
import { addUsage, NO_USAGE, type Usage } from '../contracts/money.ts';
import type { GenerationOutcome, StreamStep } from '../contracts/steps.ts';
import type { Provider, ProviderCursor, ProviderEvent } from '../providers/provider.ts';
import type { OpenedLog } from '../streaming/event-log.ts';
import { accountAbandonedAttempt, estimateUsage } from './account-attempt.ts';
import type { Dependencies } from './dependencies.ts';
import { findLeader, followLeader, shareOf } from './follow-leader.ts';
import { type GenerationRecord, readRecord } from './generation-record.ts';
import { createRestartGuard } from './restart-guard.ts';
import { type Checkpoint, openCheckpoint, planResume, type Resume } from './resume-plan.ts';
import type { RunningStreams, StreamControl } from './running-streams.ts';

const HEARTBEAT_MS = 500;
const PROGRESS_MS = 1_000;

/** Errors after which a response that runs at the provider is still good and can be taken up again. */
const CUT: ReadonlySet<ErrorCode> = new Set([
  'provider_stream_cut',
  'provider_stalled',
  'provider_connect_failed',
]);

/** One attempt: what it reads from, writes to, and has found in the log. */
interface Attempt {
  readonly step: StreamStep;
  readonly control: StreamControl;
  readonly provider: Provider;
  readonly input: GenerationInput;
  readonly log: OpenedLog;
  readonly record: GenerationRecord;
  readonly number: number;
  readonly resume: Resume;
  readonly checkpoint: Checkpoint | null;
}

/** Where the attempt stands; changes as events come in. */
interface Progress {
  cursor: ProviderCursor | null;
  /** Text of this provider response, also what an earlier process delivered of it. */
  ownText: string;
  /** Whether this process has received anything from the provider. */
  received: boolean;
}

export function streamFromProvider(dependencies: Dependencies, running: RunningStreams) {
  return async (step: StreamStep): Promise<GenerationOutcome> => {
    const context = Context.current();
    const epoch = activityInfo().currentAttemptScheduledTimestampMs;
    const stream = running.joinOrStart(step, epoch, (control) => runStream(dependencies, step, control));
    running.claim(step);
    const beat = setInterval(() => context.heartbeat({ seq: stream.lastSeq() }), HEARTBEAT_MS);
    const stop = () =>
      stream.stop(context.cancellationDetails?.cancelRequested === true ? 'cancel' : 'leave');
    context.cancellationSignal.addEventListener('abort', stop, { once: true });
    try {
      return await stream.outcome;
    } finally {
      clearInterval(beat);
    }
  };
}

/** One attempt from taking the log over to its end. Rejects with an `ApplicationFailure` that says what is next. */
export async function runStream(
  dependencies: Dependencies,
  step: StreamStep,
  control: StreamControl,
): Promise<GenerationOutcome> {
  const { generationId } = step.order;
  const [log, input] = await Promise.all([
    dependencies.log.open(generationId, control.epoch, () => control.stop('cancel')),
    dependencies.log.readInput(generationId),
  ]);
  const record = readRecord(log.events);
  if (record.outcome !== null) return record.outcome;
  if (input === null) throw permanent('input_lost', 'The input of this generation is no longer stored.');
  control.opened(log.writer);
  const joined = await findLeader(dependencies, { step, log, input, record });
  if (joined !== null) {
    const followed = await followLeader(dependencies, { step, control, log, record, joined });
    // One that cannot follow any more goes on by itself, from what it has delivered.
    return followed ?? (await runStream(dependencies, step, control));
  }
  const attempt = await beginAttempt(dependencies, step, control, log, record, input);
  const progress: Progress = {
    cursor: attempt.resume.strategy === 'reattach' ? attempt.resume.cursor : null,
    ownText: attempt.resume.strategy === 'reattach' ? (record.openAttempt?.ownText ?? '') : '',
    received: false,
  };
  try {
    return await relayProvider(dependencies, attempt, progress);
  } catch (error) {
    if (control.signal.aborted) return await endCancelled(dependencies, attempt, progress, error);
    throw await noteProviderError(dependencies, attempt, progress, error);
  }
}

async function beginAttempt(
  dependencies: Dependencies,
  step: StreamStep,
  control: StreamControl,
  log: OpenedLog,
  record: GenerationRecord,
  input: GenerationInput,
): Promise<Attempt> {
  const { provider: name, model } = step.candidate;
  const provider = dependencies.providers.get(name);
  if (provider === undefined) throw permanent('model_not_found', `No provider "${name}" is configured here.`);
  const checkpoint = openCheckpoint(log.head.checkpoint, record);
  const resume = planResume(step.candidate, provider.capabilities(model), record, checkpoint);
  let known = record;
  if (record.openAttempt !== null && resume.strategy !== 'reattach') {
    known = await closeInterrupted(dependencies, log, record, input, checkpoint);
  }
  const { writer } = log;
  if (!record.budgetNoted) {
    const { reservedTokens, remainingTokens, maxOutputTokens } = step;
    void writer.write({ type: 'budget-reserve', reservedTokens, remainingTokens, maxOutputTokens });
  }
  const number = resume.strategy === 'reattach' ? record.attempts : record.attempts + 1;
  void writer.write({
    type: 'provider-start',
    provider: name,
    model,
    attempt: number,
    strategy: resume.strategy,
  });
  // On record before the call leaves: a call that the log does not know could be paid without anyone knowing.
  await writer.flush();
  return { step, control, provider, input, log, record: known, number, resume, checkpoint };
}

/** The process that ran the open attempt died: its usage goes on record before another attempt begins. */
async function closeInterrupted(
  dependencies: Dependencies,
  log: OpenedLog,
  record: GenerationRecord,
  input: GenerationInput,
  checkpoint: Checkpoint | null,
): Promise<GenerationRecord> {
  const open = record.openAttempt;
  if (open === null) return record;
  const responseId = checkpoint?.cursor.responseId ?? null;
  const accounted = await accountAbandonedAttempt(dependencies, open, input, responseId);
  void log.writer.write({
    type: 'provider-error',
    provider: open.provider,
    model: open.model,
    attempt: open.attempt,
    code: 'attempt_interrupted',
    message: 'The process that read this answer ended.',
    resumable: false,
    ...accounted,
  });
  return {
    ...record,
    openAttempt: null,
    usage: addUsage(record.usage, accounted.usage),
    costMicroUsd: record.costMicroUsd + accounted.costMicroUsd,
  };
}

async function relayProvider(
  dependencies: Dependencies,
  attempt: Attempt,
  progress: Progress,
): Promise<GenerationOutcome> {
  const { step, provider, input, resume, record, number, log } = attempt;
  const { writer } = log;
  const guard = createRestartGuard(resume.strategy === 'restart' ? record.text : '');
  const deliver = async (guarded: { reset: boolean; text: string }, checkpoint?: Checkpoint) => {
    if (guarded.reset)
      void writer.write({ type: 'text-reset', reason: 'The answer was begun again and differs.' });
    if (guarded.text !== '') await writer.write({ type: 'text-delta', text: guarded.text }, checkpoint);
  };
  let reportedAt = Date.now();
  let finish: Extract<ProviderEvent, { type: 'finish' }> | null = null;
  const call = {
    model: step.candidate.model,
    input,
    maxOutputTokens: remainingOutput(dependencies, attempt),
    idempotencyKey: `${step.order.generationId}:${number}`,
    resume,
    signal: attempt.control.signal,
  };
  for await (const event of provider.stream(call)) {
    progress.received = true;
    if (event.type === 'finish') {
      finish = event;
      break;
    }
    if (event.cursor !== undefined) progress.cursor = event.cursor;
    const checkpoint = event.cursor === undefined ? undefined : { ...step.candidate, cursor: event.cursor };
    if (event.type === 'text') {
      progress.ownText += event.text;
      await deliver(guard.push(event.text), checkpoint);
    } else if (event.type === 'reasoning') {
      await writer.write({ type: 'reasoning-delta', text: event.text }, checkpoint);
    } else if (checkpoint !== undefined) {
      // The response's id must be in the log as early as may be: without it a crash now would pay the call twice.
      await writer.write(acceptedEvent(attempt), checkpoint);
    }
    if (Date.now() - reportedAt > PROGRESS_MS) {
      reportedAt = Date.now();
      await writer.write(progressEvent(dependencies, attempt, progress));
    }
  }
  if (finish === null)
    throw new UnbrokenError('provider_stream_cut', 'The stream ended without a finished answer.');
  await deliver(guard.finish());
  return await endCompleted(dependencies, attempt, progress, finish);
}

/** A continued answer may use only what the answer so far has left of the cap. */
function remainingOutput({ countTokens }: Dependencies, { step, resume }: Attempt): number {
  if (resume.strategy !== 'prefill' && resume.strategy !== 'instruct') return step.maxOutputTokens;
  return Math.max(1, step.maxOutputTokens - countTokens(resume.deliveredText));
}

function usageSoFar({ countTokens }: Dependencies, { input, resume }: Attempt, progress: Progress): Usage {
  const prefillText = 'deliveredText' in resume ? resume.deliveredText : '';
  return progress.received ? estimateUsage(input, prefillText, progress.ownText, countTokens) : NO_USAGE;
}

function totals({ priceOf }: Dependencies, { step, record }: Attempt, usage: Usage) {
  const { provider, model } = step.candidate;
  return {
    usage: addUsage(record.usage, usage),
    costMicroUsd: record.costMicroUsd + priceOf(provider, model, usage),
  };
}

function progressEvent(dependencies: Dependencies, attempt: Attempt, progress: Progress) {
  return {
    type: 'usage-update',
    ...attempt.step.candidate,
    attempt: attempt.number,
    ...totals(dependencies, attempt, usageSoFar(dependencies, attempt, progress)),
  } as const;
}

/** Carries the provider's cursor into the log before any text; nothing is counted on the way to the first token. */
function acceptedEvent({ step, number, record }: Attempt) {
  const { usage, costMicroUsd } = record;
  return { type: 'usage-update', ...step.candidate, attempt: number, usage, costMicroUsd } as const;
}

async function endCompleted(
  dependencies: Dependencies,
  attempt: Attempt,
  progress: Progress,
  finish: Extract<ProviderEvent, { type: 'finish' }>,
): Promise<GenerationOutcome> {
  const { writer } = attempt.log;
  const usage = finish.usage ?? usageSoFar(dependencies, attempt, progress);
  const used = totals(dependencies, attempt, usage);
  const { own, shared } = await shareOf(dependencies, attempt, finish.reason, used);
  const end = {
    ...attempt.step.candidate,
    finishReason: finish.reason,
    attempts: attempt.number,
    cached: false,
    ...own,
  };
  void writer.write({ type: 'generation-end', ...end, ...(shared === null ? {} : { shared }) });
  await writer.flush();
  return { status: 'completed', ...end, lastSeq: writer.nextSeq - 1, errorCode: null };
}

/**
 * The stream was stopped. Only a cancelled generation ends here; a worker that shuts down, a pause, or an attempt
 * that the server has given up leave the log as it is for the next attempt.
 */
async function endCancelled(
  dependencies: Dependencies,
  attempt: Attempt,
  progress: Progress,
  error: unknown,
): Promise<GenerationOutcome> {
  if (attempt.control.stopped() !== 'cancel') {
    throw ApplicationFailure.create({
      message: 'This attempt ends without an answer; the next one goes on from the log.',
      type: 'attempt_interrupted',
      nextRetryDelay: 50,
      ...(error instanceof Error ? { cause: error } : {}),
    });
  }
  const { writer } = attempt.log;
  const responseId = progress.cursor?.responseId ?? null;
  const reported = responseId === null ? null : await attempt.provider.stop?.(responseId);
  const usage = reported ?? usageSoFar(dependencies, attempt, progress);
  const end = { attempts: attempt.number, ...totals(dependencies, attempt, usage) };
  void writer.write({ type: 'generation-cancel', ...end });
  await writer.flush();
  return {
    status: 'cancelled',
    ...attempt.step.candidate,
    ...end,
    ...{ finishReason: null, cached: false, lastSeq: writer.nextSeq - 1, errorCode: 'cancelled' },
  };
}

/** Puts a provider's error on record and says whether Temporal shall try this candidate again. */
async function noteProviderError(
  dependencies: Dependencies,
  attempt: Attempt,
  progress: Progress,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof UnbrokenError)) return error;
  const { provider, model } = attempt.step.candidate;
  const earlier = attempt.record.errors.filter(
    (one) => one.provider === provider && one.model === model && one.code !== 'attempt_interrupted',
  ).length;
  const waitMs = error.retryAfterMs ?? 0;
  const again =
    error.entry.retryable && earlier + 1 < LIMITS.providerErrorsPerCandidate && waitMs <= LIMITS.retryAfterMs;
  const resumable = again && progress.cursor !== null && (!progress.received || CUT.has(error.code));
  const accounted = resumable
    ? { usage: NO_USAGE, costMicroUsd: 0 }
    : await accountFailed(dependencies, attempt, progress);
  void attempt.log.writer.write({
    type: 'provider-error',
    ...{ provider, model, attempt: attempt.number, code: error.code, message: error.message, resumable },
    ...accounted,
  });
  await attempt.log.writer.flush();
  return ApplicationFailure.create({
    message: error.message,
    type: error.code,
    nonRetryable: !again,
    ...(waitMs > 0 ? { nextRetryDelay: waitMs } : {}),
  });
}

async function accountFailed(dependencies: Dependencies, attempt: Attempt, progress: Progress) {
  const { provider, model } = attempt.step.candidate;
  const responseId = progress.cursor?.responseId ?? null;
  const reported = responseId === null ? null : await attempt.provider.stop?.(responseId);
  const usage =
    reported ?? (progress.ownText === '' ? NO_USAGE : usageSoFar(dependencies, attempt, progress));
  return { usage, costMicroUsd: dependencies.priceOf(provider, model, usage) };
}

function permanent(code: ErrorCode, message: string): ApplicationFailure {
  return ApplicationFailure.create({ message, type: code, nonRetryable: true });
}
