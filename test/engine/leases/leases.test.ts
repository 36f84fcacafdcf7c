/** When a process loses its runs to others, and when it must not. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import { LeaseKeeper } from '../../../engine/leases/lease-keeper.ts';
import type { LeaseThreadData, MessageToKeeper } from '../../../engine/leases/lease-thread.ts';
import { RedisLease } from '../../../engine/leases/redis-lease.ts';
import type { LeasedRun } from '../../../engine/leases/run-leases.ts';
import { ThreadedLease } from '../../../engine/leases/threaded-lease.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';

const SILENT_MS = 500;
const SOON_MS = 30_000;
let server: TestRedis;
let redis: RedisConnection;
let taskQueue = '';
let queues = 0;
let keepers: LeaseKeeper[] = [];

beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
});
afterAll(() => server?.stop());
beforeEach(() => {
  queues += 1;
  taskQueue = `queue-${queues}`;
});
afterEach(async () => {
  await Promise.all(keepers.map((keeper) => keeper.stop()));
  keepers = [];
});

function soon<Value>(
  what: string,
  condition: () => Value | null | undefined | false | Promise<Value | null | undefined | false>,
): Promise<Value> {
  return waitFor(what, condition, SOON_MS);
}

/** A process with a lease: what it has taken over, how often it has renewed, and whether it still may. */
class TestProcess {
  readonly name: string;
  readonly keeper: LeaseKeeper;
  readonly taken: LeasedRun[] = [];
  renewals = 0;
  isDead = false;

  constructor(name: string, connection: RedisConnection) {
    this.name = name;
    const lease = new RedisLease(connection, { taskQueue, process: name, silentMs: SILENT_MS });
    this.keeper = new LeaseKeeper({
      lease: {
        renew: async (renewal) => {
          const renewed = await lease.renew(renewal);
          this.renewals += 1;
          return renewed;
        },
        takeOver: (expired) => lease.takeOver(expired),
        leave: () => lease.leave(),
      },
      silentMs: SILENT_MS,
      mayRenew: () => !this.isDead,
      onTaken: (runs) => this.taken.push(...runs),
    });
    this.keeper.start();
    keepers.push(this.keeper);
  }

  runOf(number: number): LeasedRun {
    return { process: this.name, workflowId: `acme/gen_${number}`, runId: `run_${number}` };
  }

  /** Resolves when it has renewed so many more times. */
  async renewed(times: number): Promise<void> {
    const until = this.renewals + times;
    await soon(`${times} renewals of ${this.name}`, () => this.renewals >= until);
  }
}

async function start(...names: string[]): Promise<TestProcess[]> {
  const processes = await Promise.all(
    names.map(async (name) => new TestProcess(name, await server.connect())),
  );
  await Promise.all(processes.map((process) => process.renewed(2)));
  return processes;
}

const recordedOf = (process: string) => redis.hGetAll(REDIS_KEYS.leasedRuns(taskQueue, process));

describe('a process that renews no more', () => {
  test('loses its runs to exactly one of the others, which records them as its own', async () => {
    const [dead, ...others] = await start('dead', 'b', 'c', 'd');
    if (dead === undefined) throw new Error('no process');
    const runs = [dead.runOf(1), dead.runOf(2)];
    for (const run of runs) dead.keeper.put(run);
    await dead.renewed(2);
    dead.isDead = true;
    await soon('its runs to be taken', () => others.some(({ taken }) => taken.length > 0));
    await Promise.all(others.map((process) => process.renewed(6)));
    expect(others.flatMap(({ taken }) => taken)).toEqual(expect.arrayContaining(runs));
    expect(others.flatMap(({ taken }) => taken)).toHaveLength(runs.length);
    const heir = others.find(({ taken }) => taken.length > 0);
    expect(Object.keys(await recordedOf(heir?.name ?? ''))).toHaveLength(runs.length);
    expect(await recordedOf('dead')).toEqual({});
  });

  test('passes on also what it had taken over and not finished', async () => {
    const [first, heir] = await start('first', 'heir');
    if (first === undefined || heir === undefined) throw new Error('no process');
    first.keeper.put(first.runOf(1), true);
    await first.renewed(2);
    first.isDead = true;
    await soon('the first heir', () => heir.taken.length === 1);
    const [last] = await start('last');
    heir.isDead = true;
    await soon('the second heir', () => last?.taken.length === 1);
    expect(last?.taken).toEqual([first.runOf(1)]);
    last?.keeper.drop(first.runOf(1));
    await last?.renewed(2);
    expect(await recordedOf('last')).toEqual({});
  });

  test('records its runs again when it comes back', async () => {
    const [paused, other] = await start('paused', 'other');
    if (paused === undefined || other === undefined) throw new Error('no process');
    const run = paused.runOf(1);
    paused.keeper.put(run);
    await paused.renewed(2);
    paused.isDead = true;
    await soon('its run to be taken', () => other.taken.length === 1);
    paused.isDead = false;
    await soon('its run to be recorded', async () => Object.keys(await recordedOf('paused')).length === 1);
  });
});

