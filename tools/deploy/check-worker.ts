/** Health check of a worker's container: succeeds if a worker of this host has polled Temporal recently. */
import { hostname } from 'node:os';
import { Connection } from '@temporalio/client';
import { loadConfig } from '../../platform/config/load-config.ts';
import { connectionOptions } from '../../platform/temporal/connection-options.ts';

const CALL_MS = 5_000;
const WORKFLOW_TASK_QUEUE = 1;

const { temporal } = loadConfig();
const connection = await Connection.connect({ ...connectionOptions(temporal), connectTimeout: CALL_MS });
const { pollers } = await connection.withDeadline(Date.now() + CALL_MS, () =>
  connection.workflowService.describeTaskQueue({
    namespace: temporal.namespace,
    taskQueue: { name: temporal.taskQueue },
    taskQueueType: WORKFLOW_TASK_QUEUE,
  }),
);
await connection.close();
// The SDK's identity of a worker is pid@hostname.
const polls = (pollers ?? []).some(({ identity }) => identity?.endsWith(`@${hostname()}`));
if (!polls) {
  process.stderr.write(`No worker of ${hostname()} polls the task queue ${temporal.taskQueue}.\n`);
  process.exitCode = 1;
}
