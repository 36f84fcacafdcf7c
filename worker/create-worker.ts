/** The composition root of the worker: its connections, and the activities and workflows in Temporal's workers. */
import { Client, type ConnectionLike } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { type Activities, createActivities, type WorkerStreams } from '../activities/create-activities.ts';
import { REDIS_KEYS } from '../contracts/names.ts';
import { HANDOFF_WAIT_MS, RedisHandoffTaker } from '../engine/handoff/redis-handoff.ts';
import { createProcessIdentity } from '../engine/leases/process-identity.ts';
import type { ThreadedLease } from '../engine/leases/threaded-lease.ts';
import { countFaults } from '../engine/telemetry/count-faults.ts';
import { createMetrics, type Metrics } from '../engine/telemetry/metrics.ts';
import { observeWorker } from '../engine/telemetry/observe.ts';
import { serveMetrics } from '../engine/telemetry/serve-metrics.ts';
import { clientInterceptors } from '../engine/telemetry/trace-temporal.ts';
import { type Tracing, traceCarrier } from '../engine/telemetry/tracing.ts';
import type { Config } from '../platform/config/load-config.ts';
import { createDataConverter } from '../platform/encryption/data-converter.ts';
import { openRedis, openRedisPair } from '../platform/redis/open-redis.ts';
import { connectionOptions } from '../platform/temporal/connection-options.ts';
import { bundleWorkflows } from './bundle-workflows.ts';
import { createDependencies, type WorkerDependencies } from './create-dependencies.ts';
import { createLease } from './create-lease.ts';
import { EagerTasks } from './eager-tasks.ts';
import { createReportGivenUp, giveUpSteps } from './give-up-steps.ts';
import { holdRuns } from './hold-runs.ts';
import { sharedWorkerOptions } from './shared-options.ts';
import { RunTaker } from './take-runs.ts';
import { versioningOf } from './versioning.ts';
import { createWaitingRooms } from './waiting-rooms.ts';
import { createWebhookWorker } from './webhook-worker.ts';

/** Workflow tasks beside those that streams may hold: jobs and batches continue in a worker that is full of streams. */
const OTHER_TASKS = 1_000;

interface Surroundings {
  readonly logger: Logger;
  /** null: no traces. */
  readonly tracing: Tracing | null;
  /** Where Temporal's SDK serves its metrics; undefined: it serves none. */
  readonly temporalMetricsUrl: string | undefined;
}

export async function createWorker(config: Config, surroundings: Surroundings): Promise<WorkerProcess> {
  const { logger, tracing, temporalMetricsUrl } = surroundings;
  const { taskQueue, deployment } = config.temporal;
  const metrics = config.telemetry.metricsPort === undefined ? null : createMetrics(config.routes);
  const countFault = countFaults(metrics);
  const [connections, connection, workflowBundle] = await Promise.all([
    connectAll(config, (error) => {
      countFault('redis');
      logger.warn({ err: error }, 'redis connection');
    }),
    NativeConnection.connect(connectionOptions(config.temporal)),
    bundleWorkflows(config.dataDir, {
      isEncrypted: createDataConverter(config) !== undefined,
      isTraced: tracing !== null,
    }),
  ]);
  const eagerTasks = new EagerTasks();
  const temporal = await createClient(config, eagerTasks.watch(connection), tracing);
  const parts = await createDependencies(config, {
    ...connections.clients,
    temporal,
    logger,
    metrics,
    onGateUnreachable: (reason) => {
      countFault('gate');
      logger.warn({ err: reason }, 'the gate to the providers was passed by');
    },
  });
  // In parallel with the start of Temporal's workers: the first cache look-up must not wait for a model.
  const warm = parts.warmUp();
  const observed = observeWorker(parts.dependencies, metrics, tracing);
  const { maxStreams } = config.worker;
  const { activities, streams } = createActivities(observed, maxStreams);
  metrics?.gauge('unbroken_streams_running', 'Streams of generations in this worker', streams.count);
  const { redis, subscriber } = connections.clients;
  await subscriber.subscribe(REDIS_KEYS.cancelRequests, streams.cancel);
  const identity = createProcessIdentity();
  const lease = createLease(config, { process: identity, redis, temporal, logger });
  const workers = await createTemporalWorkers(config, {
    connection,
    identity,
    tracing,
    workflowBundle,
    activities: holdRuns(giveUpSteps(activities, createReportGivenUp(logger, metrics)), lease.runs),
    providers: parts.dependencies.providers.keys(),
  });
  await warm;
  const page = await servePage(config, { metrics, temporalMetricsUrl, workers });
  const runTaker = new RunTaker({
    taker: new RedisHandoffTaker(connections.waiting, redis, { taskQueue, carrier: traceCarrier(tracing) }),
    temporal,
    taskQueue,
    beginEarly: streams.beginEarly,
    freeStreams: () => maxStreams - streams.count(),
    leases: lease.runs,
    eagerTasks,
    logger,
  });
  return new WorkerProcess({
    workers,
    // With versions, Temporal decides which of them begins a generation.
    runTaker: deployment.buildId === undefined ? runTaker : null,
    parts,
    streams,
    lease,
    metricsUrl: page?.url,
    close: () => Promise.all([page?.stop(), connection.close(), connections.close()]),
  });
}

