/** How long each step may take, and who tries again. */
import {
  ActivityCancellationType,
  type ActivityOptions,
  type LocalActivityOptions,
} from '@temporalio/workflow';

/**
 * Steps that must come true however long a service is away: budgets and ends of logs. A retry that is soon is waited for
 * within the workflow task, whose heartbeats write three events every 3 seconds; a later one is a timer. With a timer
 * every 30 seconds, a service may be away for two days before the history reaches the limit of Temporal.
 */
export const MUST_HAPPEN: LocalActivityOptions = {
  startToCloseTimeout: '15s',
  retry: { initialInterval: '100ms', backoffCoefficient: 2, maximumInterval: '30s' },
  localRetryThreshold: '3s',
};

/** Returns as soon as the stream runs on by itself; longer only where a service is away, and then it is tried again. */
export const BEGIN = MUST_HAPPEN;

/** An answer that could not be stored is generated again next time. */
export const MAY_FAIL: LocalActivityOptions = {
  startToCloseTimeout: '5s',
  retry: { initialInterval: '100ms', maximumAttempts: 3 },
};

/**
 * The stream. A worker that dies is noticed after the heartbeat timeout and its successor starts 100 ms later. Where the
 * machine is not busy, text flows again within 5 seconds; 7 to 13 were seen where it was. Attempts are not limited here:
 * the activity counts provider errors in the log and says when a candidate is not worth another try, so a few crashes of
 * ours never use up a candidate.
 */
export const STREAM: ActivityOptions = {
  heartbeatTimeout: '2500ms',
  retry: { initialInterval: '100ms', backoffCoefficient: 2, maximumInterval: '5s' },
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
};

/** The wait for room at a provider: in the queue until it is this generation's turn, then first in line. */
export const ROOM: ActivityOptions = {
  heartbeatTimeout: '5s',
  retry: { initialInterval: '100ms', backoffCoefficient: 2, maximumInterval: '2s' },
  // Whoever cancels does not wait for the line to move.
  cancellationType: ActivityCancellationType.TRY_CANCEL,
};
