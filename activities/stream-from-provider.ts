/**
 * Streams one candidate's answer into the log. Every attempt begins by taking the log over (which silences any
 * attempt before it) and reading what it holds; so an attempt after a crash knows exactly what readers were given,
 * and goes on from there. A stream that `beginGeneration` has begun in this process is adopted as it runs.
 */
import { activityInfo, Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { UnbrokenError } from '../contracts/errors.ts';
import type { GenerationInput } from '../contracts/generation.ts';
import type { GenerationOutcome, StreamStep } from '../contracts/steps.ts';
import type { ProviderCall, ProviderEvent } from '../engine/providers/provider.ts';
import type { Admission } from '../engine/routing/provider-gate.ts';
import { type Attempt, type Progress, totals, usageSoFar } from './attempt/attempt.ts';
import { beginAttempt, beginFirstAttempt } from './attempt/begin-attempt.ts';
import { AnswerDelivery } from './attempt/deliver-answer.ts';
import { abandonResponse, endCompleted, endStopped, noteProviderError } from './attempt/end-attempt.ts';
import { goOnWhereRaised } from './attempt/extend-reservation.ts';
import { enterGate, leaveUnused } from './attempt/gate-admission.ts';
import { nameOfLog } from './attempt/name-of-log.ts';
import type { RunningStreams, StreamControl } from './attempt/running-streams.ts';
import { readSentInput } from './attempt/sent-input.ts';
import type { Dependencies } from './dependencies.ts';
import { notOurs, permanent } from './failures.ts';
import { findLeader, followLeader } from './follow-leader.ts';
import { readRecord } from './generation-record.ts';

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

/** What a stream is given that begins beside the start of its run. */
export interface Ahead {
  /** The input as it is sent, where the caller has it. */
  readonly sent?: GenerationInput | undefined;
  /** What the gate said; given where the log is likely to have no more than its start. */
  readonly admission?: Promise<Admission> | undefined;
  /** Whether the answer may be shown; absent: it may. */
  readonly mayShow?: Promise<boolean> | undefined;
}

/**
 * One attempt from taking the log over to its end. Rejects with an `ApplicationFailure` that says what is next.
 */
export async function runStream(
  dependencies: Dependencies,
  step: StreamStep,
  control: StreamControl,
  ahead: Ahead = {},
): Promise<GenerationOutcome> {
  const { generationId } = step.order;
  if (ahead.sent !== undefined && ahead.admission !== undefined) {
    const first = await beginFirstAttempt(dependencies, step, control, await ahead.admission, ahead.sent);
    if (first !== null) return streamAttempt(dependencies, first, ahead);
  }
  // One round trip: the commands leave together.
  const [admission, log, input] = await Promise.all([
    ahead.admission ?? enterGate(dependencies, step, control.epoch),
    dependencies.log.open(generationId, control.epoch, () => control.stop('cancel')),
    ahead.sent ?? readSentInput(dependencies, generationId),
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
    if (ahead.mayShow !== undefined && !(await ahead.mayShow)) throw notOurs();
    const clock = stopAtDeadline(step, control);
    const followed = await followLeader(dependencies, { step, control, log, record, joined }).finally(() =>
      clearTimeout(clock),
    );
    // One that cannot follow any more goes on by itself, from what it has delivered.
    return (
      followed ?? (await runStream(dependencies, step, control, { sent: input, mayShow: ahead.mayShow }))
    );
  }
  const attempt = await beginAttempt(dependencies, step, control, admission, log, record, input);
  return streamAttempt(dependencies, attempt, ahead);
}

async function streamAttempt(
  dependencies: Dependencies,
  attempt: Attempt,
  { mayShow }: Ahead,
): Promise<GenerationOutcome> {
  const { step, control, resume, record } = attempt;
  control.opened(attempt.writer);
  mayShow?.then((may) => may || control.stop('leave'));
  const isReattached = resume.strategy === 'reattach';
  const progress: Progress = {
    cursor: isReattached ? resume.cursor : null,
    ownText: isReattached ? (record.openAttempt?.ownText ?? '') : '',
    counted: null,
    received: false,
    mayBeBilled: isReattached,
  };
  const clock = stopAtDeadline(step, control);
  try {
    return await relayProvider(dependencies, attempt, progress, mayShow).catch(async (error: unknown) => {
      if (control.signal.aborted) return await endStopped(dependencies, attempt, progress, error);
      throw await noteProviderError(dependencies, attempt, progress, error);
    });
  } catch (failure) {
    if (!(failure instanceof ApplicationFailure)) await abandonResponse(dependencies, attempt, progress);
    throw failure;
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

async function relayProvider(
  dependencies: Dependencies,
  attempt: Attempt,
  progress: Progress,
  mayShow: Promise<boolean> | undefined,
): Promise<GenerationOutcome> {
  const { step, provider, pass, input, resume, number, writer, control } = attempt;
  const delivery = new AnswerDelivery(attempt, progress);
  let isHeld = mayShow !== undefined;
  let reportedAt = Date.now();
  let finish: Extract<ProviderEvent, { type: 'finish' }> | null = null;
  const call: ProviderCall = {
    model: step.candidate.model,
    input,
    maxOutputTokens: attempt.maxOutputTokens,
    // The provider may remember calls for longer than the log is kept.
    idempotencyKey: `${nameOfLog(step.order)}:${number}`,
    resume,
    signal: control.signal,
    apiKey: pass.key.secret,
    onHeaders: (headers) => pass.noteHead(headers),
  };
  // A stop that came before the call has left costs nothing; a provider would refuse the aborted call unseen.
  control.signal.throwIfAborted();
  progress.mayBeBilled = true;
  for await (const event of provider.stream(call)) {
    progress.received = true;
    if (isHeld && event.type !== 'accepted' && event.type !== 'usage') {
      isHeld = false;
      await mayShow;
      control.signal.throwIfAborted();
    }
    if (event.type === 'finish') {
      finish = event;
      break;
    }
    if (event.type === 'usage') {
      progress.counted = event.usage;
      continue;
    }
    await delivery.take(event);
    if (Date.now() - reportedAt > PROGRESS_MS) {
      reportedAt = Date.now();
      await writer.write(await progressEvent(dependencies, attempt, progress));
    }
  }
  if (finish === null)
    throw new UnbrokenError('provider_stream_cut', 'The stream ended without a finished answer.');
  await delivery.end(finish.reason);
  if (finish.reason === 'length') {
    const usage = finish.usage ?? (await usageSoFar(dependencies, attempt, progress));
    await goOnWhereRaised(dependencies, attempt, usage);
  }
  return await endCompleted(dependencies, attempt, progress, finish);
}

async function progressEvent(dependencies: Dependencies, attempt: Attempt, progress: Progress) {
  return {
    type: 'usage-update',
    ...attempt.step.candidate,
    attempt: attempt.number,
    ...totals(dependencies, attempt, await usageSoFar(dependencies, attempt, progress)),
  } as const;
}
