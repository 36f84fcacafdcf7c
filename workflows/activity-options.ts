/** The time limits and retries of each step. */
import {
  ActivityCancellationType,
  type ActivityOptions,
  type LocalActivityOptions,
} from '@temporalio/workflow';

/**
 * Steps that must succeed however long a service is unreachable: budgets and ends of logs. The workflow task waits for
 * an early retry, and its heartbeats write three events every 8 seconds; a later retry is a timer. With a timer every
 * 30 seconds, a service may be unreachable for two days before the history reaches Temporal's limit.
 */
export const MUST_HAPPEN: LocalActivityOptions = {
  startToCloseTimeout: '15s',
  retry: { initialInterval: '100ms', backoffCoefficient: 2, maximumInterval: '30s' },
  localRetryThreshold: '3s',
};

/** Holds the workflow task for up to 10 s, and longer only while a service is unreachable. */
export const BEGIN: LocalActivityOptions = { ...MUST_HAPPEN, startToCloseTimeout: '30s' };

/** If an answer is not stored, the same question costs another call later; nothing else is lost. */
export const MAY_FAIL: LocalActivityOptions = {
  startToCloseTimeout: '5s',
  retry: { initialInterval: '100ms', maximumAttempts: 3 },
};

/**
 * The stream. A dead worker is noticed when its lease in Redis expires (engine/leases), and the next attempt starts at
 * once. The heartbeat timeout is the backstop, for a death that no lease shows: each heartbeat is a write of Temporal's
 * store, for every stream. docs/crash-matrix.md has the measured pauses.
 *
 * Attempts are not limited here: the activity counts provider errors in the log and decides when a candidate is given
 * up, so worker crashes never use up a candidate.
 */
export const STREAM: ActivityOptions = {
  heartbeatTimeout: '30s',
  retry: { initialInterval: '100ms', backoffCoefficient: 2, maximumInterval: '5s' },
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
};

/** The wait for room at a provider: queued until it is this generation's turn, then first in line. */
export const ROOM: ActivityOptions = {
  heartbeatTimeout: '5s',
  retry: { initialInterval: '100ms', backoffCoefficient: 2, maximumInterval: '2s' },
  // A cancellation does not wait until the queue moves.
  cancellationType: ActivityCancellationType.TRY_CANCEL,
};

/**
 * A stage of an erasure: it reads every key, and continues where an attempt before it was. It is never given up: what
 * it leaves behind would be a text that its receipt does not name.
 */
export const ERASE: ActivityOptions = {
  startToCloseTimeout: '1 day',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '30s' },
};

/** Steps of a job. Composing an input may take long where it is large; each may be repeated. */
export const JOB_STEP: LocalActivityOptions = { ...MUST_HAPPEN, startToCloseTimeout: '60s' };

/** Steps of a batch that read or write many lines. Each may be repeated. */
export const BATCH_STEP: ActivityOptions = {
  startToCloseTimeout: '6 hours',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '100ms', backoffCoefficient: 2, maximumInterval: '30s' },
};
