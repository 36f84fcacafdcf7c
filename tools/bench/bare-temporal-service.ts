/**
 * The least that a durable answer costs on Temporal: the request starts a workflow eagerly in this same process, whose
 * one local activity streams. No log, no budget, no second viewer: what Unbroken cannot go below on this engine.
 */
import { Client } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { z } from 'zod';
import type { generateBarely, Stream } from './bare-temporal-workflow.ts';
import { serveCallers, streamToCaller } from './stream-to-caller.ts';

const environment = z
  .object({ BENCH_PROVIDER_URL: z.url(), BENCH_PORT: z.coerce.number(), TEMPORAL_ADDRESS: z.string() })
  .parse(process.env);
const taskQueue = `bench-${process.pid}`;

const stream: Stream = (id, body) => streamToCaller(environment.BENCH_PROVIDER_URL, id, body);
const connection = await NativeConnection.connect({ address: environment.TEMPORAL_ADDRESS });
const worker = await Worker.create({
  connection,
  taskQueue,
  workflowsPath: `${import.meta.dirname}/bare-temporal-workflow.ts`,
  activities: { stream },
});
const { workflow } = new Client({ connection });
process.once('SIGTERM', () => worker.shutdown());
const running = worker.run();
await serveCallers(environment.BENCH_PORT, (id, body) =>
  workflow.start<typeof generateBarely>('generateBarely', {
    workflowId: id,
    taskQueue,
    args: [id, body],
    requestEagerStart: true,
  }),
);
await running;
process.exit(0);
