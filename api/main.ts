/**
 * The API process. Prints one JSON line on stdout when it listens. On SIGTERM it drains and exits; its viewers
 * reconnect to another process by cursor.
 */
import { setMaxListeners } from 'node:events';
import { flushCompileCache } from 'node:module';
import { Client, Connection } from '@temporalio/client';
import { countTexts } from '../contracts/count-tokens.ts';
import { scopes } from '../contracts/keys.ts';
import { LIMITS } from '../contracts/limits.ts';
import { createLogs } from '../engine/archive/create-logs.ts';
import { RedisBatchStore } from '../engine/batches/redis-batch-store.ts';
import { BudgetAccounts } from '../engine/budget/budget-accounts.ts';
import { budgetSettings, RedisBudgetLedger } from '../engine/budget/redis-budget-ledger.ts';
import { UsageReports } from '../engine/budget/usage-reports.ts';
import { deleteWithComplaints } from '../engine/cache/delete-with-complaints.ts';
import { RedisFlightMembers } from '../engine/cache/flight-members.ts';
import { createQdrantDeletion } from '../engine/cache/qdrant-deletion.ts';
import { createQdrantEntries } from '../engine/cache/qdrant-entries.ts';
import { RedisComplaints } from '../engine/cache/redis-complaints.ts';
import { RedisCompactionSeals } from '../engine/compaction/compaction-seals.ts';
import { RedisConversations } from '../engine/conversations/redis-conversations.ts';
import { RedisErasures } from '../engine/erasure/redis-erasures.ts';
import { RedisFileStore } from '../engine/files/redis-file-store.ts';
import { RedisHandoffOffers } from '../engine/handoff/redis-handoff.ts';
import { RedisJobStore } from '../engine/jobs/redis-job-store.ts';
import { RedisPipelineRegistry } from '../engine/jobs/redis-pipeline-registry.ts';
import { RedisScheduleStore } from '../engine/jobs/schedule-store.ts';
import { createProcessIdentity } from '../engine/leases/process-identity.ts';
import { watchLeases } from '../engine/leases/watch-leases.ts';
import { ThreadedOutputChecker } from '../engine/output/threaded-output-checker.ts';
import { RedisPromptRegistry } from '../engine/prompts/redis-prompt-registry.ts';
import { RedisPromptStats } from '../engine/prompts/redis-prompt-stats.ts';
import { RedisCallAnswers } from '../engine/reasoning/call-answers.ts';
import { readHealth } from '../engine/routing/read-health.ts';
import { noteEnds } from '../engine/streaming/ended-logs.ts';
import { listenToEnds } from '../engine/streaming/listen-to-ends.ts';
import { RedisLiveLogs } from '../engine/streaming/live-logs.ts';
import { RedisStoredBytes } from '../engine/streaming/stored-bytes.ts';
import { countFaults } from '../engine/telemetry/count-faults.ts';
import { createLogger } from '../engine/telemetry/create-logger.ts';
import { createMetrics } from '../engine/telemetry/metrics.ts';
import { observeApi } from '../engine/telemetry/observe.ts';
import { serveMetrics } from '../engine/telemetry/serve-metrics.ts';
import { clientInterceptors } from '../engine/telemetry/trace-temporal.ts';
import { logTraceFailures, startTracing, traceCarrier } from '../engine/telemetry/tracing.ts';
import { RedisWebhookDeliveries } from '../engine/webhooks/redis-deliveries.ts';
import { RedisWebhookEndpoints } from '../engine/webhooks/redis-endpoints.ts';
import { createSendWebhook } from '../engine/webhooks/send-webhook.ts';
import { addressUrl } from '../platform/address-url.ts';
import { loadConfig } from '../platform/config/load-config.ts';
import { createDataConverter } from '../platform/encryption/data-converter.ts';
import { leaveWhileStarting } from '../platform/leave-while-starting.ts';
import { createFileStore, createObjectStore } from '../platform/object-store/create-object-store.ts';
import { openRedis, openRedisPair } from '../platform/redis/open-redis.ts';
import { connectionOptions } from '../platform/temporal/connection-options.ts';
import { ApiKeys } from './access/api-keys.ts';
import { OpenConnections } from './access/open-connections.ts';
import { PageSessions } from './access/page-sessions.ts';
import { createRateLimiter } from './access/rate-limiter.ts';
import { Tickets } from './access/tickets.ts';
import { answeringStore } from './batches/answering-store.ts';
import { createApp } from './create-app.ts';
import { ChatStreams } from './generations/chat-streams.ts';
import { RouteChooser } from './generations/choose-route.ts';
import { ClientRetries } from './generations/client-retries.ts';
import { RunLookup } from './generations/run-lookup.ts';
import { SilenceWatch } from './generations/watch-silence.ts';
import { BytesInFlight } from './http/bytes-in-flight.ts';
import { drainServer } from './http/drain-server.ts';
import { createHttpServer } from './http/http-server.ts';
import { allGivenBack } from './http/taken-sockets.ts';
import { SOCKET_PATHS } from './relay/socket-route.ts';
import { serveWebSockets } from './relay/upgrade.ts';
import { openStreamSocket } from './relay/web-socket.ts';
import { openResponsesSocket } from './wires/openai-responses/web-socket.ts';

