/** Puts the real adapters behind the ports of the activities, as the config says. */
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { BatchDependencies } from '../activities/batches/batch-dependencies.ts';
import type { Dependencies } from '../activities/dependencies.ts';
import type { ErasureDependencies } from '../activities/erasure/erasure-dependencies.ts';
import type { JobDependencies } from '../activities/jobs/job-dependencies.ts';
import { countTexts } from '../contracts/count-tokens.ts';
import { ArchiveSweep } from '../engine/archive/archive-sweep.ts';
import { createLogs } from '../engine/archive/create-logs.ts';
import type { BudgetLedger } from '../engine/budget/ledger.ts';
import { budgetSettings, RedisBudgetLedger } from '../engine/budget/redis-budget-ledger.ts';
import { createWarningWebhook } from '../engine/budget/warning-webhook.ts';
import { RedisCompactionSeals } from '../engine/compaction/compaction-seals.ts';
import { SealedContext } from '../engine/compaction/sent-context.ts';
import { createPromptCompression } from '../engine/compression/prompt-compression.ts';
import { createThreadedCompression } from '../engine/compression/threaded-compression.ts';
import { findNativeRuntime } from '../engine/embedding/onnx-runtime.ts';
import { SentenceEncoder } from '../engine/embedding/sentence-encoder.ts';
import { costOf } from '../engine/models/price.ts';
import { ThreadedOutputChecker } from '../engine/output/threaded-output-checker.ts';
import { RedisPromptStats } from '../engine/prompts/redis-prompt-stats.ts';
import { createProviders } from '../engine/providers/create-providers.ts';
import { RedisCallAnswers } from '../engine/reasoning/call-answers.ts';
import { RedisReasoningSeals } from '../engine/reasoning/seals.ts';
import { RedisGate } from '../engine/routing/redis-gate.ts';
import { listenToEnds } from '../engine/streaming/listen-to-ends.ts';
import { RedisLiveLogs } from '../engine/streaming/live-logs.ts';
import { RedisStoredBytes } from '../engine/streaming/stored-bytes.ts';
import { listenToLog } from '../engine/telemetry/measure-log.ts';
import type { Metrics } from '../engine/telemetry/metrics.ts';
import { RedisWebhookDeliveries } from '../engine/webhooks/redis-deliveries.ts';
import { RedisWebhookEndpoints } from '../engine/webhooks/redis-endpoints.ts';
import { createSendWebhook } from '../engine/webhooks/send-webhook.ts';
import type { Config } from '../platform/config/load-config.ts';
import { createObjectStore } from '../platform/object-store/create-object-store.ts';
import type { RedisClient } from '../platform/redis/redis-client.ts';
import { createBatchParts } from './create-batch-parts.ts';
import { createCache } from './create-cache.ts';
import { createErasureParts } from './create-erasure-parts.ts';
import { createJobParts } from './create-job-parts.ts';
import { createNoteGate } from './gate-notices.ts';

/** Added to the time limits of a call that probes an open circuit, until the probe counts as lost. */
const PROBE_SLACK_MS = 2_000;

interface Surroundings {
  readonly redis: RedisClient;
  /** The same, for what must outlive a failover of Redis. */
  readonly kept: RedisClient;
  /** A second connection: one that subscribes can do nothing else. */
  readonly subscriber: RedisClient;
  readonly temporal: Client;
  readonly logger: Logger;
  readonly metrics: Metrics | null;
  readonly onGateUnreachable: (reason: unknown) => void;
}

export interface WorkerDependencies {
  readonly dependencies: Dependencies & JobDependencies & BatchDependencies & ErasureDependencies;
  /** Loads the models that the first cache look-up needs. */
  warmUp(): Promise<void>;
  /** Archives ended logs in the background, once it is started; null: there is no archive. */
  readonly sweep: ArchiveSweep | null;
  /** Stops the threads. The connections are the caller's. */
  close(): Promise<void>;
}

