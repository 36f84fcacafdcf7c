/**
 * Ends a run without an answer: every candidate failed, the budget refused, or the run was cancelled. Passes a
 * cancellation on to a running stream.
 */
import { CancellationScope, patched, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { GenerationOrder } from '../contracts/generation.ts';
import type { GenerationOutcome, StepFailure } from '../contracts/steps.ts';
import { MAY_FAIL, MUST_HAPPEN } from './activity-options.ts';

const { closeGeneration } = proxyLocalActivities<Activities>(MUST_HAPPEN);
const { requestCancel } = proxyLocalActivities<Activities>(MAY_FAIL);

export function closeRun(
  order: GenerationOrder,
  as: 'failed' | 'cancelled',
  { code, message, details }: StepFailure,
): Promise<GenerationOutcome> {
  const error = { code, message, ...(details === undefined ? {} : { details }) };
  return CancellationScope.nonCancellable(() => closeGeneration({ order, as, error }));
}

/**
 * True if the caller has cancelled. An error may arrive before the cancellation does: a dead worker is noticed by its
 * missed heartbeats, and a provider may fail in the same moment. The cancellation wins. Runs of older code tried the
 * next candidate instead, which records a command; they keep doing so when they are replayed.
 */
export function isCancelRequested(): boolean {
  return CancellationScope.current().consideredCancelled && patched('cancel-outranks-errors');
}

/**
 * Stops a stream when the run is cancelled. Its activity learns of it only by a heartbeat, of which there are few; by
 * the log, the worker that streams learns of it at once. Runs of older code had a heartbeat each second.
 */
export function passCancelOn({ generationId }: GenerationOrder, streaming: Promise<unknown>): void {
  let isStreaming = true;
  const ended = () => {
    isStreaming = false;
  };
  streaming.then(ended, ended);
  CancellationScope.current().cancelRequested.catch(() => {
    if (!isStreaming || !patched('cancel-by-log')) return;
    CancellationScope.nonCancellable(() => requestCancel({ generationId })).catch(() => undefined);
  });
}
