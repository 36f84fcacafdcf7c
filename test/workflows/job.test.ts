/** What a job's workflow decides, with stubs for its steps and those of its generations. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../activities/create-activities.ts';
import type { JobOrder, JobOutcome } from '../../contracts/job-steps.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { JOB_SIGNALS, webhookRunId } from '../../contracts/names.ts';
import type { WebhookDelivery } from '../../contracts/webhooks.ts';
import { waitFor } from '../harness/wait-for.ts';
import { jobOf, runsItems, startJob, stepOf } from './job-runs.ts';
import { endless } from './runs.ts';
import {
  orderOf,
  outcomeWith,
  startWorkflowEnvironment,
  stubActivities,
  type WorkflowEnvironment,
} from './workflow-environment.ts';

let environment: WorkflowEnvironment;
beforeAll(async () => {
  environment = await startWorkflowEnvironment();
});
afterAll(() => environment?.stop());

function run(order: JobOrder, { activities }: { activities: Activities }): Promise<JobOutcome> {
  return environment.withWorker(activities, async (taskQueue) =>
    (await startJob(environment, order, taskQueue)).result(),
  );
}

const stepsIn = (calls: readonly string[]) =>
  calls.filter((call) => /^(?:beginStep|endStep|endJob)/.test(call));

test('a step begins once all that it needs is over, and the job ends after the last', async () => {
  const stubs = stubActivities(runsItems);
  const order = jobOf([stepOf('a'), stepOf('b', ['a']), stepOf('c', ['a', 'b'])]);
  expect(await run(order, stubs)).toMatchObject({ status: 'completed' });
  expect(stepsIn(stubs.calls)).toEqual([
    'beginStep a',
    'endStep a completed',
    'beginStep b',
    'endStep b completed',
    'beginStep c',
    'endStep c completed',
    'endJob completed',
  ]);
});

test('a job with a long history continues as a new run, and it begins no item again', async () => {
  const items = 260;
  const stubs = stubActivities({
    ...runsItems,
    beginStep: async () => ({ next: 'generate', items, deadlineAtMs: Number.MAX_SAFE_INTEGER }),
  });
  const order = jobOf([stepOf('each', [], { maxParallel: LIMITS.parallelPerJob })], {
    maxParallel: LIMITS.parallelPerJob,
  });
  await environment.withWorker(stubs.activities, async (taskQueue) => {
    const handle = await startJob(environment, order, taskQueue);
    const first = handle.firstExecutionRunId;
    expect(await handle.result()).toMatchObject({ status: 'completed' });
    const { runId } = await environment.temporal.client.workflow.getHandle(handle.workflowId).describe();
    expect(runId).not.toBe(first);
  });
  const prepared = stubs.calls.filter((call) => call.startsWith('prepareItem'));
  expect(new Set(prepared).size).toBe(items);
  // A local activity is repeated where a workflow task was lost, which a busy machine does.
  expect(prepared.length - items).toBeLessThanOrEqual(LIMITS.parallelPerJob);
  expect(stepsIn(stubs.calls)).toEqual(['beginStep each', 'endStep each completed', 'endJob completed']);
});

describe('an item that fails', () => {
  const fails: Activities['recordItem'] = async ({ attempt }) => ({
    status: 'failed',
    costMicroUsd: 1,
    failure: attempt < 3 ? { code: 'provider_malformed' } : null,
    mayRetry: true,
  });

  test('is repeated as often as its step says, under another attempt', async () => {
    const stubs = stubActivities({ ...runsItems, recordItem: fails });
    expect(await run(jobOf([stepOf('a', [], { retries: 2 })]), stubs)).toMatchObject({ status: 'completed' });
    const prepared = stubs.calls.filter((call) => call.startsWith('prepareItem'));
    expect(prepared).toEqual(['prepareItem a/0/1', 'prepareItem a/0/2', 'prepareItem a/0/3']);
  });

  test('ends the job, and nothing that needs it begins', async () => {
    const stubs = stubActivities({ ...runsItems, recordItem: fails });
    expect(await run(jobOf([stepOf('a'), stepOf('b', ['a'])]), stubs)).toMatchObject({
      status: 'failed',
      errorCode: 'provider_malformed',
    });
    expect(stepsIn(stubs.calls)).toEqual(['beginStep a', 'endStep a failed', 'endJob failed']);
  });
});

test('two items never spend the same: one waits until what runs leaves enough', async () => {
  const left: (number | null)[] = [];
  const stubs = stubActivities({
    beginStep: async () => ({ next: 'generate', items: 4, deadlineAtMs: Number.MAX_SAFE_INTEGER }),
    prepareItem: async ({ leftMicroUsd }) => {
      left.push(leftMicroUsd);
      if (leftMicroUsd !== null && leftMicroUsd < 10) return { next: 'over-budget' };
      return { next: 'run', order: orderOf(), mostMicroUsd: 10 };
    },
    recordItem: async () => ({ status: 'completed', costMicroUsd: 4, failure: null, mayRetry: false }),
  });
  const outcome = await run(jobOf([stepOf('each')], { maxCostMicroUsd: 22 }), stubs);
  expect(outcome).toMatchObject({ status: 'completed' });
  expect(left.slice(0, 2)).toEqual([22, 12]);
  expect(Math.min(...left.map((each) => each ?? 0))).toBeGreaterThanOrEqual(0);
});

test('an item that finds too little left begins all the same when what ran has ended meanwhile', async () => {
  const stubs = stubActivities({
    beginStep: async () => ({ next: 'generate', items: 3, deadlineAtMs: Number.MAX_SAFE_INTEGER }),
    prepareItem: async ({ leftMicroUsd }) => {
      if (leftMicroUsd !== null && leftMicroUsd >= 10)
        return { next: 'run', order: orderOf(), mostMicroUsd: 10 };
      await waitFor('the end of the others', () => endedItems(stubs.calls) === 2);
      return { next: 'over-budget' };
    },
    recordItem: async () => ({ status: 'completed', costMicroUsd: 4, failure: null, mayRetry: false }),
  });
  const outcome = await run(jobOf([stepOf('each')], { maxCostMicroUsd: 22 }), stubs);
  expect(outcome).toMatchObject({ status: 'completed' });
  expect(endedItems(stubs.calls)).toBe(3);
});

const endedItems = (calls: readonly string[]) => calls.filter((call) => call.startsWith('recordItem')).length;

test('a cancelled job closes what it runs before it ends', async () => {
  const stubs = stubActivities({ ...runsItems, ...endless });
  await environment.withWorker(stubs.activities, async (taskQueue) => {
    const handle = await startJob(environment, jobOf([stepOf('a'), stepOf('b')]), taskQueue);
    while (stubs.calls.filter((call) => call.startsWith('streamFromProvider')).length < 2) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await handle.cancel();
    expect(await handle.result()).toMatchObject({ status: 'cancelled' });
  });
  expect(stubs.calls.filter((call) => call.startsWith('recordItem'))).toHaveLength(2);
  expect(stubs.calls.at(-1)).toBe('endJob cancelled');
});

test('a job that is cancelled when it is about to continue as a new run begins nothing more', async () => {
  const isLong = Promise.withResolvers<void>();
  const isEnding = Promise.withResolvers<void>();
  const stubs = stubActivities({
    ...runsItems,
    streamFromProvider: async () => {
      await isLong.promise;
      return outcomeWith();
    },
    endStep: async () => {
      if (endings(stubs.calls).length > 1) return;
      isEnding.resolve();
      // A wait that is too long for a workflow task.
      throw ApplicationFailure.create({ message: 'Redis is unreachable', nextRetryDelay: '4s' });
    },
  });
  await environment.withWorker(stubs.activities, async (taskQueue) => {
    const order = jobOf([stepOf('a'), stepOf('b', ['a'])]);
    const handle = await startJob(environment, order, taskQueue);
    await waitFor('the stream', () => stubs.calls.some((call) => call.startsWith('streamFromProvider')));
    const signals = Array.from({ length: LIMITS.jobHistoryEvents }, () => handle.signal(JOB_SIGNALS.resume));
    await Promise.all(signals);
    isLong.resolve();
    await isEnding.promise;
    await handle.cancel();
    expect(await handle.result()).toMatchObject({ status: 'cancelled' });
  });
  expect(stubs.calls).not.toContain('beginStep b');
});

const endings = (calls: readonly string[]) => calls.filter((call) => call.startsWith('endStep'));

test('a job that is cancelled ends as cancelled, also if its deadline passes while it closes what it runs', async () => {
  const deadlineAtMs = Date.now() + 3_000;
  const stubs = stubActivities({
    ...runsItems,
    ...endless,
    recordItem: async () => {
      await waitFor('the deadline', () => Date.now() > deadlineAtMs + 100);
      return { status: 'cancelled', costMicroUsd: 1, failure: { code: 'cancelled' }, mayRetry: false };
    },
  });
  await environment.withWorker(stubs.activities, async (taskQueue) => {
    const handle = await startJob(environment, jobOf([stepOf('a')], { deadlineAtMs }), taskQueue);
    await waitFor('the stream', () => stubs.calls.some((call) => call.startsWith('streamFromProvider')));
    await handle.cancel();
    expect(await handle.result()).toMatchObject({ status: 'cancelled', errorCode: null });
  });
});

test('a job at its deadline ends as failed, and closes what it runs', async () => {
  const stubs = stubActivities({ ...runsItems, ...endless });
  const order = jobOf([stepOf('a')], { deadlineAtMs: Date.now() + 1_500 });
  expect(await run(order, stubs)).toMatchObject({ status: 'failed', errorCode: 'job_timeout' });
  expect(stubs.calls.filter((call) => call.startsWith('recordItem'))).toHaveLength(1);
});

test('an approval waits for its signal, and what comes after it begins then', async () => {
  const stubs = stubActivities({
    ...runsItems,
    beginStep: async ({ step: name }) =>
      name === 'ask'
        ? { next: 'wait', timeoutAtMs: null }
        : { next: 'generate', items: 1, deadlineAtMs: Number.MAX_SAFE_INTEGER },
  });
  const order = jobOf([stepOf('ask', [], { kind: 'approve' }), stepOf('b', ['ask'])]);
  await environment.withWorker(stubs.activities, async (taskQueue) => {
    const handle = await startJob(environment, order, taskQueue);
    while (!stubs.calls.includes('beginStep ask')) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(stubs.calls).not.toContain('beginStep b');
    await handle.signal(JOB_SIGNALS.decide, { step: 'ask', approved: true });
    expect(await handle.result()).toMatchObject({ status: 'completed' });
  });
  expect(stepsIn(stubs.calls)).toContain('endStep ask completed');
});

test('a job tells others that it waits for a person, and that it has ended, each once', async () => {
  const deliveryOf = (eventType: WebhookDelivery['eventType']) => ({
    tenant: 'acme',
    deliveryId: `msg_${crypto.randomUUID()}`,
    eventType,
  });
  const deliveries = [deliveryOf('job.approval_required'), deliveryOf('job.completed')];
  const [waiting, ended] = deliveries.map((delivery) => [delivery]);
  const stubs = stubActivities({
    ...runsItems,
    beginStep: async () => ({ next: 'wait', timeoutAtMs: null, deliveries: waiting ?? [] }),
    endJob: async () => ({ status: 'completed', costMicroUsd: 0, errorCode: null, deliveries: ended ?? [] }),
  });
  const order = jobOf([stepOf('ask', [], { kind: 'approve' })]);
  await environment.withWorker(stubs.activities, async (taskQueue) => {
    const handle = await startJob(environment, order, taskQueue);
    await waitFor('the approval', () => stubs.calls.includes('deliverWebhook job.approval_required'));
    expect(stubs.calls).not.toContain('endJob completed');
    await handle.signal(JOB_SIGNALS.decide, { step: 'ask', approved: true });
    // The result of the run has counts and money alone.
    expect(await handle.result()).toEqual({ status: 'completed', costMicroUsd: 0, errorCode: null });
    const { workflow } = environment.temporal.client;
    await Promise.all(deliveries.map((delivery) => workflow.getHandle(webhookRunId(delivery)).result()));
  });
  const delivered = stubs.calls.filter((call) => call.startsWith('deliverWebhook'));
  expect(delivered).toEqual(['deliverWebhook job.approval_required', 'deliverWebhook job.completed']);
});