/** Shorter than `drainMs`: a person pressed Ctrl-C and waits. */
const INTERRUPT_DRAIN_MS = 2_000;

const leaveAtOnce = leaveWhileStarting();
const config = loadConfig();
const tracing = await startTracing('unbroken-api', config.telemetry.traces);
const logger = createLogger(config.logLevel, tracing);
logTraceFailures(tracing, logger);
const metrics = config.telemetry.metricsPort === undefined ? null : createMetrics(config.routes);
const countFault = countFaults(metrics);
const onRedisError = (error: Error) => {
  countFault('redis');
  logger.warn({ err: error }, 'redis connection');
};
const redisOptions = { onError: onRedisError, answerMs: config.limits.redisAnswerMs };
const [{ redis, kept }, subscriber] = await Promise.all([
  openRedisPair(config.redisPlace, { ...redisOptions, replicas: config.redis.waitForReplicas }),
  openRedis(config.redisPlace, redisOptions),
]);
const onKeyError = (error: unknown) =>
  logger.warn({ err: error }, 'the change or use of a key was not recorded');
const keys = await ApiKeys.create(kept, subscriber, onKeyError);
if (config.devKey !== undefined)
  await keys.register(config.devKey, { tenant: 'dev', user: 'dev', name: 'development', scopes });
