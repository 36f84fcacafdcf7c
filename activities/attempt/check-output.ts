/** The end of an answer that must fit a schema: it fits, or this attempt ends as one that did not. */
import type { ApplicationFailure } from '@temporalio/common';
import { LIMITS } from '../../contracts/limits.ts';
import type { OutputFault, OutputVerdict } from '../../engine/output/output-checker.ts';
import type { Finish } from '../../engine/providers/provider.ts';
import { AT_ONCE_MS, callFailed } from '../failures.ts';
import { mayAsk } from './ask-again.ts';
import type { Attempt } from './attempt.ts';
import { billedUsage } from './end-attempt.ts';

const MOST_NAMED_FAULTS = 5;

/**
 * Returns if the answer fits, or need not. Else the attempt is on record with what it used, and the failure is thrown
 * that says whether the same model is asked again.
 */
export async function checkOutput(attempt: Attempt, answer: string, finish: Finish): Promise<void> {
  const { dependencies, facts } = attempt;
  const { input, step, control } = facts;
  // A cut or refused answer says so itself, and is whole for its caller.
  if (!checksOutput(attempt) || finish.reason !== 'stop') return;
  const { output = {} } = input;
  const verdict = await unlessStopped(
    control.signal,
    dependencies.outputs.check(step.order.tenant, output, answer),
  );
  if (verdict.result === 'fits') return;
  throw await endInvalid(attempt, finish, endOf(verdict));
}

export function checksOutput({ facts }: Pick<Attempt, 'facts'>): boolean {
  return facts.input.output !== undefined && facts.input.outputCheck !== undefined;
}

interface InvalidEnd {
  readonly code: 'output_invalid' | 'invalid_request';
  readonly message: string;
  readonly path?: string;
}

function endOf(verdict: Exclude<OutputVerdict, { result: 'fits' }>): InvalidEnd {
  if (verdict.result === 'unfit') {
    const { faults } = verdict;
    return { code: 'output_invalid', message: describe(faults), path: faults[0]?.path ?? '' };
  }
  // Of no use to ask again: the next answer could not be checked either.
  const message = `output.schema: the answer cannot be checked: ${verdict.reason}`;
  return { code: 'invalid_request', message: message.slice(0, LIMITS.errorMessageBytes) };
}

async function endInvalid(attempt: Attempt, finish: Finish, end: InvalidEnd): Promise<ApplicationFailure> {
  const { step, input, writer, number, pass, record } = attempt.facts;
  const { candidate } = step;
  const { code } = end;
  const usage = await billedUsage(attempt, finish);
  const costMicroUsd = attempt.costOf(usage);
  const before = {
    errors: [...record.errors, { ...candidate, code }],
    costMicroUsd: record.costMicroUsd + costMicroUsd,
  };
  void writer.write({
    type: 'provider-error',
    ...candidate,
    attempt: number,
    ...end,
    resumable: false,
    usage,
    costMicroUsd,
  });
  void pass.leave('answered', usage);
  // In the log before the next call leaves: whatever ends this process, the answer is paid and counted once.
  await writer.flush();
  const mayRetry = code === 'output_invalid' && mayAsk(candidate, before, input.outputCheck);
  return callFailed({ code, mayRetry, waitMs: AT_ONCE_MS, restMs: 0 });
}

function describe(faults: readonly OutputFault[]): string {
  const named = faults
    .slice(0, MOST_NAMED_FAULTS)
    .map(({ path, message }) => `${path || 'the whole'} ${message}`);
  return `The answer does not fit the schema of the request: ${named.join('; ')}.`;
}

/** A check that waits in a queue must not outlive the caller's interest. */
function unlessStopped<Value>(signal: AbortSignal, promise: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
