/** Begins an attempt: decides how it resumes, reserves for it, and puts it into the log before the call leaves. */
import type { ApplicationFailure } from '@temporalio/common';
import { describeRefusal } from '../../contracts/budget-refusal.ts';
import type { EventBody } from '../../contracts/events.ts';
import type { Candidate, GenerationInput } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { addUsage, NO_USAGE } from '../../contracts/money.ts';
import type { StreamStep } from '../../contracts/steps.ts';
import type { Granted } from '../../engine/budget/ledger.ts';
import type { Provider } from '../../engine/providers/provider.ts';
import type { Admission } from '../../engine/routing/provider-gate.ts';
import type { LogWriter, OpenedLog } from '../../engine/streaming/event-log.ts';
import type { Dependencies } from '../dependencies.ts';
import { permanent } from '../failures.ts';
import { chargeOf, type GenerationRecord, readRecord, voidText } from '../generation-record.ts';
import { budgetNotes } from '../reserve-budget.ts';
import { accountAbandonedAttempt } from './account-attempt.ts';
import { mayAsk, withFeedback } from './ask-again.ts';
import { Attempt } from './attempt.ts';
import { type AttemptPass, admitAttempt } from './gate-admission.ts';
import { openSeals } from './open-seals.ts';
import { reserveCall } from './reserve-call.ts';
import {
  type Checkpoint,
  capabilitiesFor,
  dutiesOf,
  openCheckpoint,
  planResume,
  type Resume,
} from './resume-plan.ts';
import { givenUpBy, uncountedIn } from './retry-policy.ts';
import type { StreamControl } from './running-streams.ts';

const EMPTY_RECORD = readRecord([]);

/** What an attempt begins with, before it knows the log. */
interface AttemptStart {
  readonly step: StreamStep;
  readonly control: StreamControl;
  readonly admission: Admission;
  /** As it is sent: its context may be compressed. */
  readonly input: GenerationInput;
}

/**
 * The first attempt at a log that has only its start: takes the log over and appends the call in one step.
 * @returns null if the log has more and must be read.
 */
export async function beginFirstAttempt(
  dependencies: Dependencies,
  { step, control, admission, input }: AttemptStart,
): Promise<Attempt | null> {
  const { provider: name, model } = step.candidate;
  const provider = dependencies.providers.get(name);
  if (provider === undefined || !admission.admitted) return null;
  const record = EMPTY_RECORD;
  const can = capabilitiesFor(provider.capabilities(model), input);
  const resume = planResume(step.candidate, can, record, null);
  const reserved = await reserveCall(dependencies, { step, input, record, resume });
  if (!reserved.granted) return null;
  const { key } = admission.pass;
  const { opened, dropped } = await openSeals(dependencies, { step, input, key });
  const call = { provider: name, model, attempt: 1, strategy: resume.strategy };
  const writer = await dependencies.log.openFresh(
    step.order.generationId,
    control.epoch,
    [...budgetNotes(step), startOfCall(call, dropped)],
    () => control.stop('cancel'),
  );
  if (writer === null) return null;
  return new Attempt(dependencies, {
    step,
    control,
    provider,
    pass: admitAttempt(dependencies, { step, admission, resume, checkpoint: null }),
    input,
    openedSeals: opened,
    writer,
    record,
    number: 1,
    resume,
    duties: dutiesOf(resume, record),
    ...capsOf(reserved, input),
  });
}

/** Begins the attempt that the log calls for: from the start, or from where the one before it stopped. */
export async function beginAttempt(
  dependencies: Dependencies,
  start: AttemptStart,
  { log, record }: { readonly log: OpenedLog; readonly record: GenerationRecord },
): Promise<Attempt> {
  const { step, control, admission } = start;
  const input = withFeedback(start.input, record);
  const { writer } = log;
  const provider = providerOf(dependencies, step.candidate);
  const checkpoint = openCheckpoint(log.head.checkpoint, record);
  const can = capabilitiesFor(provider.capabilities(step.candidate.model), input);
  const resume = planResume(step.candidate, can, record, checkpoint);
  const duties = dutiesOf(resume, record);
  const pass = admitAttempt(dependencies, { step, admission, resume, checkpoint });
  let before = record;
  if (record.openAttempt !== null && resume.strategy !== 'reattach') {
    before = await closeInterrupted(dependencies, { log, record, input, checkpoint });
  }
  const refusal = resume.strategy === 'reattach' ? null : refuseCall(step.candidate, before, input);
  if (refusal !== null) return makeNoCall(refusal, pass, writer);
  if (!record.budgetNoted) for (const note of budgetNotes(step)) void writer.write(note);
  const reserved = await reserveCall(dependencies, { step, input, record: before, resume });
  if (!reserved.granted) {
    const { message, details } = describeRefusal(reserved);
    return makeNoCall(permanent('budget_exceeded', message, { details }), pass, writer);
  }
  if (duties.voids) {
    // In the log before the call leaves: whichever process reads this response later, its text has nothing before it.
    const why = before.holdsInvalid ? 'did not fit its schema' : 'was restarted';
    void writer.write({ type: 'text-reset', reason: `The answer ${why}.` });
    before = voidText(before);
  }
  const number = numberOf(resume, record);
  const { strategy } = resume;
  const { provider: name, model } = step.candidate;
  const { opened, dropped } = await openSeals(dependencies, { step, input, key: pass.key });
  void writer.write(startOfCall({ provider: name, model, attempt: number, strategy }, dropped));
  // In the log before the call leaves: a call that no log knows could be paid and never accounted.
  await writer.flush();
  return new Attempt(dependencies, {
    step,
    control,
    provider,
    pass,
    input,
    openedSeals: opened,
    writer,
    record: before,
    number,
    resume,
    duties,
    ...capsOf(reserved, input),
  });
}

