/** The begin of an attempt: what it goes on from, its reservation, and its place in the log before the call leaves. */
import type { ApplicationFailure } from '@temporalio/common';
import { describeRefusal } from '../../contracts/budget-refusal.ts';
import type { Candidate, GenerationInput } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { addUsage, NO_USAGE } from '../../contracts/money.ts';
import type { StreamStep } from '../../contracts/steps.ts';
import type { Admission } from '../../engine/routing/provider-gate.ts';
import type { OpenedLog } from '../../engine/streaming/event-log.ts';
import type { Dependencies } from '../dependencies.ts';
import { permanent } from '../failures.ts';
import { chargeOf, type GenerationRecord, readRecord, voided } from '../generation-record.ts';
import { budgetNotes } from '../note-budget.ts';
import { accountAbandonedAttempt } from './account-attempt.ts';
import type { Attempt } from './attempt.ts';
import { givenUpBy, uncountedIn } from './end-attempt.ts';
import { reserveCall } from './extend-reservation.ts';
import { passOf } from './gate-admission.ts';
import { type Checkpoint, capabilitiesFor, dutiesOf, openCheckpoint, planResume } from './resume-plan.ts';
import type { StreamControl } from './running-streams.ts';

const NOTHING_YET = readRecord([]);

/**
 * The first attempt at a log that has no more than its start: it is taken over and the call put on record in one step.
 * @returns null where the log has more and must be read.
 */
export async function beginFirstAttempt(
  dependencies: Dependencies,
  step: StreamStep,
  control: StreamControl,
  admission: Admission,
  input: GenerationInput,
): Promise<Attempt | null> {
  const { provider: name, model } = step.candidate;
  const provider = dependencies.providers.get(name);
  if (provider === undefined || !admission.admitted) return null;
  const record = NOTHING_YET;
  const can = capabilitiesFor(provider.capabilities(model), input);
  const resume = planResume(step.candidate, can, record, null);
  const reserved = await reserveCall(dependencies, { step, input, record, resume });
  if (!reserved.granted) return null;
  const { maxOutputTokens, capTokens } = reserved;
  const { strategy } = resume;
  const writer = await dependencies.log.openFresh(
    step.order.generationId,
    control.epoch,
    [...budgetNotes(step), { type: 'provider-start', provider: name, model, attempt: 1, strategy }],
    () => control.stop('cancel'),
  );
  if (writer === null) return null;
  const pass = passOf(dependencies, step, admission, resume, null);
  return {
    step,
    control,
    provider,
    pass,
    input,
    writer,
    record,
    number: 1,
    resume,
    checkpoint: null,
    duties: dutiesOf(resume, record),
    maxOutputTokens,
    capTokens,
  };
}

/** An attempt at what the log tells: from the beginning, or from where the one before it stopped. */
export async function beginAttempt(
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
  const can = capabilitiesFor(provider.capabilities(model), input);
  const resume = planResume(step.candidate, can, record, checkpoint);
  const duties = dutiesOf(resume, record);
  const pass = passOf(dependencies, step, admission, resume, checkpoint);
  let known = record;
  if (record.openAttempt !== null && resume.strategy !== 'reattach') {
    known = await closeInterrupted(dependencies, log, record, input, checkpoint);
  }
  const { writer } = log;
  const refusal = resume.strategy === 'reattach' ? null : refusalOfCall(step.candidate, known);
  if (refusal !== null) {
    void pass.leave(null, NO_USAGE);
    await writer.flush();
    throw refusal;
  }
  if (!record.budgetNoted) for (const note of budgetNotes(step)) void writer.write(note);
  const reserved = await reserveCall(dependencies, { step, input, record: known, resume });
  if (!reserved.granted) {
    void pass.leave(null, NO_USAGE);
    // What the interrupted attempt used must be on record before the log is closed.
    await writer.flush();
    const { message, details } = describeRefusal(reserved);
    throw permanent('budget_exceeded', message, details);
  }
  const { maxOutputTokens, capTokens } = reserved;
  const number = resume.strategy === 'reattach' ? record.attempts : record.attempts + 1;
  if (duties.voids) {
    // In the log before the call leaves: whichever process reads this response later, its text has nothing before it.
    void writer.write({ type: 'text-reset', reason: 'The answer was begun again.' });
    known = voided(known);
  }
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
    step,
    control,
    provider,
    pass,
    input,
    writer,
    record: known,
    number,
    resume,
    checkpoint,
    duties,
    maxOutputTokens,
    capTokens,
  };
}

/** Why the log allows no further call of this candidate; null where it does. A response that runs is no further call. */
function refusalOfCall(candidate: Candidate, record: GenerationRecord): ApplicationFailure | null {
  if (uncountedIn(record) >= LIMITS.uncountedAttempts) {
    const message = `${LIMITS.uncountedAttempts} attempts ended before their answer did; no other is made.`;
    return permanent('attempt_interrupted', message);
  }
  const givenUp = givenUpBy(candidate, record);
  if (givenUp === null) return null;
  return permanent(givenUp, "An earlier attempt gave this model up; the log has the provider's words.");
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
    errors: [...record.errors, { provider: open.provider, model: open.model, code: 'attempt_interrupted' }],
    charges: [...record.charges, chargeOf({ ...open, ...accounted })],
    usage: addUsage(record.usage, accounted.usage),
    costMicroUsd: record.costMicroUsd + accounted.costMicroUsd,
  };
}
