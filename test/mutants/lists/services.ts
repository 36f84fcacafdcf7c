/** How the services are reached, and what is stored at several nodes. */
import type { Mutant } from '../mutant.ts';

const MANAGED = 'test/e2e/managed-services.test.ts';
const TEMPORAL_SETTINGS = 'test/platform/config/temporal-environment.test.ts';
const DOCTOR_TLS = 'test/tools/services/doctor-tls.test.ts';
const CONNECT_QDRANT = 'test/engine/cache/connect-qdrant.test.ts';
const QDRANT_ANSWERS = 'test/engine/cache/qdrant-answers.test.ts';
const DEMOTED = 'test/platform/redis/redis-demoted.test.ts';

export const SERVICE_MUTANTS: readonly Mutant[] = [
  {
    name: 'models-lose-their-series',
    breaks: 'Names of models that callers invent take the series of the models of the routes.',
    file: 'engine/telemetry/metrics.ts',
    find: 'own.has(name) || known.has(name)',
    replace: 'known.has(name)',
    caughtBy: { tests: ['test/engine/telemetry/metrics.test.ts'] },
  },
  {
    name: 'cluster-node-with-any-certificate',
    breaks: 'A node of a cluster that is named by its address is believed, whatever its certificate says.',
    file: 'platform/redis/cluster-tls.ts',
    find: '&& isNamed() ? undefined',
    replace: '? undefined',
    caughtBy: { tests: ['test/platform/redis/cluster-tls.test.ts'] },
  },
  {
    name: 'temporal-key-without-tls',
    breaks: 'An API key for Temporal is sent over the network in the clear.',
    file: 'platform/config/temporal-environment.ts',
    find: 'if (isOn === false && apiKey !== undefined && !isThisMachine(address))',
    replace: 'if (isOn === false && apiKey !== undefined && address === null)',
    caughtBy: { tests: [TEMPORAL_SETTINGS] },
  },
  {
    name: 'temporal-key-turns-no-tls-on',
    breaks: 'Temporal Cloud cannot be reached by an API key alone.',
    file: 'platform/config/temporal-environment.ts',
    find: 'isOn ?? (apiKey !== undefined || hasTlsSetting(env))',
    replace: 'isOn ?? hasTlsSetting(env)',
    caughtBy: { tests: [TEMPORAL_SETTINGS] },
  },
  {
    name: 'temporal-client-without-key',
    breaks: 'Processes of ours connect to a Temporal that demands an API key without it.',
    file: 'platform/temporal/connection-options.ts',
    find: '...(apiKey === undefined ? {} : { apiKey })',
    replace: '...(apiKey === undefined ? {} : {})',
    caughtBy: { tests: [TEMPORAL_SETTINGS, MANAGED] },
  },
  {
    name: 'operator-service-required',
    breaks: 'Temporal Cloud, which has no operator service for its users, cannot be used.',
    file: 'tools/services/temporal-namespace.ts',
    find: 'const PERMISSION_DENIED = 7;',
    replace: 'const PERMISSION_DENIED = -7;',
    caughtBy: { tests: [MANAGED] },
  },
  {
    name: 'doctor-blind-to-old-certificates',
    breaks: 'The doctor says that a certificate is fine which ends tomorrow.',
    file: 'tools/services/doctor/check-tls.ts',
    find: 'return days < SOON_DAYS ?',
    replace: 'return days < -SOON_DAYS ?',
    caughtBy: { tests: [DOCTOR_TLS] },
  },
  {
    name: 'doctor-blind-to-stale-copies',
    breaks: 'The doctor says that all copies of the stored answers are there while a node is down.',
    file: 'tools/services/doctor/check-qdrant-cluster.ts',
    find: "copies.filter(({ state }) => state !== 'Active')",
    replace: "copies.filter(({ state }) => state === '')",
    caughtBy: { tests: [DOCTOR_TLS] },
  },
  {
    name: 'redis-stays-at-replica',
    breaks: 'After a failover of a hosted Redis all writes are refused until the processes are restarted.',
    file: 'platform/redis/redis-connection.ts',
    find: '/^READONLY\\b/.test(error.message)',
    replace: 'false',
    caughtBy: { tests: [DEMOTED] },
  },
  {
    name: 'qdrant-filter-without-index',
    breaks: 'Qdrant Cloud, which is in strict mode, refuses to store any answer.',
    file: 'engine/cache/qdrant-answers.ts',
    find: "await index('attempt', 'keyword');",
    replace: '',
    caughtBy: { tests: [QDRANT_ANSWERS] },
  },
  {
    name: 'qdrant-behind-proxy-at-6333',
    breaks: 'A Qdrant at port 443 of a proxy is looked for at 6333, and the cache never answers.',
    file: 'engine/cache/connect-qdrant.ts',
    find: 'Number(port) || (isTls ? 443 : 80)',
    replace: 'Number(port) || 6_333',
    caughtBy: { tests: [CONNECT_QDRANT] },
  },
  {
    name: 'doctor-blind-to-channels',
    breaks: 'The doctor says that all is well with a user of Redis with whom no API starts.',
    file: 'tools/services/doctor/check-redis.ts',
    find: 'return error(check, wordsOf(problem), RIGHTS_FIX);',
    replace: "return ok(check, '');",
    caughtBy: { tests: ['test/tools/services/doctor-redis.test.ts'] },
  },
  {
    name: 'starting-process-stays',
    breaks: 'A container that waits for Redis ignores SIGTERM until it is killed.',
    file: 'platform/leave-while-starting.ts',
    find: 'process.once(signal, leave)',
    replace: "process.once('SIGWINCH', leave)",
    caughtBy: { tests: ['test/worker/leave-while-starting.test.ts'] },
  },
];
