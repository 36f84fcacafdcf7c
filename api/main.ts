/** The API process. Prints one JSON line on stdout when it listens; ends on SIGTERM, its viewers come back by cursor. */
import { Client, Connection } from '@temporalio/client';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import pino from 'pino';
import { createBudgetBooks } from '../budget/budget-books.ts';
import { budgetSettings, createRedisBudgetLedger } from '../budget/redis-budget-ledger.ts';
import { createQdrantDeletion } from '../cache/qdrant-deletion.ts';
import { loadConfig } from '../config/load-config.ts';
import { scopes } from '../contracts/keys.ts';
import { createDataConverter } from '../encryption/data-converter.ts';
import { createRedisPromptRegistry } from '../prompts/redis-prompt-registry.ts';
import { createRedisPromptStats } from '../prompts/redis-prompt-stats.ts';
import { createHealthSnapshot } from '../routing/health-snapshot.ts';
import { createRedisGateReader } from '../routing/redis-gate-reader.ts';
import { createLiveLogs } from '../streaming/live-logs.ts';
import { connectRedis } from '../streaming/redis-connection.ts';
import { createRedisEventLog } from '../streaming/redis-event-log.ts';
import { createApiKeys } from './api-keys.ts';
import { createRouteChooser } from './choose-route.ts';
import { createApp } from './create-app.ts';
import { createHttpServer } from './http-server.ts';
import { createOpenConnections } from './open-connections.ts';
import { createRateLimiter } from './rate-limiter.ts';
import { createTickets } from './tickets.ts';
import { serveWebSockets } from './upgrade.ts';
import { createChatStreams } from './wires/ai-sdk-ui/chat-streams.ts';

/** Requests under way get this long to end. */
const DRAIN_MS = 2_000;
const COUNTED_CHARS = 20_000;

const config = loadConfig();
const logger = pino({ level: config.logLevel }, pino.destination(2));
const onRedisError = (error: Error) => logger.warn({ err: error }, 'redis connection');
const [redis, subscriber] = await Promise.all([
  connectRedis(config.redisUrl, onRedisError),
  connectRedis(config.redisUrl, onRedisError),
]);
const onLostNote = (error: unknown) => logger.warn({ err: error }, 'a change or use of a key was not noted');
const keys = await createApiKeys(redis, subscriber, onLostNote);
if (config.devKey !== undefined)
  await keys.register(config.devKey, { tenant: 'dev', user: 'dev', name: 'development', scopes });
const dataConverter = createDataConverter(config);
const connection = Connection.lazy({ address: config.temporal.address });
const gate = createRedisGateReader({
  ...{ redis, keys: config.providerKeys, scopes: config.gateScopes, breaker: config.breaker },
});
const health = createHealthSnapshot(gate, (error) =>
  logger.warn({ err: error }, 'the state of the providers is not known'),
);
const budget = createRedisBudgetLedger({ redis, ...budgetSettings(config) });
const dependencies = {
  config,
  keys,
  codec: dataConverter?.payloadCodecs?.[0],
  tickets: createTickets(redis, keys),
  rate: createRateLimiter(redis, config.rateLimits),
  connections: createOpenConnections(keys, { ...config.rateLimits, onError: onLostNote }),
  logger,
  gate,
  health,
  routes: createRouteChooser(config, health),
  log: createRedisEventLog(redis, { retentionMs: config.retention.logMs }),
  live: createLiveLogs(subscriber),
  chats: createChatStreams(redis),
  heartbeatMs: config.limits.heartbeatMs,
  budget,
  books: createBudgetBooks({ redis, book: budget.book }),
  cachedAnswers: createQdrantDeletion(config.qdrant),
  prompts: createRedisPromptRegistry(redis),
  promptStats: createRedisPromptStats(redis),
  temporal: new Client({
    connection,
    namespace: config.temporal.namespace,
    ...(dataConverter === undefined ? {} : { dataConverter }),
  }),
  // Longer texts are counted by the worker: here they would hold up every other caller.
  countTokens: (text: string) => (text.length > COUNTED_CHARS ? 0 : countTokens(text)),
  pingRedis: () => redis.ping(),
};
const server = createHttpServer(createApp(dependencies), config.http);
const sockets = serveWebSockets(server, dependencies);
// The first caller shall not wait for the connection.
connection.ensureConnected().catch((error: unknown) => logger.warn({ err: error }, 'temporal connection'));

server.once('error', (error: NodeJS.ErrnoException) => {
  const fix = error.code === 'EADDRINUSE' ? ' End what uses it, or set UNBROKEN_PORT.' : '';
  process.stderr.write(`The API cannot listen on ${config.host}:${config.port}: ${error.message}.${fix}\n`);
  process.exit(1);
});
server.listen(config.port, config.host, () => {
  const address = server.address();
  const port = address === null || typeof address === 'string' ? config.port : address.port;
  const url = `http://${config.host}:${port}`;
  process.stdout.write(`${JSON.stringify({ ready: true, url, pid: process.pid })}\n`);
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    sockets.close();
    server.close(() => process.exit(0));
    server.closeIdleConnections();
    setTimeout(() => process.exit(0), DRAIN_MS).unref();
  });
}
