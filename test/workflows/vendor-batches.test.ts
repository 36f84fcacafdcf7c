/** What the workflow of a batch decides whose lines may wait at their vendors, with stubs for its steps. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../activities/create-activities.ts';
import type { BatchOrder } from '../../contracts/batches.ts';
import { waitFor } from '../harness/wait-for.ts';
import { batchOf, startBatch, waitingOf } from './batch-runs.ts';
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

function run(order: BatchOrder, { activities }: { activities: Activities }): Promise<unknown> {
  return environment.withWorker(activities, async (taskQueue) =>
    (await startBatch(environment, order, taskQueue)).result(),
  );
}

const callsOf = (calls: readonly string[], name: string) => calls.filter((call) => call.startsWith(name));
const notYet = () => ApplicationFailure.create({ message: 'runs', nextRetryDelay: 20 });

/** A vendor that ends its batch only when that is requested. */
const endsIfCancelled: Pick<Activities, 'awaitVendors'> = {
  awaitVendors: async ({ cancels }) => {
    if (!cancels) throw notYet();
  },
};

test('lines wait until their vendor has ended, and only those without an answer are called', async () => {
  let polls = 0;
  const stubs = stubActivities({
    checkBatch: async () => ({ lines: 4, shardLines: 2 }),
    awaitVendors: async () => {
      polls += 1;
      if (polls < 3) throw notYet();
    },
    takeAnswers: async ({ shard, closes }) => ({
      lines: closes ? [] : [shard * 2],
      warnings: [],
      deliveries: [],
    }),
  });
  await run(waitingOf(), stubs);
  expect(callsOf(stubs.calls, 'awaitVendors')).toEqual(['awaitVendors', 'awaitVendors', 'awaitVendors']);
  expect(stubs.calls.indexOf('keepAnswers')).toBeGreaterThan(stubs.calls.lastIndexOf('awaitVendors'));
  const firstShard = stubs.calls.findIndex((call) => call.startsWith('openShard'));
  expect(firstShard).toBeGreaterThan(stubs.calls.indexOf('keepAnswers'));
  expect(callsOf(stubs.calls, 'prepareLine').sort()).toEqual(['prepareLine 1', 'prepareLine 3']);
  // What was prepared and is not called after all is ended before the results are recorded.
  for (const shard of [0, 1]) {
    const closing = stubs.calls.indexOf(`takeAnswers ${shard} closes null`);
    expect(closing).toBeGreaterThan(stubs.calls.indexOf(`prepareLine ${2 * shard + 1}`));
    expect(stubs.calls.indexOf(`recordShard ${shard} null`)).toBeGreaterThan(closing);
  }
  expect(stubs.calls.at(-1)).toBe('endBatch 4 null');
});

test('no line is called before the answers of all shards are taken: what they have not used is free then', async () => {
  const shards = Array.from({ length: 10 }, (_, shard) => shard);
  // Every second shard has a line that no vendor has answered.
  const answered = (shard: number) => (shard % 2 === 0 ? [shard * 2] : [shard * 2, shard * 2 + 1]);
  const stubs = stubActivities({
    checkBatch: async () => ({ lines: 20, shardLines: 2 }),
    takeAnswers: async ({ shard, closes }) => {
      // The first ones take the longest.
      await new Promise((resolve) => setTimeout(resolve, 20 * (10 - shard)));
      return { lines: closes ? [] : answered(shard), warnings: [], deliveries: [] };
    },
  });
  await run(waitingOf(), stubs);
  const firstCall = stubs.calls.findIndex((call) => call.startsWith('prepareLine'));
  const takenBefore = new Set(callsOf(stubs.calls.slice(0, firstCall), 'takeAnswers'));
  expect([...takenBefore].sort()).toEqual(shards.map((shard) => `takeAnswers ${shard}`).sort());
  const called = shards.filter((shard) => shard % 2 === 0).map((shard) => `prepareLine ${shard * 2 + 1}`);
  expect(callsOf(stubs.calls, 'prepareLine').sort()).toEqual(called.sort());
  expect(callsOf(stubs.calls, 'recordShard').sort()).toEqual(
    shards.map((shard) => `recordShard ${shard} null`).sort(),
  );
});

test('a batch that is cancelled while its answers are taken ends what is left, and calls nothing', async () => {
  const stubs = stubActivities({
    checkBatch: async () => ({ lines: 20, shardLines: 2 }),
    takeAnswers: async ({ shard, closes }) => {
      if (!closes && shard === 9) await waitFor('the cancellation', () => isCancelled);
      return { lines: closes ? [] : [shard * 2], warnings: [], deliveries: [] };
    },
  });
  let isCancelled = false;
  await environment.withWorker(stubs.activities, async (taskQueue) => {
    const handle = await startBatch(environment, waitingOf(), taskQueue);
    await waitFor('the last shard', () => stubs.calls.includes('takeAnswers 9'));
    await handle.cancel();
    isCancelled = true;
    await handle.result();
  });
  expect(callsOf(stubs.calls, 'prepareLine')).toEqual([]);
  const shards = Array.from({ length: 10 }, (_, shard) => shard);
  expect(callsOf(stubs.calls, 'recordShard').sort()).toEqual(
    shards.map((shard) => `recordShard ${shard} cancelled`).sort(),
  );
});

