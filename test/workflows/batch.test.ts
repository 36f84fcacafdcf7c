/** What the workflows of a batch decide, with stubs for their steps and those of the generations. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Activities } from '../../activities/create-activities.ts';
import { BATCH_LIMITS } from '../../contracts/batch-limits.ts';
import type { BatchOrder, BatchOutcome } from '../../contracts/batches.ts';
import { workflowId } from '../../contracts/names.ts';
import { waitFor } from '../harness/wait-for.ts';
import { batchOf, generates, opensBatch, startBatch } from './batch-runs.ts';
import { startTick } from './job-runs.ts';
import { endless } from './runs.ts';
import {
  startWorkflowEnvironment,
  stubActivities,
  type WorkflowEnvironment,
} from './workflow-environment.ts';

let environment: WorkflowEnvironment;
beforeAll(async () => {
  environment = await startWorkflowEnvironment();
});
afterAll(() => environment?.stop());

function run(order: BatchOrder, { activities }: { activities: Activities }): Promise<BatchOutcome> {
  return environment.withWorker(activities, async (taskQueue) =>
    (await startBatch(environment, order, taskQueue)).result(),
  );
}

const callsOf = (calls: readonly string[], name: string) => calls.filter((call) => call.startsWith(name));

test('each line is prepared once, each shard recorded once, and the batch ends after the last', async () => {
  const stubs = stubActivities({ ...generates, checkBatch: async () => ({ lines: 7, shardLines: 2 }) });
  await run(batchOf(), stubs);
  const prepared = callsOf(stubs.calls, 'prepareLine').map((call) => Number(call.split(' ')[1]));
  expect(prepared.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(callsOf(stubs.calls, 'recordShard').sort()).toEqual(
    [0, 1, 2, 3].map((shard) => `recordShard ${shard} null`),
  );
  expect(callsOf(stubs.calls, 'settleBudget')).toHaveLength(7);
  expect(stubs.calls.at(-1)).toBe('endBatch 4 null');
});

test('a batch whose file is refused sends nothing, and ends', async () => {
  const stubs = stubActivities({ checkBatch: async () => null });
  await run(batchOf(), stubs);
  expect(stubs.calls).toEqual(['checkBatch', 'endBatch 0 null']);
});

test('a batch with a long history continues as a new run, which begins no line again', async () => {
  const lines = 260;
  const stubs = stubActivities({ checkBatch: async () => ({ lines, shardLines: 1 }) });
  await environment.withWorker(stubs.activities, async (taskQueue) => {
    const handle = await startBatch(environment, batchOf(), taskQueue);
    const first = handle.firstExecutionRunId;
    await handle.result();
    const { runId } = await environment.temporal.client.workflow.getHandle(handle.workflowId).describe();
    expect(runId).not.toBe(first);
  });
  expect(new Set(callsOf(stubs.calls, 'prepareLine')).size).toBe(lines);
  expect(callsOf(stubs.calls, 'checkBatch')).toHaveLength(1);
  expect(stubs.calls.at(-1)).toBe(`endBatch ${lines} null`);
});

test('no more lines run at once than the batch may have', async () => {
  let running = 0;
  let most = 0;
  const stubs = stubActivities({
    checkBatch: async () => ({ lines: 40, shardLines: 10 }),
    prepareLine: async () => ({ next: 'embed' }),
    embedLine: async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
    },
  });
  await run(batchOf({ linesAtOnce: 8 }), stubs);
  expect(callsOf(stubs.calls, 'embedLine')).toHaveLength(40);
  expect(most).toBeLessThanOrEqual(8);
  expect(most).toBeGreaterThan(1);
});

describe('a batch that is cancelled', () => {
  test('begins no further line, lets those that run end, and records its shards', async () => {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const stubs = stubActivities({
      checkBatch: async () => ({ lines: 400, shardLines: 100 }),
      prepareLine: async () => ({ next: 'embed' }),
      embedLine: () => released,
    });
    await environment.withWorker(stubs.activities, async (taskQueue) => {
      const handle = await startBatch(environment, batchOf({ linesAtOnce: 4 }), taskQueue);
      await waitFor('lines that run', () => callsOf(stubs.calls, 'embedLine').length === 4);
      await handle.cancel();
      await waitFor('the request in every shard', async () => {
        const shards = [0, 1, 2, 3].map((shard) =>
          environment.temporal.client.workflow.getHandle(`${handle.workflowId}/${shard}`),
        );
        const histories = await Promise.all(shards.map((shard) => shard.fetchHistory()));
        return histories.every(({ events }) =>
          events?.some(({ workflowExecutionCancelRequestedEventAttributes: request }) => request != null),
        );
      });
      release();
      await handle.result();
    });
    expect(callsOf(stubs.calls, 'prepareLine')).toHaveLength(4);
    expect(callsOf(stubs.calls, 'recordShard').sort()).toEqual(
      [0, 1, 2, 3].map((shard) => `recordShard ${shard} cancelled`),
    );
    expect(stubs.calls.at(-1)).toBe('endBatch 4 cancelled');
  });

  test('before its file is checked sends nothing, and still ends with a plan', async () => {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const stubs = stubActivities({
      checkBatch: async () => {
        await released;
        return { lines: 5, shardLines: 2 };
      },
    });
    await environment.withWorker(stubs.activities, async (taskQueue) => {
      const handle = await startBatch(environment, batchOf(), taskQueue);
      await waitFor('the check', () => stubs.calls.includes('checkBatch'));
      await handle.cancel();
      release();
      await handle.result();
    });
    expect(callsOf(stubs.calls, 'prepareLine')).toEqual([]);
    expect(stubs.calls.at(-1)).toBe('endBatch 0 cancelled');
  });
});

test('when its time is over, what runs is cancelled, and the rest begins no more', async () => {
  const stubs = stubActivities({
    ...generates,
    ...endless,
    checkBatch: async () => ({ lines: 8, shardLines: 2 }),
  });
  await run(batchOf({ linesAtOnce: BATCH_LIMITS.shardsAtOnce, deadlineAtMs: Date.now() + 2_500 }), stubs);
  expect(callsOf(stubs.calls, 'prepareLine').length).toBeLessThanOrEqual(4);
  expect(callsOf(stubs.calls, 'recordShard').every((call) => call.endsWith('expired'))).toBe(true);
  expect(stubs.calls.at(-1)).toMatch(/^endBatch \d expired$/);
});

test('a shard that was terminated does not end the batch: its end records what the lines have become', async () => {
  const stubs = stubActivities({
    ...generates,
    ...endless,
    checkBatch: async () => ({ lines: 1, shardLines: 1 }),
  });
  await environment.withWorker(stubs.activities, async (taskQueue) => {
    const handle = await startBatch(environment, batchOf(), taskQueue);
    await waitFor('a stream', () => callsOf(stubs.calls, 'streamFromProvider').length > 0);
    await environment.temporal.client.workflow.getHandle(`${handle.workflowId}/0`).terminate();
    await handle.result();
  });
  expect(stubs.calls).toContain('endBatch 1 null');
});

describe('a tick of a schedule', () => {
  function runTick({ activities }: { activities: Activities }): Promise<string> {
    return environment.withWorker(activities, async (taskQueue) =>
      (await startTick(environment, taskQueue)).result(),
    );
  }

  test('lasts as long as its batch, and ends as it does', async () => {
    const stubs = stubActivities({ ...opensBatch(batchOf()), ...generates });
    expect(await runTick(stubs)).toBe('completed');
    expect(stubs.calls.at(-1)).toBe('endBatch 2 null');
  });

  test('fails with a batch whose file is refused', async () => {
    const stubs = stubActivities({
      ...opensBatch(batchOf()),
      checkBatch: async () => null,
      endBatch: async () => ({ status: 'failed', costMicroUsd: 0, deliveries: [] }),
    });
    await expect(runTick(stubs)).rejects.toMatchObject({ cause: { type: 'invalid_request' } });
  });

  test('that is cancelled cancels its batch, and waits for its files', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const order = batchOf();
    const stubs = stubActivities({
      ...opensBatch(order),
      checkBatch: () => released.then(() => ({ lines: 5, shardLines: 2 })),
    });
    await environment.withWorker(stubs.activities, async (taskQueue) => {
      const tick = await startTick(environment, taskQueue);
      await waitFor('the check', () => stubs.calls.includes('checkBatch'));
      await tick.cancel();
      const batch = environment.temporal.client.workflow.getHandle(workflowId(order.tenant, order.batchId));
      await waitFor('the request in the batch', async () =>
        (await batch.fetchHistory()).events?.some(
          ({ workflowExecutionCancelRequestedEventAttributes: request }) => request != null,
        ),
      );
      release();
      expect(await tick.result()).toBe('cancelled');
    });
    expect(callsOf(stubs.calls, 'prepareLine')).toEqual([]);
    expect(stubs.calls.at(-1)).toBe('endBatch 0 cancelled');
  });
});
