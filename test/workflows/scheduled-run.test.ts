/** What the workflow of a tick decides when it is cancelled before its first task: a worker may have died with that. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WorkflowFailedError } from '@temporalio/client';
import type { OpenedTick } from '../../contracts/job-steps.ts';
import { batchOf } from './batch-runs.ts';
import { jobOf, startTick } from './job-runs.ts';
import {
  orderOf,
  startWorkflowEnvironment,
  stubActivities,
  type WorkflowEnvironment,
} from './workflow-environment.ts';

let environment: WorkflowEnvironment;
beforeAll(async () => {
  environment = await startWorkflowEnvironment();
});
afterAll(() => environment?.stop());

const priority = { fairnessKey: 'acme/ann' };
const OPENED: readonly (readonly [OpenedTick['kind'], OpenedTick, string])[] = [
  ['job', { kind: 'job', order: jobOf([]), priority }, 'endJob cancelled'],
  ['batch', { kind: 'batch', order: batchOf(), priority }, 'endBatch 0 cancelled'],
];

test.each(OPENED)('the %s that a cancelled tick has opened is ended', async (_kind, opened, ending) => {
  const { activities, calls } = stubActivities({ openTick: async () => opened });
  await environment.withWorker(activities, async (taskQueue) => {
    const handle = await startTick(environment, taskQueue, { startDelay: '1s' });
    await handle.cancel();
    await expect(handle.result()).rejects.toBeInstanceOf(WorkflowFailedError);
  });
  expect(calls).toEqual(['openTick', ending]);
});

test('the generation that a cancelled tick has opened is closed', async () => {
  const opened: OpenedTick = { kind: 'generation', order: orderOf(), priority };
  const { activities, calls } = stubActivities({ openTick: async () => opened });
  await environment.withWorker(activities, async (taskQueue) => {
    const handle = await startTick(environment, taskQueue, { startDelay: '1s' });
    await handle.cancel();
    expect(await handle.result()).toBe('cancelled');
  });
  expect(calls.slice(0, 2)).toEqual(['openTick', 'closeGeneration cancelled']);
});
