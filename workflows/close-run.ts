/** Ends the log of a run without an answer: every candidate failed, the budget refused, or the run was cancelled. */
import { CancellationScope, patched, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { GenerationOrder } from '../contracts/generation.ts';
import type { GenerationOutcome, StepFailure } from '../contracts/steps.ts';
import { MUST_HAPPEN } from './activity-options.ts';

const { closeGeneration } = proxyLocalActivities<Activities>(MUST_HAPPEN);

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
