/**
 * Ends a log that no attempt could end: every candidate failed, the budget refused, or no attempt was running when the
 * caller cancelled. Accounts an attempt without an end, and stops its response at the provider.
 */

import { docPage, type ErrorCode } from '../contracts/errors.ts';
import type { EventBody, GenerationEvent } from '../contracts/events.ts';
import { NO_USAGE } from '../contracts/money.ts';
import type { CloseStep, GenerationOutcome, StepFailure } from '../contracts/steps.ts';
import { type Accounting, accountOpenAttempt } from './attempt/account-attempt.ts';
import { readSentInput, type SentInputs } from './attempt/sent-input.ts';
import { takeOver } from './attempt/take-over.ts';
import type { Dependencies } from './dependencies.ts';
import { dischargeMember, withShare } from './end-following.ts';
import { outcomeOf, readRecord } from './generation-record.ts';

/** Less than this step's time limit; after it, the step is retried. */
const WAIT_FOR_LEADER_MS = 5_000;

type Closing = Accounting & SentInputs & Pick<Dependencies, 'flights'>;

export function closeGeneration(dependencies: Closing) {
  return async ({ order, as, error }: CloseStep): Promise<GenerationOutcome> => {
    const { log } = dependencies;
    const { generationId } = order;
    const [opened, input] = await Promise.all([
      takeOver(log, generationId),
      // If the compressed input is lost, the whole one is an upper bound of what an open attempt has used.
      readSentInput(dependencies, order).then((sent) => sent ?? log.readInput(generationId)),
    ]);
    // Redis has lost the log, or never had it. No one reads its end, but the run must have one.
    if (opened === null) return withoutLog(as, error?.code ?? 'internal');
    const { head, events } = opened;
    const found = readRecord(events);
    const ended = found.outcome ?? (await outcomeOfErased(log, generationId));
    if (ended !== null) return ended;
    const record = await withShare(dependencies, found, { generationId, withinMs: WAIT_FOR_LEADER_MS });
    const spent = await accountOpenAttempt(dependencies, record, input, head.checkpoint);
    const end = { ...spent, attempts: record.attempts };
    const code = error?.code ?? 'internal';
    const cancelled: EventBody = { type: 'generation-cancel', ...end };
    const failed: EventBody = {
      type: 'generation-error',
      error: {
        code,
        message: providerMessage(events, code) ?? error?.message ?? 'Unknown',
        doc: docPage(code),
        ...detailsOf(events, code, error?.details),
      },
      ...end,
    };
    // A cancel that the API has accepted outranks a failure, even if the workflow does not know of it yet.
    const isCancelled =
      as === 'cancelled' ||
      (await log.appendOnce(generationId, 'close', [failed], 'uncancelled')) === 'cancel-requested';
    if (isCancelled) await log.appendOnce(generationId, 'close', [cancelled]);
    const outcome =
      readRecord(await log.read(generationId, -1)).outcome ?? (await outcomeOfErased(log, generationId));
    dischargeMember(dependencies, record, generationId);
    if (outcome === null) throw new Error(`The log of ${generationId} was closed and has no end.`);
    return outcome;
  };
}

/** The outcome of a log whose texts were deleted: its cost is kept separately. null for any other log. */
async function outcomeOfErased(log: Closing['log'], generationId: string): Promise<GenerationOutcome | null> {
  const known = await log.view(generationId);
  if (known === null || !known.head.erased || known.head.status === 'running') return null;
  const { head, view } = known;
  const lastSeq = head.nextSeq - 1;
  const end = view?.end == null ? null : outcomeOf({ ...view.end, seq: lastSeq, at: head.endedAt ?? 0 });
  if (end !== null) return end;
  const status = head.status === 'completed' ? 'completed' : 'failed';
  return {
    status,
    provider: view?.provider ?? null,
    model: view?.model ?? null,
    finishReason: null,
    usage: view?.usage ?? NO_USAGE,
    costMicroUsd: view?.costMicroUsd ?? 0,
    attempts: view?.attempts ?? 0,
    cached: false,
    lastSeq,
    errorCode: 'internal',
  };
}

function withoutLog(status: CloseStep['as'], code: ErrorCode): GenerationOutcome {
  return {
    status,
    provider: null,
    model: null,
    finishReason: null,
    usage: NO_USAGE,
    costMicroUsd: 0,
    attempts: 0,
    cached: false,
    lastSeq: -1,
    errorCode: status === 'cancelled' ? 'cancelled' : code,
  };
}

/** Where an answer does not fit is part of the answer, which workflow history does not contain. */
function detailsOf(
  events: readonly GenerationEvent[],
  code: ErrorCode,
  details: StepFailure['details'],
): { readonly details?: Record<string, string | number> } {
  const last = events.findLast((event) => event.type === 'provider-error');
  const path = code === 'output_invalid' && last?.type === 'provider-error' ? last.path : undefined;
  const all = { ...details, ...(path === undefined ? {} : { path }) };
  return Object.keys(all).length === 0 ? {} : { details: all };
}

/** The provider's message, if its error ends the generation: workflow history does not contain it. */
function providerMessage(events: readonly GenerationEvent[], code: ErrorCode): string | undefined {
  const last = events.findLast((event) => event.type === 'provider-error');
  return last?.type === 'provider-error' && last.code === code ? last.message : undefined;
}