function startOfCall(
  call: Omit<Extract<EventBody, { type: 'provider-start' }>, 'type' | 'dropped'>,
  dropped: readonly string[],
): EventBody {
  return { type: 'provider-start', ...call, ...(dropped.length === 0 ? {} : { dropped: [...dropped] }) };
}

/** @throws the reason. What the interrupted attempt used must be in the log before the log is closed. */
async function makeNoCall(reason: ApplicationFailure, pass: AttemptPass, writer: LogWriter): Promise<never> {
  void pass.leave(null, NO_USAGE);
  await writer.flush();
  throw reason;
}

/** The output caps of the call. If neither the request nor a budget limits the output, what was reserved is no cap. */
function capsOf({ maxOutputTokens, capTokens, isUnlimited }: Granted, { capFrom }: GenerationInput) {
  return { maxOutputTokens, capTokens, isUncapped: capFrom === 'default' && isUnlimited === true };
}

function providerOf({ providers }: Dependencies, { provider: name }: Candidate): Provider {
  const provider = providers.get(name);
  if (provider === undefined) throw permanent('model_not_found', `No provider "${name}" is configured here.`);
  return provider;
}

/** A reattached response is the same attempt, read by another process. */
function numberOf(resume: Resume, { attempts }: GenerationRecord): number {
  return resume.strategy === 'reattach' ? attempts : attempts + 1;
}

/** Why the log allows no further call of this candidate; null if it does. */
function refuseCall(
  candidate: Candidate,
  record: GenerationRecord,
  { outputCheck }: Pick<GenerationInput, 'outputCheck'>,
): ApplicationFailure | null {
  if (uncountedIn(record) >= LIMITS.uncountedAttempts) {
    const message = `${LIMITS.uncountedAttempts} attempts were interrupted before their answer was complete; no further attempt is made.`;
    return permanent('attempt_interrupted', message);
  }
  if (!mayAsk(candidate, record, outputCheck)) {
    const message =
      'An earlier answer did not fit its schema, and none more may be requested; the log says why.';
    return permanent('output_invalid', message);
  }
  const givenUp = givenUpBy(candidate, record);
  if (givenUp === null) return null;
  return permanent(givenUp, "An earlier attempt gave this model up; the log has the provider's message.");
}

interface Interrupted {
  readonly log: OpenedLog;
  readonly record: GenerationRecord;
  readonly input: GenerationInput;
  readonly checkpoint: Checkpoint | null;
}

/** The process that ran the open attempt died: its usage is written before another attempt begins. */
async function closeInterrupted(
  dependencies: Dependencies,
  { log, record, input, checkpoint }: Interrupted,
): Promise<GenerationRecord> {
  const open = record.openAttempt;
  if (open === null) return record;
  const accounted = await accountAbandonedAttempt(dependencies, open, input, checkpoint);
  const { provider, model, attempt } = open;
  const code = 'attempt_interrupted';
  void log.writer.write({
    type: 'provider-error',
    provider,
    model,
    attempt,
    code,
    message: 'The process that read this answer ended.',
    resumable: false,
    ...accounted,
  });
  return {
    ...record,
    openAttempt: null,
    errors: [...record.errors, { provider, model, code }],
    charges: [...record.charges, chargeOf({ ...open, ...accounted })],
    usage: addUsage(record.usage, accounted.usage),
    costMicroUsd: record.costMicroUsd + accounted.costMicroUsd,
  };
}
