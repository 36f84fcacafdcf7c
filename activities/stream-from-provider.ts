/**
 * Streams one candidate's answer into the log. Every attempt begins by taking the log over, which fences off any
 * earlier attempt, and by reading it. So an attempt after a crash knows exactly what readers have, and continues from
 * there. A stream that `beginGeneration` has begun in this process is adopted as it runs.
 */
import { AssertionError } from 'node:assert';
import { activityInfo, Context } from '@temporalio/activity';
import type { GenerationInput } from '../contracts/generation.ts';
import type { GenerationOutcome, StreamStep } from '../contracts/steps.ts';
import type { Admission } from '../engine/routing/provider-gate.ts';
import { beginAttempt, beginFirstAttempt } from './attempt/begin-attempt.ts';
import { enterGate, leaveUnused } from './attempt/gate-admission.ts';
import { runAttempt, stopAtDeadline } from './attempt/run-attempt.ts';
import type { RunningStreams, StreamControl } from './attempt/running-streams.ts';
import { readSentInput } from './attempt/sent-input.ts';
import type { Dependencies } from './dependencies.ts';
import { brokenInvariant, inputLost, notOurs } from './failures.ts';
import { findLeader, followLeader } from './follow-leader.ts';
import { readRecord } from './generation-record.ts';
import { withHeartbeats } from './heartbeats.ts';

export function streamFromProvider(dependencies: Dependencies, running: RunningStreams) {
  return async (step: StreamStep): Promise<GenerationOutcome> => {
    const context = Context.current();
    const { currentAttemptScheduledTimestampMs: epoch } = activityInfo();
    // The room that was waited for is valid for one call.
    const stepOfAttempt = activityInfo().attempt === 1 ? step : withoutRoom(step);
    const stream = running.joinOrStart(step, epoch, (control) =>
      runStream(dependencies, stepOfAttempt, control),
    );
    running.claim(step);
    const stop = () =>
      stream.stop(context.cancellationDetails?.cancelRequested === true ? 'cancel' : 'leave');
    context.cancellationSignal.addEventListener('abort', stop, { once: true });
    try {
      return await withHeartbeats(
        () => stream.outcome,
        () => ({ seq: stream.lastSeq() }),
      );
    } catch (error) {
      throw error instanceof AssertionError ? brokenInvariant(error) : error;
    }
  };
}

function withoutRoom({ room: _room, ...step }: StreamStep): StreamStep {
  return step;
}

/** What is known or has begun before the stream does. */
interface PreparedStream {
  /** The input as it is sent. */
  readonly sent?: GenerationInput | undefined;
  /** The gate's answer; given if the log probably has only its start. */
  readonly admission?: Promise<Admission> | undefined;
  /** Nothing is shown to readers before this is true; absent: it is. */
  readonly runIsOurs?: Promise<boolean> | undefined;
}

/**
 * One attempt, from taking the log over to its end. Rejects with an `ApplicationFailure` that says what happens next.
 */
export async function runStream(
  dependencies: Dependencies,
  step: StreamStep,
  control: StreamControl,
  prepared: PreparedStream = {},
): Promise<GenerationOutcome> {
  const { generationId } = step.order;
  const { sent, runIsOurs } = prepared;
  if (sent !== undefined && prepared.admission !== undefined) {
    const start = { step, control, admission: await prepared.admission, input: sent };
    const first = await beginFirstAttempt(dependencies, start);
    if (first !== null) return runAttempt(first, runIsOurs);
  }
  // One round trip: the commands leave together.
  const [admission, log, input] = await Promise.all([
    prepared.admission ?? enterGate(dependencies, step, control.epoch),
    dependencies.log.open(generationId, control.epoch, () => control.stop('cancel')),
    sent ?? readSentInput(dependencies, step.order),
  ]);
  const record = readRecord(log.events);
  if (record.outcome !== null || input === null) {
    leaveUnused(admission);
    if (record.outcome !== null) return record.outcome;
    throw inputLost();
  }
  control.opened(log.writer);
  const joined = await findLeader(dependencies, { step, log, input, record });
  if (joined !== null) {
    leaveUnused(admission);
    if (runIsOurs !== undefined && !(await runIsOurs)) throw notOurs();
    const clock = stopAtDeadline(step, control);
    const follower = { step, control, log, record, input, joined };
    const followed = await followLeader(dependencies, follower).finally(() => clearTimeout(clock));
    // A follower that has left its leader continues alone, from what it has delivered.
    return followed ?? (await runStream(dependencies, step, control, { sent: input, runIsOurs }));
  }
  const attempt = await beginAttempt(dependencies, { step, control, admission, input }, { log, record });
  return runAttempt(attempt, runIsOurs);
}
