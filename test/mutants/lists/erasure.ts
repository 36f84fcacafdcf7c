/** Bugs of erasure: what is left behind, and what is taken too much. */
import type { Mutant } from '../mutant.ts';

const WHOLE = 'test/e2e/erasure.test.ts';
const ARCHIVE = 'test/engine/archive/archived-logs.test.ts';
const NOTES = 'test/engine/erasure/erasures.test.ts';
const CLUSTER = 'test/platform/redis/redis-cluster.test.ts';
const RUNS = 'test/engine/erasure/erased-runs.test.ts';
const ARCHIVED = 'test/engine/erasure/erased-archive.test.ts';
const FLOW = 'test/workflows/erasure.test.ts';

export const ERASURE_MUTANTS: readonly Mutant[] = [
  {
    name: 'erasure-leaves-archived-logs',
    breaks: 'The archive keeps what an erased user has sent, and the receipt says that nothing is left.',
    file: 'engine/erasure/stored-eraser.ts',
    find: 'if (archive === null || scope.jobId !== null) return',
    replace: 'if (archive !== null || scope.jobId !== null) return',
    caughtBy: { tests: [WHOLE] },
  },
  {
    name: 'erasure-leaves-stored-answers',
    breaks: 'An answer whose log has expired stays in Qdrant.',
    file: 'engine/cache/qdrant-erasure.ts',
    find: "{ key: 'user', match: { value: user } },",
    replace: "{ key: 'user', match: { value: tenant } },",
    caughtBy: { tests: [WHOLE] },
  },
  {
    name: 'erasure-leaves-deliveries-in-temporal',
    breaks: 'The runs of webhooks keep the name of an erased user, as the key by which queues are fair.',
    file: 'workflows/start-detached.ts',
    find: 'searchAttributes: ownerOfThis(),',
    replace: '',
    caughtBy: { tests: [WHOLE] },
  },
  {
    name: 'erasure-leaves-the-owner',
    breaks: 'The head of an erased log says whose it was.',
    file: 'engine/streaming/log-scripts.ts',
    find: "redis.call('HSET', KEYS[1], 'user', '', 'requestHash', '')",
    replace: '',
    caughtBy: { tests: [ARCHIVE, WHOLE] },
  },
  {
    name: 'erasure-loses-the-race-with-the-archive',
    breaks: 'A log that is archived while it loses its owner has it again.',
    file: 'engine/archive/log-archiver.ts',
    find: "'keptMs', 'user'];",
    replace: "'keptMs'];",
    caughtBy: { tests: [ARCHIVE] },
  },
  {
    name: 'erasure-takes-what-comes-later',
    breaks: 'An erasure deletes what its user began after the request.',
    file: 'engine/erasure/key-erasers.ts',
    find: "return Number(createdAt) <= scope.beforeMs ? 'old' : 'new';",
    replace: "return 'old';",
    caughtBy: { tests: [WHOLE] },
  },
  {
    name: 'erasure-does-not-wait',
    breaks: 'What a cancelled generation writes at its end stays.',
    file: 'workflows/erasure.ts',
    find: 'if (found === 0 && pending === 0) return true;',
    replace: 'if (found === 0) return true;',
    caughtBy: { tests: [FLOW] },
  },
  {
    name: 'erasure-by-any-user',
    breaks: 'Any key erases any user of its tenant.',
    file: 'api/routes/erasures.ts',
    find: "if (user !== caller.user) assertScope(caller, 'admin');",
    replace: '',
    caughtBy: { tests: [WHOLE] },
  },
  {
    name: 'erasure-receipt-names-the-user',
    breaks: 'The receipt of an erasure keeps the name that it erased.',
    file: 'engine/erasure/redis-erasures.ts',
    find: "redis.call('HDEL', KEYS[1], 'user', 'waitingFor',",
    replace: "redis.call('HDEL', KEYS[1], 'waitingFor',",
    caughtBy: { tests: [NOTES, WHOLE] },
  },
  {
    name: 'erasure-starts-over-after-a-crash',
    breaks:
      'Each attempt of a large erasure begins with the first key again, and it never ends where workers restart.',
    file: 'engine/erasure/redis-sweep.ts',
    find: 'let { at, found: all, pending } = isSame ? from : START;',
    replace: 'let { at, found: all, pending } = isSame ? { ...from, at: START.at } : START;',
    caughtBy: { tests: [NOTES] },
  },
  {
    name: 'deletion-leaves-the-history',
    breaks: 'A generation is deleted, and the history of its run stays, with the name of its user.',
    file: 'api/generations/remove-generation.ts',
    find: 'removeRuns(dependencies, [workflowId(tenant, generationId)]);',
    replace: 'removeRuns(dependencies, []);',
    caughtBy: { tests: [WHOLE] },
  },
  {
    name: 'erasure-leaves-the-input-of-a-terminated-batch',
    breaks: 'The questions of a message batch whose run was terminated stay in the object store for weeks.',
    file: 'engine/erasure/key-erasers.ts',
    find: 'if (ownsInput === true) await fileStore.remove({ tenant, fileId: inputFileId });',
    replace: '',
    caughtBy: { tests: ['test/engine/erasure/erased-batches.test.ts'] },
  },
  {
    name: 'erasure-counts-what-stays',
    breaks: 'The receipt says that histories were removed which Temporal refuses to delete.',
    file: 'engine/erasure/erased-runs.ts',
    find: "await found.remove('runs', refused.map(nameOf));",
    replace: '',
    caughtBy: { tests: [RUNS] },
  },
  {
    name: 'erasure-stops-at-a-lost-key',
    breaks: 'One archived log whose key is lost holds up an erasure for ever.',
    file: 'engine/erasure/stored-eraser.ts',
    find: 'if (error instanceof UnbrokenError) throw error;',
    replace: 'if (error instanceof Error) throw error;',
    caughtBy: { tests: [ARCHIVED] },
  },
  {
    name: 'erasure-walks-on-at-other-servers',
    breaks:
      'An erasure whose master has died asks for its keys for ever, or passes over those of its successor.',
    file: 'engine/erasure/redis-sweep.ts',
    find: 'const isSame = keyspace !== null && from?.keyspace === keyspace;',
    replace: 'const isSame = from !== null;',
    caughtBy: { tests: [NOTES] },
  },
  {
    name: 'erasure-passes-over-keys-that-move',
    breaks:
      'A text that moves to a server that was already read stays, and the receipt says that nothing is left.',
    file: 'engine/erasure/redis-sweep.ts',
    find: 'pending: isWhole ? pending : pending + 1 };',
    replace: 'pending };',
    caughtBy: { tests: [CLUSTER] },
  },
];
