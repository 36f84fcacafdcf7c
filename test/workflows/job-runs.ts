/** Runs of jobs and of ticks of schedules: those of their tests, and those whose histories are recorded. */
import type { WorkflowStartOptions } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import type { Activities } from '../../activities/create-activities.ts';
import type { JobOrder, JobOutcome, PlannedStep, TickOrder } from '../../contracts/job-steps.ts';
import { JOB_SIGNALS, JOB_TYPE, TICK_TYPE, workflowId } from '../../contracts/names.ts';
import { waitFor } from '../harness/wait-for.ts';
import { orderOf, stubActivities, type WorkflowEnvironment } from './workflow-environment.ts';

export function stepOf(
  name: string,
  needs: readonly string[] = [],
  facts: Partial<PlannedStep> = {},
): PlannedStep {
  const plan = {
    kind: 'generate',
    maxParallel: 8,
    retries: 0,
    onError: 'fail',
    maxCostMicroUsd: null,
  } as const;
  return { name, needs, ...plan, ...facts };
}

export function jobOf(steps: readonly PlannedStep[], facts: Partial<JobOrder> = {}): JobOrder {
  const jobId = `job_${crypto.randomUUID()}`;
  const limits = { maxParallel: 8, maxCostMicroUsd: null, deadlineAtMs: Date.now() + 600_000 };
  return { jobId, tenant: 'acme', user: 'ann', steps, ...limits, ...facts };
}

export const runsItems: Pick<Activities, 'prepareItem'> = {
  prepareItem: async () => ({ next: 'run', order: orderOf(), mostMicroUsd: 10 }),
};

export function startJob({ temporal }: WorkflowEnvironment, order: JobOrder, taskQueue: string) {
  return temporal.client.workflow.start<(order: JobOrder) => Promise<JobOutcome>>(JOB_TYPE, {
    workflowId: workflowId(order.tenant, order.jobId),
    taskQueue,
    args: [order],
  });
}

/** Two items, one of which is repeated; an approval; and a step with a budget after it. */
export async function recordJob(environment: WorkflowEnvironment): Promise<History> {
  const { activities, calls } = stubActivities({
    ...runsItems,
    beginStep: async ({ step }) =>
      step === 'ask'
        ? { next: 'wait', timeoutAtMs: null }
        : { next: 'generate', items: 2, deadlineAtMs: Number.MAX_SAFE_INTEGER },
    recordItem: async ({ item, attempt }) => ({
      status: 'completed',
      costMicroUsd: 3,
      failure: item === 1 && attempt === 1 ? { code: 'provider_malformed' } : null,
      mayRetry: true,
    }),
  });
  const ask = stepOf('ask', ['draft'], { kind: 'approve' });
  const last = stepOf('last', ['ask'], { maxCostMicroUsd: 1_000, retries: 1 });
  const order = jobOf([stepOf('draft', [], { retries: 1 }), ask, last]);
  return environment.withWorker(activities, async (taskQueue) => {
    const handle = await startJob(environment, order, taskQueue);
    await waitFor('the approval', () => calls.includes('beginStep ask'));
    await handle.signal(JOB_SIGNALS.pause);
    await handle.signal(JOB_SIGNALS.decide, { step: 'ask', approved: true });
    await handle.signal(JOB_SIGNALS.resume);
    await handle.result();
    return handle.fetchHistory();
  });
}

/** @param options such as a delay of its first task */
export function startTick(
  { temporal }: WorkflowEnvironment,
  taskQueue: string,
  options: Pick<WorkflowStartOptions, 'startDelay'> = {},
) {
  const order = { tenant: 'acme', scheduleId: `sched_${crypto.randomUUID()}` };
  return temporal.client.workflow.start<(order: TickOrder) => Promise<string>>(TICK_TYPE, {
    workflowId: workflowId(order.tenant, order.scheduleId),
    taskQueue,
    args: [order],
    ...options,
  });
}

export async function recordTick(environment: WorkflowEnvironment): Promise<History> {
  const { activities } = stubActivities();
  return environment.withWorker(activities, async (taskQueue) => {
    const handle = await startTick(environment, taskQueue);
    await handle.result();
    return handle.fetchHistory();
  });
}
