/** The composition root of the worker: real adapters into activities, activities and workflows into one worker. */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode, NativeConnection, Worker } from '@temporalio/worker';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { createActivities } from '../activities/create-activities.ts';
import type { Dependencies } from '../activities/dependencies.ts';
import { createRedisBudgetLedger } from '../budget/redis-budget-ledger.ts';
import type { Config } from '../config/load-config.ts';
import { createProviders } from '../providers/create-providers.ts';
import { costOf } from '../providers/price.ts';
import { createLiveLogs } from '../streaming/live-logs.ts';
import { connectRedis } from '../streaming/redis-connection.ts';
import { createRedisEventLog } from '../streaming/redis-event-log.ts';
import { createCache } from './create-cache.ts';

/** Streams that one worker process runs at once; more wait in the task queue, by priority and fairness. */
const CONCURRENT_GENERATIONS = 1_000;

const ROOT = join(import.meta.dirname, '..');

export interface RunningWorker {
  /** Resolves when the worker has stopped. */
  run(): Promise<void>;
  shutdown(): void;
}

export async function createWorker(
  config: Config,
  onRedisError: (error: Error) => void,
): Promise<RunningWorker> {
  const [redis, subscriber, connection, workflowBundle] = await Promise.all([
    connectRedis(config.redisUrl, onRedisError),
    connectRedis(config.redisUrl, onRedisError),
    NativeConnection.connect({ address: config.temporal.address }),
    bundleWorkflows(config.dataDir),
  ]);
  const providers = createProviders(config);
  const priceOf: Dependencies['priceOf'] = (provider, model, usage) =>
    costOf(provider, model, usage, config.prices, config.providers[provider]?.pricedAs).costMicroUsd;
  const { warmUp, close, ...cache } = createCache(config, { redis, providers, priceOf });
  // Beside the start of Temporal's worker: the first look-up shall not wait for a model.
  const warm = warmUp();
  const activities = createActivities({
    ...cache,
    live: createLiveLogs(subscriber),
    log: createRedisEventLog(redis, { retentionMs: config.retention.logMs }),
    budget: createRedisBudgetLedger({ redis, dailyTokensPerUser: config.budget.dailyTokensPerUser }),
    providers,
    priceOf,
    countTokens: (text) => countTokens(text),
  });
  const worker = await Worker.create({
    connection,
    namespace: config.temporal.namespace,
    taskQueue: config.temporal.taskQueue,
    workflowBundle,
    activities,
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
  await warm;
  return {
    run: async () => {
      await worker.run();
      await connection.close();
      await Promise.all([redis.close(), subscriber.close(), close()]);
    },
    shutdown: () => worker.shutdown(),
  };
}

/** Bundling takes seconds, so the bundle is kept, named by the hash of what went into it. */
export async function bundleWorkflows(dataDir: string): Promise<{ code: string }> {
  const hash = createHash('sha256').update(readFileSync(join(ROOT, 'package-lock.json')));
  for (const folder of ['contracts', 'workflows']) {
    const names = readdirSync(join(ROOT, folder)).filter((name) => name.endsWith('.ts'));
    for (const name of names.sort()) hash.update(name).update(readFileSync(join(ROOT, folder, name)));
  }
  const cached = join(dataDir, 'cache', `workflows-${hash.digest('hex').slice(0, 16)}.js`);
  if (existsSync(cached)) return { code: readFileSync(cached, 'utf8') };
  const bundle = await bundleWorkflowCode({ workflowsPath: join(ROOT, 'workflows', 'generation.ts') });
  mkdirSync(join(dataDir, 'cache'), { recursive: true });
  // Another worker may read it at this moment, and this one may be killed: it appears whole or not at all.
  const unfinished = `${cached}.${process.pid}`;
  writeFileSync(unfinished, bundle.code);
  renameSync(unfinished, cached);
  return bundle;
}