describe('a process that lives', () => {
  test('keeps its runs, and one that leaves without any is not missed', async () => {
    const [a, b] = await start('a', 'b');
    if (a === undefined || b === undefined) throw new Error('no process');
    a.keeper.put(a.runOf(1));
    await Promise.all([a.renewed(15), b.renewed(15)]);
    expect(b.taken).toEqual([]);
    a.keeper.drop(a.runOf(1));
    await a.renewed(2);
    await a.keeper.stop();
    expect(await redis.zScore(REDIS_KEYS.leases(taskQueue), 'a')).toBeNull();
  });

  test('keeps them though Redis answers none for longer than a lease lasts', async () => {
    const processes = await start('a', 'b', 'c');
    for (const process of processes) process.keeper.put(process.runOf(1), true);
    await Promise.all(processes.map((process) => process.renewed(2)));
    await redis.sendCommand(['CLIENT', 'PAUSE', String(3 * SILENT_MS), 'ALL']);
    await Promise.all(processes.map((process) => process.renewed(8)));
    expect(processes.flatMap(({ taken }) => taken)).toEqual([]);
  });

  test('keeps them though the clock of Redis jumps by more than a lease lasts', async () => {
    const processes = await start('a', 'b', 'c');
    const [first, ...others] = processes;
    for (const process of processes) process.keeper.put(process.runOf(1), true);
    await Promise.all(processes.map((process) => process.renewed(2)));
    // Only the first is about to renew: the others are between two renewals.
    for (const other of others) other.isDead = true;
    const score = Date.now() - 10 * SILENT_MS;
    await redis.zAdd(
      REDIS_KEYS.leases(taskQueue),
      processes.map(({ name: value }) => ({ value, score })),
    );
    await first?.renewed(2);
    for (const other of others) other.isDead = false;
    await Promise.all(processes.map((process) => process.renewed(8)));
    expect(processes.flatMap(({ taken }) => taken)).toEqual([]);
  });

  test('keeps them though Redis is killed and started again', async () => {
    const processes = await start('a', 'b', 'c');
    for (const process of processes) process.keeper.put(process.runOf(1), true);
    await Promise.all(processes.map((process) => process.renewed(2)));
    await server.crash(() => undefined);
    await Promise.all(processes.map((process) => process.renewed(8)));
    expect(processes.flatMap(({ taken }) => taken)).toEqual([]);
  });
});

describe('the lease of a worker', () => {
  const renewedAtMs = (process: string) => redis.zScore(REDIS_KEYS.leases(taskQueue), process);

  function startLease(process: string): ThreadedLease {
    return new ThreadedLease({
      name: { taskQueue, process, silentMs: SILENT_MS },
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
    await soon('the first renewal', () => renewedAtMs('busy'));
    const begunAtMs = Date.now();
    while (Date.now() < begunAtMs + 2 * SILENT_MS) Math.random();
    const busyUntilMs = Date.now();
    const renewed = (await renewedAtMs('busy')) ?? 0;
    await lease.stop();
    expect(renewed).toBeGreaterThan(begunAtMs + SILENT_MS / 5);
    // What the busy thread itself could have done comes later.
    expect(renewed).toBeLessThanOrEqual(busyUntilMs + 50);
  });

  test('expires when its main thread has done nothing for seconds', async () => {
    const run = { process: 'stuck', workflowId: 'acme/gen_1', runId: 'run_1' };
    const pulse = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const name = { taskQueue, process: 'stuck', silentMs: SILENT_MS };
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
    const isRecorded = async () => Object.keys(await recordedOf('stuck')).length === 1;
    send({ kind: 'put', run, isUrgent: true });
    await soon('its run to be recorded', isRecorded);
    const [other] = await start('other');
    await soon('its run to be taken', () => other?.taken.length === 1);
    Atomics.add(new Int32Array(pulse), 0, 1);
    await soon('it to be back', isRecorded);
    const exit = once(thread, 'exit');
    send({ kind: 'stop' });
    await exit;
  });

  test('notes a run from its first step to its last, with the token of its first task', async () => {
    const lease = startLease('steps');
    const name = { workflowId: 'acme/gen_1', runId: 'run_1' };
    const recorded = async () => Object.values(await recordedOf('steps')).map((run) => JSON.parse(run));
    lease.runs.hold(name, { workflowTask: 'dG9rZW4=' })();
    const release = lease.runs.hold(name);
    await soon('the run', async () => (await recorded()).length === 1);
    expect(await recorded()).toEqual([{ ...name, process: 'steps', workflowTask: 'dG9rZW4=' }]);
    release();
    await soon('the run to be dropped', async () => (await recorded()).length === 0);
    await lease.stop();
    expect(await renewedAtMs('steps')).toBeNull();
  });
});
