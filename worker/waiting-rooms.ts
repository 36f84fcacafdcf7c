/**
 * Generations that wait for room: one task queue per provider, of which a worker runs one task at a time. Temporal
 * orders the queue by priority and fairness, and a waiting generation holds no slot of the streams.
 */
import { Worker } from '@temporalio/worker';
import type { Activities } from '../activities/create-activities.ts';
import { roomQueue } from '../contracts/names.ts';
import type { SharedOptions } from './shared-options.ts';

export function createWaitingRooms(
  shared: SharedOptions,
  taskQueue: string,
  providers: Iterable<string>,
  waitForRoom: Activities['waitForRoom'],
): Promise<Worker[]> {
  return Promise.all(
    [...providers].map((provider) =>
      Worker.create({
        ...shared,
        taskQueue: roomQueue(taskQueue, provider),
        activities: { waitForRoom },
        maxConcurrentActivityTaskExecutions: 1,
        maxConcurrentActivityTaskPolls: 1,
        shutdownGraceTime: 0,
      }),
    ),
  );
}
