/** The composition root of the worker: real adapters into activities, activities and workflows into one worker. */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createActivities } from '../activities/create-activities.ts';
import type { Dependencies } from '../activities/dependencies.ts';
import { countTexts } from '../contracts/count-tokens.ts';
import { budgetSettings, RedisBudgetLedger } from '../engine/budget/redis-budget-ledger.ts';
import { createWarningWebhook } from '../engine/budget/warning-webhook.ts';
import { createPromptCompression } from '../engine/compression/prompt-compression.ts';
import { createThreadedCompression } from '../engine/compression/threaded-compression.ts';
import { SentenceEncoder } from '../engine/embedding/sentence-encoder.ts';
import { createHandoffTaker, HANDOFF_WAIT_MS } from '../engine/handoff/redis-handoff.ts';
import { costOf } from '../engine/models/price.ts';
import { RedisPromptStats } from '../engine/prompts/redis-prompt-stats.ts';
import { createProviders } from '../engine/providers/create-providers.ts';
import { RedisGate } from '../engine/routing/redis-gate.ts';
import { listenToEnds } from '../engine/streaming/listen-to-ends.ts';
import { createLiveLogs } from '../engine/streaming/live-logs.ts';
import { RedisEventLog } from '../engine/streaming/redis-event-log.ts';
import { createStoredBytes } from '../engine/streaming/stored-bytes.ts';
import { countFaults } from '../engine/telemetry/count-faults.ts';
import { listenToLog } from '../engine/telemetry/measure-log.ts';
import { createMetrics } from '../engine/telemetry/metrics.ts';
import { observeWorker } from '../engine/telemetry/observe.ts';
import { serveMetrics } from '../engine/telemetry/serve-metrics.ts';
import { clientInterceptors, workflowInterceptorModules } from '../engine/telemetry/trace-temporal.ts';
import { type Tracing, traceCarrier } from '../engine/telemetry/tracing.ts';
import type { Config } from '../platform/config/load-config.ts';
import { createDataConverter, FAILURE_CONVERTER } from '../platform/encryption/data-converter.ts';
import { connectRedis } from '../platform/redis/redis-connection.ts';
import { createCache } from './create-cache.ts';
import { createNoteGate } from './gate-notices.ts';
import { createReportGivenUp, giveUpSteps } from './give-up-steps.ts';
import { sharedWorkerOptions } from './shared-options.ts';
import { type RunsTaken, takeRuns } from './take-runs.ts';
import { versioningOf } from './versioning.ts';
import { createWaitingRooms } from './waiting-rooms.ts';

/** Streams that one worker process runs at once; more wait in the task queue, by priority and fairness. */
const CONCURRENT_GENERATIONS = 1_000;

/** On top of the limits to the first token, until a call that tries an open circuit is given up. */
const PROBE_SLACK_MS = 2_000;

const ROOT = join(import.meta.dirname, '..');

export interface Surroundings {
  readonly logger: Logger;
  /** null: no traces. */
  readonly tracing: Tracing | null;
  /** Where Temporal's SDK shows what it counts; undefined: it does not. */
  readonly temporalMetricsUrl: string | undefined;
}

export interface RunningWorker {
  /** Where its metrics are; undefined where they are off. */
  readonly metricsUrl: string | undefined;
  /** Resolves when the worker has stopped. */
  run(): Promise<void>;
  shutdown(): Promise<void>;
}

