/** Calls the provider of an attempt, carries its response into the log, and ends the attempt. */
import { ApplicationFailure } from '@temporalio/common';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { EventBody } from '../../contracts/events.ts';
import type { GenerationOutcome, StreamStep } from '../../contracts/steps.ts';
import type { Finish, ProviderCall, ProviderEvent } from '../../engine/providers/provider.ts';
import type { Attempt } from './attempt.ts';
import { CallSignal } from './call-signal.ts';
import { checkOutput } from './check-output.ts';
import { continueIfCapRaised } from './continue-after-raise.ts';
import { AnswerDelivery } from './deliver-answer.ts';
import { endCompleted, endStopped, noteProviderError } from './end-attempt.ts';
import type { StreamControl } from './running-streams.ts';
import { uniqueLogId } from './unique-log-id.ts';

const PROGRESS_MS = 1_000;
/** Node's timers go no further; a later deadline is left to Temporal. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * @param runIsOurs nothing is shown to readers before this is true; absent: it is.
 * @returns rejects with an `ApplicationFailure` that says what happens next.
 */
export async function runAttempt(
  attempt: Attempt,
  runIsOurs: Promise<boolean> | undefined,
): Promise<GenerationOutcome> {
  const { step, control, writer } = attempt.facts;
  control.opened(writer);
  runIsOurs?.then((isOurs) => isOurs || control.stop('leave'));
  const clock = stopAtDeadline(step, control);
  try {
    return await relayProvider(attempt, runIsOurs).catch(async (error: unknown) => {
      // An ApplicationFailure says that the attempt has ended, and is in the log: it is not billed again.
      const isOpen = !(error instanceof ApplicationFailure);
      // The provider may refuse a call whose attempt waits for its response only to leave it to the next one.
      const isRefused = error instanceof UnbrokenError && control.stopped() === 'leave';
      if (control.signal.aborted && isOpen && !isRefused) return await endStopped(attempt, error);
      throw await noteProviderError(attempt, error);
    });
  } catch (failure) {
    if (!(failure instanceof ApplicationFailure)) await attempt.abandonResponse();
    throw failure;
  } finally {
    clearTimeout(clock);
  }
}

/** Temporal reports its own timeout with a heartbeat, seconds late; this timer stops the stream in time. */
export function stopAtDeadline({ order }: StreamStep, control: StreamControl): NodeJS.Timeout | undefined {
  const leftMs = (order.deadlineAtMs ?? Number.POSITIVE_INFINITY) - Date.now();
  if (leftMs > LONGEST_TIMER_MS) return undefined;
  return setTimeout(() => control.stop('deadline'), Math.max(0, leftMs));
}

async function relayProvider(
  attempt: Attempt,
  runIsOurs: Promise<boolean> | undefined,
): Promise<GenerationOutcome> {
  const { provider, control, step } = attempt.facts;
  const delivery = new AnswerDelivery(attempt);
  // A stop before the call has left costs nothing; a provider would count the aborted call as a refusal.
  control.signal.throwIfAborted();
  attempt.noteCallLeaves();
  const { reattach } = provider.capabilities(step.candidate.model, attempt.facts.input);
  const isUnnamed = attempt.cursor === null && reattach;
  const call = new CallSignal(control, isUnnamed);
  const events = provider.stream(callOf(attempt, call.signal));
  const finish = await relayEvents(attempt, { delivery, events, call, runIsOurs }).finally(() => call.end());
  throwIfNextMayAnswer(attempt, finish);
  await delivery.end(finish.reason);
  if (finish.reason === 'length') {
    await continueIfCapRaised(attempt, finish.usage ?? (await attempt.usageSoFar()));
  }
  await checkOutput(attempt, delivery.answer, finish);
  return await endCompleted(attempt, finish);
}

/** A refusal is an answer, unless the route asks another model after one. */
function throwIfNextMayAnswer({ facts }: Attempt, { reason, refusal }: Finish): void {
  const { order, isLast } = facts.step;
  if (reason !== 'refusal' && reason !== 'content-filter') return;
  if (order.routing?.onContentPolicy !== 'fall-back' || isLast === true) return;
  const message = reason === 'refusal' ? 'The model refused.' : 'The answer was cut by a filter.';
  throw new UnbrokenError('content_filtered', refusal?.text ?? message);
}

interface Relayed {
  readonly delivery: AnswerDelivery;
  readonly events: AsyncIterable<ProviderEvent>;
  readonly call: CallSignal;
  readonly runIsOurs: Promise<boolean> | undefined;
}

async function relayEvents(
  attempt: Attempt,
  { delivery, events, call, runIsOurs }: Relayed,
): Promise<Finish> {
  const { writer, control } = attempt.facts;
  let isHeld = runIsOurs !== undefined;
  let reportedAtMs = Date.now();
  for await (const event of events) {
    attempt.noteReceived(event);
    if (isHeld && event.type !== 'accepted' && event.type !== 'usage') {
      isHeld = false;
      await runIsOurs;
      control.signal.throwIfAborted();
    }
    if (event.type === 'finish') return event;
    if (event.type === 'usage') continue;
    await delivery.take(event);
    if (attempt.cursor !== null) call.noteNamed();
    if (Date.now() - reportedAtMs > PROGRESS_MS) {
      reportedAtMs = Date.now();
      await writer.write(await progressEvent(attempt));
    }
  }
  throw new UnbrokenError('provider_stream_cut', 'The stream ended without a finished answer.');
}

function callOf({ facts }: Attempt, signal: AbortSignal): ProviderCall {
  const { step, pass, input, openedSeals, resume, number } = facts;
  return {
    model: step.candidate.model,
    input,
    maxOutputTokens: facts.isUncapped ? null : facts.maxOutputTokens,
    // The provider may remember calls for longer than the log is kept.
    idempotencyKey: `${uniqueLogId(step.order)}:${number}`,
    resume,
    promptCacheKey: step.order.promptCacheKey,
    openedSeals,
    signal,
    apiKey: pass.key.secret,
    onHeaders: (headers) => pass.noteHead(headers),
  };
}

async function progressEvent(attempt: Attempt): Promise<EventBody> {
  const { step, number } = attempt.facts;
  return {
    type: 'usage-update',
    ...step.candidate,
    attempt: number,
    ...attempt.totals(await attempt.usageToReport()),
  };
}