test('a shard that vendors have answered as a whole calls nothing', async () => {
  const stubs = stubActivities({
    checkBatch: async () => ({ lines: 2, shardLines: 2 }),
    takeAnswers: async () => ({ lines: [0, 1], warnings: [], deliveries: [] }),
  });
  await run(waitingOf(), stubs);
  expect(callsOf(stubs.calls, 'prepareLine')).toEqual([]);
  expect(callsOf(stubs.calls, 'takeAnswers')).toEqual(['takeAnswers 0']);
});

test('when its time is needed for calls, the vendors end first, and calls begin after that', async () => {
  const stubs = stubActivities({
    ...endsIfCancelled,
    checkBatch: async () => ({ lines: 2, shardLines: 2 }),
    handOver: async () => ({ isPrepared: true, isSubmitted: true, liveAtMs: Date.now() + 300 }),
  });
  await run(waitingOf(), stubs);
  const cancelled = stubs.calls.indexOf('awaitVendors cancels');
  expect(stubs.calls.indexOf('keepAnswers')).toBeGreaterThan(cancelled);
  expect(stubs.calls.indexOf('prepareLine 0')).toBeGreaterThan(stubs.calls.indexOf('keepAnswers'));
  expect(stubs.calls.at(-1)).toBe('endBatch 2 null');
});

test('a batch that is cancelled while it waits ends its vendors, keeps their answers, and calls nothing', async () => {
  const stubs = stubActivities({
    ...endsIfCancelled,
    checkBatch: async () => ({ lines: 20, shardLines: 2 }),
  });
  await environment.withWorker(stubs.activities, async (taskQueue) => {
    const handle = await startBatch(environment, waitingOf(), taskQueue);
    await waitFor('the wait', () => stubs.calls.includes('awaitVendors'));
    await handle.cancel();
    await handle.result();
  });
  expect(stubs.calls).toContain('awaitVendors cancels');
  expect(callsOf(stubs.calls, 'prepareLine')).toEqual([]);
  const shards = Array.from({ length: 10 }, (_, shard) => shard);
  // Every shard runs: the answers that there are by then are paid.
  expect(callsOf(stubs.calls, 'takeAnswers').sort()).toEqual(
    shards.map((shard) => `takeAnswers ${shard} closes cancelled`).sort(),
  );
  expect(callsOf(stubs.calls, 'recordShard').sort()).toEqual(
    shards.map((shard) => `recordShard ${shard} cancelled`).sort(),
  );
  expect(stubs.calls.at(-1)).toBe('endBatch 10 cancelled');
});

test('a batch whose time is over while its vendors end keeps their answers, and calls nothing', async () => {
  let isOver = false;
  const stubs = stubActivities({
    checkBatch: async () => ({ lines: 2, shardLines: 2 }),
    handOver: async () => ({ isPrepared: true, isSubmitted: true, liveAtMs: Date.now() }),
    awaitVendors: async () => {
      if (!isOver) throw notYet();
    },
  });
  const order = waitingOf({ deadlineAtMs: Date.now() + 1_500 });
  await environment.withWorker(stubs.activities, async (taskQueue) => {
    const handle = await startBatch(environment, order, taskQueue);
    await waitFor('the deadline', () => Date.now() > order.deadlineAtMs + 200);
    isOver = true;
    await handle.result();
  });
  expect(callsOf(stubs.calls, 'prepareLine')).toEqual([]);
  expect(stubs.calls).toContain('takeAnswers 0 closes expired');
  expect(stubs.calls.at(-1)).toBe('endBatch 1 expired');
});

test('a batch of which no line can wait is called at once', async () => {
  const stubs = stubActivities({
    handOver: async () => ({ isPrepared: false, isSubmitted: false, liveAtMs: 0 }),
  });
  await run(waitingOf(), stubs);
  expect(callsOf(stubs.calls, 'prepareLine')).toHaveLength(3);
  for (const step of ['awaitVendors', 'keepAnswers', 'takeAnswers']) {
    expect(callsOf(stubs.calls, step)).toEqual([]);
  }
});

test('a batch that does not ask for it is not handed over', async () => {
  const stubs = stubActivities();
  await run(batchOf(), stubs);
  expect(callsOf(stubs.calls, 'handOver')).toEqual([]);
});

test('a batch that continues as a new run is handed over once, and its later shards take answers, too', async () => {
  const lines = 260;
  const stubs = stubActivities({
    checkBatch: async () => ({ lines, shardLines: 1 }),
    takeAnswers: async ({ shard }) => ({ lines: [shard], warnings: [], deliveries: [] }),
  });
  await environment.withWorker(stubs.activities, async (taskQueue) => {
    const handle = await startBatch(environment, waitingOf(), taskQueue);
    const first = handle.firstExecutionRunId;
    await handle.result();
    const { runId } = await environment.temporal.client.workflow.getHandle(handle.workflowId).describe();
    expect(runId).not.toBe(first);
  });
  expect(callsOf(stubs.calls, 'handOver')).toHaveLength(1);
  expect(new Set(callsOf(stubs.calls, 'takeAnswers')).size).toBe(lines);
  expect(callsOf(stubs.calls, 'prepareLine')).toEqual([]);
});