export async function createDependencies(
  config: Config,
  { redis, kept, subscriber, temporal, logger, metrics, onGateUnreachable }: Surroundings,
): Promise<WorkerDependencies> {
  const providers = createProviders(config);
  const priceOf: Dependencies['priceOf'] = (provider, model, usage) =>
    costOf({ provider, model, pricedAs: config.providers[provider]?.pricedAs }, usage, config.prices)
      .costMicroUsd;
  if (findNativeRuntime() === undefined) {
    logger.warn('onnxruntime-node cannot be loaded: models run in WebAssembly, several times slower');
  }
  const encoder = new SentenceEncoder();
  const { warmUp, close, ...cache } = createCache(config, {
    redis: kept,
    encoder,
    providers,
    priceOf,
    countTexts,
  });
  const compression = await createThreadedCompression({
    compression: config.compression,
    encode: (texts) => encoder.encode(texts),
  });
  const outputs = new ThreadedOutputChecker();
  const logs = await createArchivedLogs(config, { kept, logger, metrics });
  const { log, ended } = logs;
  const budget = logs.observeLedger(new RedisBudgetLedger({ redis: kept, ...budgetSettings(config) }));
  const jobs = createJobParts(config, { redis, kept, outputs, temporal, log, budget, logger });
  const batches = await createBatchParts(config, kept, jobs);
  const dependencies: WorkerDependencies['dependencies'] = {
    ...cache,
    live: new RedisLiveLogs(subscriber),
    log,
    ended,
    budget,
    ...jobs.dependencies,
    ...batches.dependencies,
    ...createErasureParts(config, {
      redis: kept,
      temporal,
      log,
      archive: logs.archive,
      batches: batches.dependencies,
    }),
    notifyBudget: createNotifyBudget(config),
    promptStats: new RedisPromptStats(redis),
    context: new SealedContext(new RedisCompactionSeals(kept)),
    compression: createPromptCompression(kept, compression.compress),
    providers,
    seals: new RedisReasoningSeals(kept),
    outputs,
    callAnswers: new RedisCallAnswers(redis),
    gate: createGate(config, { redis, onGateUnreachable }),
    note: createNoteGate(logger, metrics),
    priceOf,
    countTexts,
    webhooks: new RedisWebhookDeliveries(kept, new RedisWebhookEndpoints(kept)),
    sendWebhook: createSendWebhook(config.webhooks),
  };
  return {
    dependencies,
    warmUp,
    sweep: logs.sweep,
    close: async () => {
      batches.close();
      await Promise.all([close(), compression.close(), encoder.close(), outputs.close(), logs.close()]);
    },
  };
}

function createGate(
  { providerKeys: keys, gateScopes: scopes, breaker, limits }: Config,
  { redis, onGateUnreachable }: Pick<Surroundings, 'redis' | 'onGateUnreachable'>,
): RedisGate {
  const probeMs = limits.connectMs + limits.firstTokenMs + PROBE_SLACK_MS;
  return new RedisGate({ redis, keys, scopes, breaker, probeMs, onUnreachable: onGateUnreachable });
}

async function createArchivedLogs(
  config: Config,
  { kept, logger, metrics }: Pick<Surroundings, 'kept' | 'logger' | 'metrics'>,
) {
  const { retention, storage, objectStore } = config;
  const stored = new RedisStoredBytes(kept, {
    bytesPerTenant: storage.bytesPerTenant,
    retentionMs: retention.logMs,
  });
  const onMissed = (error: unknown) => logger.warn({ err: error }, 'an input was not taken off its count');
  const onError = (error: unknown) => logger.warn({ err: error }, 'an ended log stays as it is in Redis');
  const store = await createObjectStore(objectStore);
  const { log, ended, packer, archive } = createLogs(config, {
    redis: kept,
    store,
    stored,
    onError,
    listen: (parts) => listenToEnds(stored, onMissed, parts.packer.listener(listenToLog(metrics, logger))),
  });
  const sweep =
    archive === null
      ? null
      : new ArchiveSweep({
          redis: kept,
          afterMs: config.archive?.afterMs ?? 0,
          archive: (signal) => archive.archiver.sweep(signal),
          daily: async (nowMs, signal) => {
            await archive.ledger.sweep(nowMs, signal);
            await archive.logs.deleteExpired(nowMs, onError);
          },
          onError,
        });
  const close = async () => {
    await packer.idle();
    store?.close();
  };
  const observeLedger = (ledger: BudgetLedger) => archive?.ledger.observe(ledger) ?? ledger;
  return { log, ended, sweep, close, observeLedger, archive };
}

function createNotifyBudget({ budgets, budgetWebhookSecret: secret }: Config): Dependencies['notifyBudget'] {
  if (budgets.webhook === undefined || secret === undefined) return null;
  const { url, allowPrivateNetwork } = budgets.webhook;
  return createWarningWebhook({ url, secret, allowPrivateNetwork });
}
