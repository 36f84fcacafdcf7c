/**
 * One line per provider for those who wait for room: a task queue of its own, of which a worker takes one at a time.
 * So Temporal keeps the order of the line, by priority and fairness, and nobody who waits holds a slot of the streams.
 */
import { type NativeConnection, Worker } from '@temporalio/worker';
import type { Activities } from '../activities/create-activities.ts';
import { roomQueue } from '../contracts/names.ts';

export function createWaitingRooms(
  connection: NativeConnection,
  temporal: { readonly namespace: string; readonly taskQueue: string },
  providers: Iterable<string>,
  waitForRoom: Activities['waitForRoom'],
): Promise<Worker[]> {
  return Promise.all(
    [...providers].map((provider) =>
      Worker.create({
        connection,
        namespace: temporal.namespace,
        taskQueue: roomQueue(temporal.taskQueue, provider),
        activities: { waitForRoom },
        maxConcurrentActivityTaskExecutions: 1,
        maxConcurrentActivityTaskPolls: 1,
        shutdownGraceTime: 0,
      }),
    ),
  );
}
