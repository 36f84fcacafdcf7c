/** One item of a step: a generation, and further ones if it fails and the step has retries. */
import {
  CancellationScope,
  CancelledFailure,
  condition,
  proxyLocalActivities,
  sleep,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { JobFailure, JobItem, PlannedStep, PreparedItem, RecordedItem } from '../contracts/job-steps.ts';
import { JOB_STEP } from './activity-options.ts';
import { runChildGeneration } from './child-generation.ts';
import type { JobBoard } from './job-board.ts';

const { prepareItem, recordItem } = proxyLocalActivities<Activities>(JOB_STEP);

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

/** @returns why the item failed for good; null if it has an answer. @throws CancelledFailure */
export async function runItem(board: JobBoard, step: PlannedStep, item: number): Promise<JobFailure | null> {
  for (let attempt = 1; ; attempt += 1) {
    const recorded = await runAttempt(board, step, { job: board.jobName, step: step.name, item, attempt });
    // The job was cancelled, or its time is over: whatever this generation has become, nothing follows it.
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('The job was cancelled.');
    if (recorded.failure === null) return null;
    if (!recorded.mayRetry || attempt > step.retries || board.isStopping) return recorded.failure;
    await sleep(Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (attempt - 1)));
  }
}

async function runAttempt(board: JobBoard, step: PlannedStep, item: JobItem): Promise<RecordedItem> {
  const prepared = await prepare(board, step, item);
  if (prepared.next === 'fail') return record({ ...item, generationId: null, failure: prepared.failure });
  if (prepared.next === 'over-budget') {
    return record({ ...item, generationId: null, failure: { code: 'job_budget_exceeded' } });
  }
  if (prepared.next === 'ended') {
    const recorded = await record({ ...item, generationId: prepared.generationId });
    board.settle(step.name, 0, recorded.costMicroUsd);
    return recorded;
  }
  const { order, mostMicroUsd } = prepared;
  await runChildGeneration(order);
  const recorded = await record({ ...item, generationId: order.generationId });
  board.settle(step.name, mostMicroUsd, recorded.costMicroUsd);
  return recorded;
}

/** Waits until what runs leaves enough to spend. */
async function prepare(board: JobBoard, step: PlannedStep, item: JobItem): Promise<PreparedItem> {
  if (!board.countGeneration()) return { next: 'fail', failure: { code: 'job_too_large' } };
  for (;;) {
    // One at a time, so that two do not spend the same.
    const isLimited = board.leftMicroUsd(step) !== null;
    if (isLimited) await condition(() => board.takePurse());
    const leftMicroUsd = board.leftMicroUsd(step) ?? 0;
    const prepared = await prepareWith(board, step, item).finally(() => {
      if (isLimited) board.givePurse();
    });
    if (prepared.next !== 'over-budget') return prepared;
    // What ran may have ended while this was decided.
    const hasMore = () => (board.leftMicroUsd(step) ?? 0) > leftMicroUsd;
    await condition(() => hasMore() || board.heldMicroUsd === 0);
    if (!hasMore()) return prepared;
  }
}

async function prepareWith(board: JobBoard, step: PlannedStep, item: JobItem): Promise<PreparedItem> {
  const leftMicroUsd = board.leftMicroUsd(step);
  const deadlineAtMs = board.deadlineAtMs(step.name);
  const prepared = await CancellationScope.nonCancellable(() =>
    prepareItem({ ...item, leftMicroUsd, deadlineAtMs }),
  );
  if (prepared.next === 'run') board.hold(step.name, prepared.mostMicroUsd);
  return prepared;
}

function record(item: Parameters<typeof recordItem>[0]): Promise<RecordedItem> {
  return CancellationScope.nonCancellable(() => recordItem(item));
}
