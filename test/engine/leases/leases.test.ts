/** Leases while Redis stops, dies or changes its clock; and the thread that renews the lease of a worker. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import type { LeaseThreadData, MessageToKeeper } from '../../../engine/leases/lease-thread.ts';
import { ThreadedLease } from '../../../engine/leases/threaded-lease.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';
import { LeaseStand, SILENT_MS, soon } from './lease-stand.ts';
import { testLeases } from './leases-contract.ts';

let server: TestRedis;
let redis: RedisConnection;
const stand = new LeaseStand(() => server.connect());

beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
});
afterAll(() => server?.stop());

testLeases('one Redis', stand);

describe('processes that live', () => {
  beforeEach(() => stand.begin());
  afterEach(() => stand.end());

  test('renew their leases while Redis has no memory, which refuses some writes and not others', async () => {
    const [a, b] = await stand.start('a', 'b');
    await redis.configSet('maxmemory', '1');
    try {
      a.keeper.put(a.runOf(1));
      await Promise.all([a.renewed(6), b.renewed(6)]);
      expect(Object.keys(await stand.recordedOf('a'))).toHaveLength(1);
    } finally {
      await redis.configSet('maxmemory', '0');
    }
    expect([...a.taken, ...b.taken]).toEqual([]);
  });

  test('keep their runs though Redis answers none for longer than a lease lasts', async () => {
    const processes = await stand.start('a', 'b', 'c');
    for (const process of processes) process.keeper.put(process.runOf(1), { isUrgent: true });
    await Promise.all(processes.map((process) => process.renewed(2)));
    await redis.sendCommand(['CLIENT', 'PAUSE', String(3 * SILENT_MS), 'ALL']);
    await Promise.all(processes.map((process) => process.renewed(8)));
    expect(processes.flatMap(({ taken }) => taken)).toEqual([]);
  });

  test('keep them though the clock of Redis jumps by more than a lease lasts', async () => {
    const processes = await stand.start('a', 'b', 'c');
    const [first, ...others] = processes;
    for (const process of processes) process.keeper.put(process.runOf(1), { isUrgent: true });
    await Promise.all(processes.map((process) => process.renewed(2)));
    // Only the first is about to renew: the others are between two renewals.
    for (const other of others) other.isDead = true;
    const score = Date.now() - 10 * SILENT_MS;
    await redis.zAdd(
      REDIS_KEYS.leases(stand.taskQueue),
      processes.map(({ name: value }) => ({ value, score })),
    );
    await first.renewed(2);
    for (const other of others) other.isDead = false;
    await Promise.all(processes.map((process) => process.renewed(8)));
    expect(processes.flatMap(({ taken }) => taken)).toEqual([]);
  });

  test('keep their runs though Redis is killed and started again', async () => {
    const processes = await stand.start('a', 'b', 'c');
    for (const process of processes) process.keeper.put(process.runOf(1), { isUrgent: true });
    await Promise.all(processes.map((process) => process.renewed(2)));
    await server.crash(() => undefined);
    await Promise.all(processes.map((process) => process.renewed(8)));
    expect(processes.flatMap(({ taken }) => taken)).toEqual([]);
  });
});

describe('the lease of a worker', () => {
  beforeEach(() => stand.begin());
  afterEach(() => stand.end());

  function startLease(process: string): ThreadedLease {
    return new ThreadedLease({
      name: { taskQueue: stand.taskQueue, process, silentMs: SILENT_MS },
      redisPlace: { kind: 'one', url: server.url },
      redisAnswerMs: 5_000,
      onTaken: () => undefined,
      onError: (error) => {
        throw error;
      },
    });
  }

  test('is renewed while its main thread is busy for longer than the lease lasts', async () => {
    const lease = startLease('busy');
    await soon('the first renewal', () => stand.renewedAtMs('busy'));
    const begunAtMs = Date.now();
    while (Date.now() < begunAtMs + 2 * SILENT_MS) Math.random();
    // Sent before anything that the busy thread itself could do.
    const renewed = (await stand.renewedAtMs('busy')) ?? 0;
    await lease.stop();
    expect(renewed).toBeGreaterThan(begunAtMs + SILENT_MS / 5);
  });

  test('expires when its main thread has done nothing for seconds', async () => {
    const run = { process: 'stuck', workflowId: 'acme/gen_1', runId: 'run_1' };
    const pulse = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const name = { taskQueue: stand.taskQueue, process: 'stuck', silentMs: SILENT_MS };
    // Stands for the thread of a process whose main thread raises no pulse.
    const thread = new Worker(new URL('../../../engine/leases/lease-thread.ts', import.meta.url), {
      workerData: {
        name,
        redisPlace: { kind: 'one', url: server.url },
        redisAnswerMs: 5_000,
        pulse,
      } satisfies LeaseThreadData,
    });
    const send = (message: MessageToKeeper) => thread.postMessage([message]);
    const isRecorded = async () => Object.keys(await stand.recordedOf('stuck')).length === 1;
    send({ kind: 'put', run, isUrgent: true });
    await soon('its run to be recorded', isRecorded);
    const [other] = await stand.start('other');
    await soon('its run to be taken', () => other.taken.length === 1);
    Atomics.add(new Int32Array(pulse), 0, 1);
    await soon('it to be back', isRecorded);
    const exit = once(thread, 'exit');
    send({ kind: 'stop' });
    await exit;
  });

  test('notes a run from its first step to its last, with the token of its first task', async () => {
    const lease = startLease('steps');
    const name = { workflowId: 'acme/gen_1', runId: 'run_1' };
    const recorded = async () => Object.values(await stand.recordedOf('steps')).map((run) => JSON.parse(run));
    lease.runs.hold(name, { workflowTask: 'dG9rZW4=' })();
    const release = lease.runs.hold(name);
    await soon('the run', async () => (await recorded()).length === 1);
    expect(await recorded()).toEqual([{ ...name, process: 'steps', workflowTask: 'dG9rZW4=' }]);
    release();
    await soon('the run to be dropped', async () => (await recorded()).length === 0);
    await lease.stop();
    expect(await stand.renewedAtMs('steps')).toBeNull();
  });
});
