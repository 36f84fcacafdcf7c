/**
 * One line per provider for those who wait for room: a task queue of its own, of which a worker takes one at a time.
 * So Temporal keeps the order of the line, by priority and fairness, and nobody who waits holds a slot of the streams.
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
