/** Runs of batches: those of their tests, and those whose histories are recorded. */
import { ApplicationFailure } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import type { Activities } from '../../activities/create-activities.ts';
import type { BatchOrder, BatchOutcome } from '../../contracts/batches.ts';
import { BATCH_TYPE, workflowId } from '../../contracts/names.ts';
import { startTick } from './job-runs.ts';
import { orderOf, stubActivities, type WorkflowEnvironment } from './workflow-environment.ts';

export function batchOf(facts: Partial<BatchOrder> = {}): BatchOrder {
  const batchId = `batch_${crypto.randomUUID()}`;
  return {
    batchId,
    tenant: 'acme',
    user: 'ann',
    deadlineAtMs: Date.now() + 600_000,
    linesAtOnce: 8,
    ...facts,
  };
}

/** Its lines may wait at their vendors. */
export function waitingOf(facts: Partial<BatchOrder> = {}): BatchOrder {
  return batchOf({ mode: 'vendor', ...facts });
}

export const generates: Pick<Activities, 'prepareLine'> = {
  prepareLine: async () => ({ next: 'generate', orders: [orderOf()] }),
};

export function startBatch({ temporal }: WorkflowEnvironment, order: BatchOrder, taskQueue: string) {
  return temporal.client.workflow.start<(order: BatchOrder) => Promise<BatchOutcome>>(BATCH_TYPE, {
    workflowId: workflowId(order.tenant, order.batchId),
    taskQueue,
    args: [order],
  });
}

/** Lines with one generation, with two, with embeddings, and one that was refused. */
async function runRecorded(environment: WorkflowEnvironment) {
  const deliveryId = `msg_${crypto.randomUUID()}`;
  const delivery = { tenant: 'acme', deliveryId, eventType: 'batch.completed' } as const;
  const { activities } = stubActivities({
    checkBatch: async () => ({ lines: 4, shardLines: 4 }),
    prepareLine: async ({ line }) => {
      if (line === 0) return { next: 'generate', orders: [orderOf()] };
      if (line === 1) return { next: 'generate', orders: [orderOf(), orderOf()] };
      return { next: line === 2 ? 'embed' : 'over' };
    },
    endBatch: async () => ({ status: 'completed', costMicroUsd: 3, deliveries: [delivery] }),
  });
  const order = batchOf({ linesAtOnce: 1 });
  return environment.withWorker(activities, async (taskQueue) => {
    const handle = await startBatch(environment, order, taskQueue);
    await handle.result();
    const shard = environment.temporal.client.workflow.getHandle(`${handle.workflowId}/0`);
    return { batch: await handle.fetchHistory(), shard: await shard.fetchHistory() };
  });
}

export async function recordBatch(environment: WorkflowEnvironment): Promise<History> {
  return (await runRecorded(environment)).batch;
}

export async function recordShard(environment: WorkflowEnvironment): Promise<History> {
  return (await runRecorded(environment)).shard;
}

/** @returns a tick that opens this batch. */
export function opensBatch(order: BatchOrder): Pick<Activities, 'openTick'> {
  const priority = { fairnessKey: 'acme/ann', priorityKey: 5 };
  return { openTick: async () => ({ kind: 'batch', order, priority }) };
}

export async function recordScheduledBatch(environment: WorkflowEnvironment): Promise<History> {
  const { activities } = stubActivities({ ...opensBatch(batchOf({ linesAtOnce: 1 })) });
  return environment.withWorker(activities, async (taskQueue) => {
    const handle = await startTick(environment, taskQueue);
    await handle.result();
    return handle.fetchHistory();
  });
}

/** A batch that waits for its vendor, and whose second line has no answer. */
async function runWaiting(environment: WorkflowEnvironment) {
  let polls = 0;
  const { activities } = stubActivities({
    checkBatch: async () => ({ lines: 2, shardLines: 2 }),
    awaitVendors: async () => {
      polls += 1;
      if (polls === 1) throw ApplicationFailure.create({ message: 'It runs.', nextRetryDelay: 1 });
    },
    takeAnswers: async ({ closes }) => ({ lines: closes ? [] : [0], warnings: [], deliveries: [] }),
    ...generates,
  });
  return environment.withWorker(activities, async (taskQueue) => {
    const handle = await startBatch(environment, waitingOf({ linesAtOnce: 1 }), taskQueue);
    await handle.result();
    const shard = environment.temporal.client.workflow.getHandle(`${handle.workflowId}/0`);
    return { batch: await handle.fetchHistory(), shard: await shard.fetchHistory() };
  });
}

export async function recordWaiting(environment: WorkflowEnvironment): Promise<History> {
  return (await runWaiting(environment)).batch;
}

export async function recordAnswered(environment: WorkflowEnvironment): Promise<History> {
  return (await runWaiting(environment)).shard;
}