async function servePage(
  { host, telemetry }: Config,
  {
    metrics,
    temporalMetricsUrl,
    workers,
  }: Pick<Surroundings, 'temporalMetricsUrl'> & {
    readonly metrics: Metrics | null;
    readonly workers: readonly Worker[];
  },
) {
  if (metrics === null) return undefined;
  return serveMetrics({
    host,
    port: telemetry.metricsPort ?? 0,
    metrics,
    temporalUrl: temporalMetricsUrl,
    isReady: () => workers.every((worker) => worker.getState() === 'RUNNING'),
  });
}

async function connectAll({ redisPlace, redis: settings, limits }: Config, onError: (error: Error) => void) {
  const options = { onError, answerMs: limits.redisAnswerMs };
  const [{ redis, kept }, subscriber, waiting] = await Promise.all([
    openRedisPair(redisPlace, { ...options, replicas: settings.waitForReplicas }),
    openRedis(redisPlace, options),
    openRedis(redisPlace, { onError, answerMs: limits.redisAnswerMs + HANDOFF_WAIT_MS }),
  ]);
  return {
    clients: { redis, kept, subscriber },
    /** Blocks in Redis until there is a new generation, which would hold up every other command. */
    waiting,
    close: () => Promise.all([...new Set([redis, kept, subscriber, waiting])].map((each) => each.close())),
  };
}

interface TemporalParts {
  readonly connection: NativeConnection;
  readonly identity: string;
  readonly tracing: Tracing | null;
  readonly workflowBundle: { readonly code: string };
  readonly activities: Activities;
  readonly providers: Iterable<string>;
}

/** The worker of the generations, and one per provider for those that wait for room. */
async function createTemporalWorkers(config: Config, parts: TemporalParts): Promise<readonly Worker[]> {
  const { connection, identity, tracing, workflowBundle, activities, providers } = parts;
  const { taskQueue, deployment } = config.temporal;
  const { maxStreams } = config.worker;
  const concurrency = maxStreams + OTHER_TASKS;
  const shared = { ...(await sharedWorkerOptions(connection, config, tracing)), identity };
  const worker = await Worker.create({
    ...shared,
    taskQueue,
    workflowBundle,
    activities,
    ...versioningOf(deployment),
    // A local activity begins the stream, and its workflow task is held meanwhile.
    maxConcurrentWorkflowTaskExecutions: concurrency,
    maxConcurrentLocalActivityExecutions: concurrency,
    maxConcurrentActivityTaskExecutions: maxStreams,
    maxCachedWorkflows: concurrency,
    // Most generations have one workflow task, which is never a sticky one.
    workflowTaskPollerBehavior: { type: 'simple-maximum', maximum: 20 },
    nonStickyToStickyPollRatio: 0.7,
    activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 4 },
    // Each heartbeat that is sent is a write of Temporal's store; they come more rarely than this.
    maxHeartbeatThrottleInterval: '10s',
    stickyQueueScheduleToStartTimeout: '2s',
    // Streams that end by then end here; the others are handed over to another worker.
    shutdownGraceTime: config.worker.drainMs,
  });
  const rooms = await createWaitingRooms(shared, taskQueue, providers, activities.waitForRoom);
  return [worker, ...rooms, await createWebhookWorker(shared, taskQueue, activities.deliverWebhook)];
}

/** Starts runs over the worker's own connection, so that Temporal may give their first task to this worker. */
async function createClient(config: Config, connection: ConnectionLike, tracing: Tracing | null) {
  const dataConverter = createDataConverter(config);
  return new Client({
    connection,
    namespace: config.temporal.namespace,
    ...(dataConverter === undefined ? {} : { dataConverter }),
    ...(await clientInterceptors(tracing)),
  });
}

interface ProcessParts {
  readonly workers: readonly Worker[];
  /** null: new generations come from Temporal's queue only. */
  readonly runTaker: RunTaker | null;
  readonly parts: Pick<WorkerDependencies, 'sweep' | 'close'>;
  readonly streams: Pick<WorkerStreams, 'leave'>;
  readonly lease: ThreadedLease;
  readonly metricsUrl: string | undefined;
  /** Closes what the parts use. */
  close(): Promise<unknown>;
}

class WorkerProcess {
  /** The URL of its metrics; undefined if they are off. */
  readonly metricsUrl: string | undefined;
  readonly #parts: ProcessParts;

  constructor(parts: ProcessParts) {
    this.#parts = parts;
    this.metricsUrl = parts.metricsUrl;
  }

  /** Resolves when the worker has stopped. */
  async run(): Promise<void> {
    const { workers, runTaker, parts, lease, close } = this.#parts;
    const running = workers.map((worker) => worker.run());
    runTaker?.start();
    parts.sweep?.start();
    await Promise.all(running);
    await Promise.all([runTaker?.stop(), parts.sweep?.stop()]);
    await lease.stop();
    await parts.close();
    await close();
  }

  async shutdown(): Promise<void> {
    const { workers, runTaker, streams } = this.#parts;
    // If Temporal gives the first task of a run to this worker, the worker must still poll.
    await runTaker?.stop();
    await streams.leave();
    for (const worker of workers) worker.shutdown();
  }
}
