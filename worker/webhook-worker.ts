/**
 * The worker of webhook deliveries, with a separate task queue: receivers that do not answer hold slots of their kind
 * only. Temporal serves the queue fairly, by the user whose generation it was.
 */
import { Worker } from '@temporalio/worker';
import type { Activities } from '../activities/create-activities.ts';
import { LIMITS } from '../contracts/limits.ts';
import { webhookQueue } from '../contracts/names.ts';
import type { SharedOptions } from './shared-options.ts';

export function createWebhookWorker(
  shared: SharedOptions,
  taskQueue: string,
  deliverWebhook: Activities['deliverWebhook'],
): Promise<Worker> {
  return Worker.create({
    ...shared,
    taskQueue: webhookQueue(taskQueue),
    activities: { deliverWebhook },
    maxConcurrentActivityTaskExecutions: LIMITS.deliveriesAtOnce,
    maxConcurrentActivityTaskPolls: 1,
    shutdownGraceTime: 0,
  });
}