const dataConverter = createDataConverter(config);
const connection = Connection.lazy({
  ...connectionOptions(config.temporal),
  // By default the backoff grows to two minutes, and submits would be refused long after Temporal is back.
  channelArgs: {
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1_000,
  },
});
const { gate, health } = readHealth(config, redis, (error) =>
  logger.warn({ err: error }, 'the state of the providers is unknown'),
);
const leave = new AbortController();
// Every open stream listens to this signal.
setMaxListeners(0, leave.signal);
const temporal = new Client({
  connection,
  namespace: config.temporal.namespace,
  ...(dataConverter === undefined ? {} : { dataConverter }),
  ...(await clientInterceptors(tracing)),
});
const stored = new RedisStoredBytes(kept, {
  bytesPerTenant: config.storage.bytesPerTenant,
  retentionMs: config.retention.logMs,
});
const onMissed = (error: unknown) => logger.warn({ err: error }, 'the end of a log was not noted');
const { log, archive } = createLogs(config, {
  redis: kept,
  store: await createObjectStore(config.objectStore),
  stored,
  onError: (error) => logger.warn({ err: error }, 'an ended log stays as it is in Redis'),
  listen: ({ ended }) => noteEnds(ended, onMissed, listenToEnds(stored, onMissed)),
});
const ledger = new RedisBudgetLedger({ redis: kept, ...budgetSettings(config) });
const budget = archive?.ledger.observe(ledger) ?? ledger;
const complaints = new RedisComplaints(redis);
const batches = new RedisBatchStore(kept, { keptMs: config.batches.keptMs });
const webhookEndpoints = new RedisWebhookEndpoints(kept);
const parts = {
  config,
  leaving: leave.signal,
  keys,
  codec: dataConverter?.payloadCodecs?.[0],
  tickets: new Tickets(redis, keys),
  sessions: new PageSessions(redis, keys),
  rate: createRateLimiter(redis, config.rateLimits),
  signIns: createRateLimiter(redis, { requestsPerMinute: LIMITS.signInsPerMinute, per: 'address' }),
  bodies: new BytesInFlight({
    perProcess: config.http.bytesInFlight,
    perKey: config.rateLimits.bytesInFlightPerKey,
  }),
  connections: new OpenConnections(keys, { ...config.rateLimits, onError: onKeyError }),
  logger,
  gate,
  health,
  routes: new RouteChooser(config, health),
  log,
  stored,
  conversations: new RedisConversations(kept, { keptMs: config.retention.conversationMs }),
  compactions: new RedisCompactionSeals(kept),
  live: new RedisLiveLogs(subscriber),
  chats: new ChatStreams(redis),
  clientRetries: new ClientRetries(redis, log, {
    generationMs: config.limits.generationMs,
    joinEndedMs: config.wires.joinRetriesMs,
    onError: (error) => logger.warn({ err: error }, 'a retry of this request cannot join it'),
  }),
  heartbeatMs: config.limits.heartbeatMs,
  statusHeldMs: config.limits.statusHeldMs ?? 2 * config.limits.heartbeatMs,
  budget,
  accounts: new BudgetAccounts({ redis: kept, limits: ledger.limits, archived: archive?.ledger ?? null }),
  usage: new UsageReports(redis),
  cachedAnswers: deleteWithComplaints(createQdrantDeletion(config.qdrant), complaints),
  complaints,
  storedEntries: createQdrantEntries(config.qdrant),
  flightMembers: new RedisFlightMembers(kept),
  callAnswers: new RedisCallAnswers(redis),
  outputs: new ThreadedOutputChecker(),
  prompts: new RedisPromptRegistry(kept),
  erasures: new RedisErasures(kept, { keptMs: config.retention.receiptMs }),
  jobs: new RedisJobStore(kept, { keptMs: config.retention.jobMs }),
  batches,
  files: new RedisFileStore(kept, answeringStore(await createFileStore(config.objectStore, config.dataDir)), {
    bytesPerTenant: config.files.bytesPerTenant,
    isRead: async (file) => (await batches.readersOf(file)).length > 0,
  }),
  pipelines: new RedisPipelineRegistry(kept),
  schedules: new RedisScheduleStore(kept),
  promptStats: new RedisPromptStats(redis),
  webhookEndpoints,
  webhookDeliveries: new RedisWebhookDeliveries(kept, webhookEndpoints),
  sendWebhook: createSendWebhook(config.webhooks),
  handoff: await RedisHandoffOffers.create(redis, subscriber, {
    taskQueue: config.temporal.taskQueue,
    carrier: traceCarrier(tracing),
  }),
  temporal,
  runs: new RunLookup(temporal),
  countTexts,
  pingRedis: () => redis.ping(),
};
const silence = new SilenceWatch(parts);
const onSilence = (generationId: string) => silence.report(generationId);
const dependencies = observeApi({ ...parts, onSilence }, metrics, tracing);
const server = createHttpServer(createApp(dependencies), config.http);
const sockets = serveWebSockets(server, dependencies, {
  [SOCKET_PATHS.stream]: openStreamSocket(dependencies),
  [SOCKET_PATHS.responses]: openResponsesSocket(dependencies),
});
const { taskQueue } = config.temporal;
const { workerSilentMs: silentMs } = config.limits;
watchLeases({ taskQueue, process: createProcessIdentity(), silentMs }, { redis, temporal, logger });
// Connects now, so that the first request does not wait for it.
connection.ensureConnected().catch((error: unknown) => logger.warn({ err: error }, 'temporal connection'));

server.once('error', (error: NodeJS.ErrnoException) => {
  const fix = error.code === 'EADDRINUSE' ? ' End what uses it, or set UNBROKEN_PORT.' : '';
  process.stderr.write(
    `The API cannot listen at ${addressUrl(config.host, config.port)}: ${error.message}.${fix}\n`,
  );
  process.exit(1);
});
server.listen(config.port, config.host, async () => {
  const address = server.address();
  const port = address === null || typeof address === 'string' ? config.port : address.port;
  const url = addressUrl(config.host, port);
  const page =
    metrics === null
      ? undefined
      : await serveMetrics({
          host: config.host,
          port: config.telemetry.metricsPort ?? 0,
          metrics,
          isReady: () => !leave.signal.aborted,
        });
  process.stdout.write(`${JSON.stringify({ ready: true, url, pid: process.pid, metricsUrl: page?.url })}\n`);
  // Now, not at its exit: the start after a kill should be the quick one.
  flushCompileCache();
});
leaveAtOnce.end();
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, async () => {
    leave.abort();
    sockets.close();
    await allGivenBack();
    await drainServer(server, signal === 'SIGINT' ? INTERRUPT_DRAIN_MS : config.http.drainMs);
    await tracing?.stop();
    process.exit(0);
  });
}
