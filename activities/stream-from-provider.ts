/**
 * Streams one candidate's answer into the log. Every attempt begins by taking the log over (which silences any
 * attempt before it) and reading what it holds; so an attempt after a crash knows exactly what readers were given,
 * and goes on from there. A stream that `beginGeneration` has begun in this process is adopted as it runs.
 */
import { activityInfo, Context } from '@temporalio/activity';
import { describeRefusal } from '../contracts/budget-refusal.ts';
import { UnbrokenError } from '../contracts/errors.ts';
import type { GenerationInput } from '../contracts/generation.ts';
import { addUsage } from '../contracts/money.ts';
import type { GenerationOutcome, StreamStep } from '../contracts/steps.ts';
import type { ProviderCall, ProviderEvent } from '../providers/provider.ts';
import type { Admission } from '../routing/provider-gate.ts';
import type { OpenedLog } from '../streaming/event-log.ts';
import { accountAbandonedAttempt } from './account-attempt.ts';
import { type Attempt, type Progress, totals, usageSoFar } from './attempt.ts';
import { enterGate, leaveUnused, passOf } from './attempt-pass.ts';
import type { Dependencies } from './dependencies.ts';
import { endCompleted, endStopped, noteProviderError, permanent } from './end-attempt.ts';
import { goOnWhereRaised, reserveCall } from './extend-reservation.ts';
import { findLeader, followLeader } from './follow-leader.ts';
import { chargeOf, type GenerationRecord, readRecord } from './generation-record.ts';
import { noteBudget } from './note-budget.ts';
import { createRestartGuard } from './restart-guard.ts';
import { beginsAnew, type Checkpoint, openCheckpoint, planResume } from './resume-plan.ts';
import type { RunningStreams, StreamControl } from './running-streams.ts';
import { readSentInput } from './sent-input.ts';

const HEARTBEAT_MS = 500;
const PROGRESS_MS = 1_000;
/** Node's timers go no further; a longer deadline is Temporal's alone. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function streamFromProvider(dependencies: Dependencies, running: RunningStreams) {
  return async (step: StreamStep): Promise<GenerationOutcome> => {
    const context = Context.current();
    const epoch = activityInfo().currentAttemptScheduledTimestampMs;
    // Room that was waited for is good for one call.
    const paid = activityInfo().attempt === 1 ? step : withoutRoom(step);
    const stream = running.joinOrStart(step, epoch, (control) => runStream(dependencies, paid, control));
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
  // One round trip: the commands leave together.
  const [admission, log, input] = await Promise.all([
    enterGate(dependencies, step, control.epoch),
    dependencies.log.open(generationId, control.epoch, () => control.stop('cancel')),
    readSentInput(dependencies, generationId),
  ]);
  const record = readRecord(log.events);
  if (record.outcome !== null || input === null) {
    leaveUnused(admission);
    if (record.outcome !== null) return record.outcome;
    throw permanent('input_lost', 'The input of this generation is no longer stored.');
  }
  control.opened(log.writer);
  const joined = await findLeader(dependencies, { step, log, input, record });
  if (joined !== null) {
    leaveUnused(admission);
    const followed = await followLeader(dependencies, { step, control, log, record, joined });
    // One that cannot follow any more goes on by itself, from what it has delivered.
    return followed ?? (await runStream(dependencies, step, control));
  }
  const attempt = await beginAttempt(dependencies, step, control, admission, log, record, input);
  const progress: Progress = {
    cursor: attempt.resume.strategy === 'reattach' ? attempt.resume.cursor : null,
    ownText: attempt.resume.strategy === 'reattach' ? (record.openAttempt?.ownText ?? '') : '',
    counted: null,
    received: false,
    mayBeBilled: attempt.resume.strategy === 'reattach',
  };
  const clock = stopAtDeadline(step, control);
  try {
    return await relayProvider(dependencies, attempt, progress);
  } catch (error) {
    if (control.signal.aborted) return await endStopped(dependencies, attempt, progress, error);
    throw await noteProviderError(dependencies, attempt, progress, error);
  } finally {
    clearTimeout(clock);
  }
}

function withoutRoom({ room: _room, ...step }: StreamStep): StreamStep {
  return step;
}

/** Temporal's own timeout is told by heartbeats, seconds late; this one ends the stream in time. */
function stopAtDeadline({ order }: StreamStep, control: StreamControl): NodeJS.Timeout | undefined {
  const leftMs = (order.deadlineAtMs ?? Number.POSITIVE_INFINITY) - Date.now();
  if (leftMs > LONGEST_TIMER_MS) return undefined;
  return setTimeout(() => control.stop('deadline'), Math.max(0, leftMs));
}