export async function createWorker(
  config: Config,
  { logger, tracing, temporalMetricsUrl }: Surroundings,
): Promise<RunningWorker> {
  const metrics = config.telemetry.metricsPort === undefined ? null : createMetrics();
  const countFault = countFaults(metrics);
  const dataConverter = createDataConverter(config);
  const onRedisError = (error: Error) => {
    countFault('redis');
    logger.warn({ err: error }, 'redis connection');
  };
  const { redisAnswerMs } = config.limits;
  const toRedis = (waitMs = 0) => connectRedis(config.redisUrl, onRedisError, redisAnswerMs + waitMs);
  const [redis, subscriber, waiting, connection, workflowBundle] = await Promise.all([
    toRedis(),
    toRedis(),
    toRedis(HANDOFF_WAIT_MS),
    NativeConnection.connect({ address: config.temporal.address }),
    bundleWorkflows(config.dataDir, {
      isEncrypted: dataConverter !== undefined,
      isTraced: tracing !== null,
    }),
  ]);
  const providers = createProviders(config);
  const priceOf: Dependencies['priceOf'] = (provider, model, usage) =>
    costOf(provider, model, usage, config.prices, config.providers[provider]?.pricedAs).costMicroUsd;
  const encoder = new SentenceEncoder();
  const { warmUp, close, ...cache } = createCache(config, { redis, encoder, providers, priceOf, countTexts });
  // Beside the start of Temporal's worker: the first look-up shall not wait for a model.
  const warm = warmUp();
  const compression = await createThreadedCompression({
    compression: config.compression,
    encode: (texts) => encoder.encode(texts),
  });
  const parts: Dependencies = {
    ...cache,
    live: createLiveLogs(subscriber),
    log: new RedisEventLog(redis, {
      retentionMs: config.retention.logMs,
      listener: listenToEnds(
        createStoredBytes(redis, {
          bytesPerTenant: config.storage.bytesPerTenant,
          retentionMs: config.retention.logMs,
        }),
        (error) => logger.warn({ err: error }, 'an input was not taken off its count'),
        listenToLog(metrics, logger),
      ),
    }),
    budget: new RedisBudgetLedger({ redis, ...budgetSettings(config) }),
    notifyBudget: webhookOf(config),
    promptStats: new RedisPromptStats(redis),
    compression: createPromptCompression(redis, compression.compress),
    providers,
    gate: new RedisGate({
      redis,
      keys: config.providerKeys,
      scopes: config.gateScopes,
      breaker: config.breaker,
      probeMs: config.limits.connectMs + config.limits.firstTokenMs + PROBE_SLACK_MS,
      onUnreachable: (reason) => {
        countFault('gate');
        logger.warn({ err: reason }, 'the gate to the providers was passed by');
      },
    }),
    note: createNoteGate(logger, metrics),
    priceOf,
    countTexts,
  };
  const { activities: steps, beginEarly } = createActivities(observeWorker(parts, metrics, tracing));
  const activities = giveUpSteps(steps, createReportGivenUp(logger, metrics));
  const shared = await sharedWorkerOptions(connection, config, tracing);
  const worker = await Worker.create({
    ...shared,
    taskQueue: config.temporal.taskQueue,
    workflowBundle,
    activities,
    ...versioningOf(config.temporal.deployment),
    // A workflow task is held for as long as the stream's beginning, in a local activity, takes.
    maxConcurrentWorkflowTaskExecutions: CONCURRENT_GENERATIONS,
    maxConcurrentLocalActivityExecutions: CONCURRENT_GENERATIONS,
    maxConcurrentActivityTaskExecutions: CONCURRENT_GENERATIONS,
    maxCachedWorkflows: CONCURRENT_GENERATIONS,
    // Most generations have one workflow task, which is never a sticky one.
    workflowTaskPollerBehavior: { type: 'simple-maximum', maximum: 20 },
    nonStickyToStickyPollRatio: 0.7,
    activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 4 },
    // A worker that dies is noticed one heartbeat timeout after its last beat; beats are sent at this pace.
    maxHeartbeatThrottleInterval: '800ms',
    stickyQueueScheduleToStartTimeout: '2s',
    shutdownGraceTime: '5s',
  });
  const { waitForRoom } = activities;
  const rooms = await createWaitingRooms(shared, config.temporal.taskQueue, providers.keys(), waitForRoom);
  const workers = [worker, ...rooms];
  await warm;
  const page =
    metrics === null
      ? undefined
      : await serveMetrics({
          host: config.host,
          port: config.telemetry.metricsPort ?? 0,
          metrics,
          temporalUrl: temporalMetricsUrl,
          isReady: () => workers.every((one) => one.getState() === 'RUNNING'),
        });
  const { taskQueue, namespace } = config.temporal;
  const temporal = new Client({
    connection,
    namespace,
    ...(dataConverter === undefined ? {} : { dataConverter }),
    ...(await clientInterceptors(tracing)),
  });
  const taker = createHandoffTaker(waiting, redis, { taskQueue, carrier: traceCarrier(tracing) });
  let taking: RunsTaken | undefined;
  return {
    metricsUrl: page?.url,
    run: async () => {
      const running = workers.map((one) => one.run());
      // Which version begins a generation is for Temporal to say.
      if (config.temporal.deployment.buildId === undefined) {
        taking = takeRuns({ taker, temporal, taskQueue, beginEarly, logger });
      }
      await Promise.all(running);
      await taking?.stop();
      page?.stop();
      await connection.close();
      await Promise.all([
        redis.close(),
        subscriber.close(),
        waiting.close(),
        close(),
        compression.close(),
        encoder.close(),
      ]);
    },
    shutdown: async () => {
      // A run whose first task Temporal gives to this worker must find it there.
      await taking?.stop();
      for (const one of workers) one.shutdown();
    },
  };
}

function webhookOf({ budgets, budgetWebhookSecret: secret }: Config) {
  if (budgets.webhook === undefined || secret === undefined) return null;
  const { url, allowPrivateNetwork } = budgets.webhook;
  return createWarningWebhook({ url, secret, allowPrivateNetwork });
}

/** Bundling takes seconds, so the bundle is kept, named by the hash of what went into it. */
export async function bundleWorkflows(
  dataDir: string,
  { isEncrypted = false, isTraced = false }: { isEncrypted?: boolean; isTraced?: boolean } = {},
): Promise<{ code: string }> {
  const converter = isEncrypted ? { failureConverterPath: FAILURE_CONVERTER } : {};
  const hash = createHash('sha256').update(readFileSync(join(ROOT, 'package-lock.json')));
  if (isTraced) hash.update('traced');
  if (isEncrypted) hash.update(readFileSync(FAILURE_CONVERTER));
  for (const folder of ['contracts', 'workflows']) {
    const names = readdirSync(join(ROOT, folder)).filter((name) => name.endsWith('.ts'));
    for (const name of names.sort()) hash.update(name).update(readFileSync(join(ROOT, folder, name)));
  }
  const cached = join(dataDir, 'cache', `workflows-${hash.digest('hex').slice(0, 16)}.js`);
  if (existsSync(cached)) return { code: readFileSync(cached, 'utf8') };
  const bundle = await bundleWorkflowCode({
    workflowsPath: join(ROOT, 'workflows', 'generation.ts'),
    ...converter,
    workflowInterceptorModules: workflowInterceptorModules(isTraced),
    logger: new DefaultLogger('WARN'),
  });
  mkdirSync(join(dataDir, 'cache'), { recursive: true });
  // Another worker may read it at this moment, and this one may be killed: it appears whole or not at all.
  const unfinished = `${cached}.${process.pid}`;
  writeFileSync(unfinished, bundle.code);
  renameSync(unfinished, cached);
  return bundle;
}