async function beginAttempt(
  dependencies: Dependencies,
  step: StreamStep,
  control: StreamControl,
  admission: Admission,
  log: OpenedLog,
  record: GenerationRecord,
  input: GenerationInput,
): Promise<Attempt> {
  const { provider: name, model } = step.candidate;
  const provider = dependencies.providers.get(name);
  if (provider === undefined) throw permanent('model_not_found', `No provider "${name}" is configured here.`);
  const checkpoint = openCheckpoint(log.head.checkpoint, record);
  const resume = planResume(step.candidate, provider.capabilities(model), record, checkpoint);
  const pass = passOf(dependencies, step, admission, resume, checkpoint);
  let known = record;
  if (record.openAttempt !== null && resume.strategy !== 'reattach') {
    known = await closeInterrupted(dependencies, log, record, input, checkpoint);
  }
  const { writer } = log;
  if (!record.budgetNoted) noteBudget(step, writer);
  const reserved = await reserveCall(dependencies, { step, input, record: known, resume });
  if (!reserved.granted) {
    void pass.leave(null, 0, 0);
    // What the interrupted attempt used must be on record before the log is closed.
    await writer.flush();
    const { message, details } = describeRefusal(reserved);
    throw permanent('budget_exceeded', message, details);
  }
  const { maxOutputTokens, capTokens } = reserved;
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
  return {
    ...{ step, control, provider, pass, input, log, record: known, number, resume, checkpoint },
    ...{ maxOutputTokens, capTokens },
  };
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
  const accounted = await accountAbandonedAttempt(dependencies, open, input, checkpoint);
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
    charges: [...record.charges, chargeOf({ ...open, ...accounted })],
    usage: addUsage(record.usage, accounted.usage),
    costMicroUsd: record.costMicroUsd + accounted.costMicroUsd,
  };
}

async function relayProvider(
  dependencies: Dependencies,
  attempt: Attempt,
  progress: Progress,
): Promise<GenerationOutcome> {
  const { step, provider, pass, input, resume, record, number, log } = attempt;
  const { writer } = log;
  let mustVoid = beginsAnew(resume, record);
  const guard = createRestartGuard(resume.strategy === 'restart' && !mustVoid ? record.text : '');
  const deliver = async (guarded: { reset: boolean; text: string }, checkpoint?: Checkpoint) => {
    if (guarded.reset)
      void writer.write({ type: 'text-reset', reason: 'The answer was begun again and differs.' });
    if (guarded.text !== '') await writer.write({ type: 'text-delta', text: guarded.text }, checkpoint);
  };
  let reportedAt = Date.now();
  let finish: Extract<ProviderEvent, { type: 'finish' }> | null = null;
  const call: ProviderCall = {
    model: step.candidate.model,
    input,
    maxOutputTokens: attempt.maxOutputTokens,
    idempotencyKey: `${step.order.generationId}:${number}`,
    resume,
    signal: attempt.control.signal,
    apiKey: pass.key.secret,
    onHeaders: (headers) => pass.noteHead(headers),
  };
  progress.mayBeBilled = true;
  for await (const event of provider.stream(call)) {
    progress.received = true;
    if (event.type === 'finish') {
      finish = event;
      break;
    }
    if (event.type === 'usage') {
      progress.counted = event.usage;
      continue;
    }
    if (mustVoid && event.type !== 'accepted') {
      mustVoid = false;
      void writer.write({ type: 'text-reset', reason: 'The answer was begun again.' });
    }
    if (event.type !== 'accepted') pass.noteContent();
    if (event.cursor !== undefined) progress.cursor = event.cursor;
    const checkpoint =
      event.cursor === undefined
        ? undefined
        : { ...step.candidate, attempt: attempt.number, cursor: event.cursor, keyId: pass.key.id };
    if (event.type === 'text') {
      progress.ownText += event.text;
      await deliver(guard.push(event.text), checkpoint);
    } else if (event.type === 'reasoning') {
      progress.ownText += event.text;
      // Thoughts about how to go on with an answer are no part of it.
      if (!('deliveredText' in resume)) {
        await writer.write({ type: 'reasoning-delta', text: event.text }, checkpoint);
      }
    } else if (event.type === 'tool-call') {
      const { index, id, name, arguments: piece } = event;
      progress.ownText += piece;
      await writer.write({ type: 'tool-call-delta', index, id, name, arguments: piece }, checkpoint);
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
  if (finish.reason === 'length') {
    await goOnWhereRaised(dependencies, attempt, finish.usage ?? usageSoFar(dependencies, attempt, progress));
  }
  return await endCompleted(dependencies, attempt, progress, finish);
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
