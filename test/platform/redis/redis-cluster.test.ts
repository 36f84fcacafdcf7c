/** The product's Redis client on a real cluster: what moves, dies or lags there must not be felt by a log. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { relayEvents } from '../../../api/relay/relay-events.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import type { StagePosition } from '../../../engine/erasure/erasures.ts';
import type { KeyEraser } from '../../../engine/erasure/key-erasers.ts';
import { RedisErasures } from '../../../engine/erasure/redis-erasures.ts';
import { sweepKeys } from '../../../engine/erasure/redis-sweep.ts';
import { RedisHandoffOffers, RedisHandoffTaker } from '../../../engine/handoff/redis-handoff.ts';
import { ThreadedLease } from '../../../engine/leases/threaded-lease.ts';
import type { LogWriter } from '../../../engine/streaming/event-log.ts';
import { RedisLiveLogs } from '../../../engine/streaming/live-logs.ts';
import { RedisEventLog } from '../../../engine/streaming/redis-event-log.ts';
import { placeOfUrls } from '../../../platform/config/redis-schema.ts';
import type { RedisClient } from '../../../platform/redis/redis-client.ts';
import { isRedisAway } from '../../../platform/redis/redis-connection.ts';
import { askNode } from '../../../tools/services/ask-redis-node.ts';
import { checkRedis } from '../../../tools/services/doctor/check-redis.ts';
import { LeaseStand, SILENT_MS, soon } from '../../engine/leases/lease-stand.ts';
import { testLeases } from '../../engine/leases/leases-contract.ts';
import { testEventLog } from '../../engine/streaming/event-log-contract.ts';
import { creationOf, END, RETENTION_MS } from '../../engine/streaming/log-stand.ts';
import { patientSink } from '../../harness/patient-sink.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { ClusterStand } from './cluster-stand.ts';

const stand = new ClusterStand();
beforeAll(() => stand.start({ nodeTimeoutMs: 800 }));
afterAll(() => stand.stop());

let logs = 0;
async function newLog(log: RedisEventLog): Promise<{ id: string; key: string; writer: LogWriter }> {
  logs += 1;
  const id = `gen_cluster_${logs}`;
  await log.create(creationOf(id));
  return { id, key: REDIS_KEYS.logMeta(id), writer: (await log.open(id, 1)).writer };
}

async function write(writer: LogWriter, ...texts: string[]): Promise<void> {
  for (const text of texts) {
    await writer.write({ type: 'text-delta', text });
    await writer.flush();
  }
}

const textOf = (events: readonly GenerationEvent[]) =>
  events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');

testEventLog('Redis Cluster', () => stand.openForLog());

const leases = new LeaseStand(() => stand.open());
testLeases('Redis Cluster', leases);

test('the thread of a worker renews its lease on a cluster', async () => {
  await leases.begin();
  const lease = new ThreadedLease({
    name: { taskQueue: leases.taskQueue, process: 'worker', silentMs: SILENT_MS },
    redisPlace: placeOfUrls(stand.cluster.url.split(',')),
    redisAnswerMs: 5_000,
    onTaken: () => undefined,
    onError: () => undefined,
  });
  const release = lease.runs.hold({ workflowId: 'acme/gen_1', runId: 'run_1' }, { isUrgent: true });
  await soon('its run', async () => Object.keys(await leases.recordedOf('worker')).length === 1);
  release();
  await soon('the end of its run', async () => Object.keys(await leases.recordedOf('worker')).length === 0);
  await lease.stop();
  expect(await leases.renewedAtMs('worker')).toBeNull();
});

test('lists that are waited for, scans, channels and reads of several keys go to the server that has them', async () => {
  const [redis, subscriber, waiting] = [await stand.open(), await stand.open(), await stand.open()];
  const plan = {
    taskQueue: 'queue',
    carrier: { inject: () => ({}), within: <Value>(_: unknown, act: () => Value) => act() },
  };
  const offers = await RedisHandoffOffers.create(redis, subscriber, plan);
  const taker = new RedisHandoffTaker(waiting, redis, plan);
  const taken = taker.take();
  await waitFor('the taker to be announced', () => redis.exists(REDIS_KEYS.handoffTakers('queue')));
  const order = { generationId: 'gen_offered' } as Parameters<typeof offers.offer>[0]['order'];
  const offered = offers.offer({ order });
  const run = await taken;
  expect(run?.order).toEqual(order);
  await run?.answer(true);
  expect(await offered).toBe(true);
  for (let index = 0; index < 30; index += 1) {
    const key = `ub:test:{${index}}`;
    await redis.hSet(key, { field: String(index) });
    expect((await redis.hScan(key, '0')).entries).toEqual([{ field: 'field', value: String(index) }]);
    await redis.set(`${key}:a`, 'a');
    expect(await redis.mGet([`${key}:a`, `${key}:none`])).toEqual(['a', null]);
  }
  expect(await redis.ping()).toBe('PONG');
});

test('a log that moves to another master while it is written and read loses nothing', async () => {
  const log = new RedisEventLog(await stand.open(), { retentionMs: RETENTION_MS });
  const live = new RedisLiveLogs(await stand.open());
  const { id, key, writer } = await newLog(log);
  await write(writer, 'a');
  const sink = patientSink();
  const relayed = relayEvents(
    { log, live },
    { generationId: id, after: -1, sink, signal: new AbortController().signal },
  );
  await waitFor('the first text', () => textOf(sink.events) === 'a');
  const source = await stand.cluster.masterOf(key);
  const target = (await stand.cluster.masters()).find((node) => node !== source);
  if (target === undefined) throw new Error('the cluster has one master');
  const late: Promise<void>[] = [];
  await stand.cluster.moveSlotOf(key, target, async () => {
    // Some keys of the log are there, others here: this append waits for the rest.
    late.push(write(writer, 'b'));
  });
  await Promise.all(late);
  await write(writer, 'c', 'd');
  await writer.write(END);
  await writer.flush();
  await relayed;
  expect(textOf(sink.events)).toBe('abcd');
  expect(textOf(await log.read(id, -1))).toBe('abcd');
  expect(await stand.cluster.masterOf(key)).toBe(target);
});

describe('an erasure', () => {
  const KEYS = 300;
  const scope = { tenant: 'acme', user: 'ann', jobId: null, erasureId: 'erase_1', beforeMs: 0 };
  const names = new Set(Array.from({ length: KEYS }, (_, at) => `ub:erased:{${at}}`));

  class Walk {
    readonly seen: string[] = [];
    readonly positions: StagePosition[] = [];
    readonly #redis: RedisClient;

    constructor(redis: RedisClient) {
      this.#redis = redis;
    }

    /** @param onFirst acts when the first key is erased. */
    run(onFirst: (key: string) => Promise<void> = async () => undefined, from?: StagePosition) {
      this.seen.length = 0;
      const found = new RedisErasures(this.#redis, { keptMs: RETENTION_MS }).found(scope);
      const eraser: KeyEraser = {
        pattern: /^(ub:erased:.+)$/,
        erase: async ([key = '']) => {
          this.seen.push(key);
          if (this.seen.length === 1) await onFirst(key);
          return { found: 0, pending: 0 };
        },
      };
      const report = (position: StagePosition) => void this.positions.push(position);
      const progress = { from: from ?? null, report, signal: AbortSignal.timeout(60_000) };
      return sweepKeys({ redis: this.#redis, erasers: [eraser], scope, found }, progress);
    }
  }

  async function startWalk(): Promise<Walk> {
    const redis = await stand.open({ count: 1, withinMs: 5_000 });
    for (const name of names) await redis.set(name, 'a text');
    return new Walk(redis);
  }

  test('is noted, counted and closed like on one server', async () => {
    const erasures = new RedisErasures(await stand.open(), { keptMs: RETENTION_MS });
    const id = await erasures.open({ tenant: 'acme', user: 'grace', jobId: null });
    const opened = await erasures.scope('acme', id);
    if (opened === null) throw new Error('it was lost');
    await erasures.found(opened).add('generations', ['gen_1', 'gen_2']);
    await erasures.complete(opened, []);
    const removed = [{ kind: 'generations', count: 2 }];
    expect(await erasures.view('acme', id)).toMatchObject({ status: 'completed', removed });
  });

  test('walks through the keys of every master, and again if some have moved past it meanwhile', async () => {
    const walk = await startWalk();
    expect(await walk.run()).toEqual({ found: 0, pending: 0 });
    expect(new Set(walk.seen)).toEqual(names);
    const moved: string[] = [];
    const moveAnother = async (key: string) => {
      const target = await stand.cluster.masterOf(key);
      for (const name of names) {
        if ((await stand.cluster.masterOf(name)) === target) continue;
        await stand.cluster.moveSlotOf(name, target);
        moved.push(name);
        return;
      }
    };
    expect(await walk.run(moveAnother)).toEqual({ found: 0, pending: 1 });
    expect(walk.seen).not.toContain(moved[0]);
    expect(await walk.run()).toEqual({ found: 0, pending: 0 });
    expect(new Set(walk.seen)).toEqual(names);
  });

  test('waits while a slot is between two masters', async () => {
    const walk = await startWalk();
    const [name = ''] = names;
    const source = await stand.cluster.masterOf(name);
    const target = (await stand.cluster.masters()).find((node) => node !== source);
    if (target === undefined) throw new Error('there is one master');
    const meanwhile: unknown[] = [];
    await stand.cluster.moveSlotOf(name, target, async () => {
      meanwhile.push(await walk.run());
    });
    expect(meanwhile).toEqual([{ found: 0, pending: 1 }]);
    expect(await walk.run()).toEqual({ found: 0, pending: 0 });
  });

  test('that continues after the death of a master starts over at its successor', async () => {
    const walk = await startWalk();
    await walk.run();
    // The worker had read the first master, and stopped at the second.
    const [reached] = walk.positions;
    const masters = await stand.cluster.masters();
    const ids = await Promise.all(masters.map(({ url }) => askNode(url, ['CLUSTER', 'MYID'])));
    const second = masters.find((_, index) => reached?.at.startsWith(String(ids[index])));
    if (reached === undefined || second === undefined) throw new Error('it reached no second master');
    await second.kill();
    await waitFor('the election', async () => !(await stand.cluster.masters()).includes(second));
    await waitFor('a walk through all', async () => {
      const result = await walk.run(undefined, reached).catch(() => null);
      return result?.pending === 0;
    });
    expect(new Set(walk.seen)).toEqual(names);
    await stand.cluster.heal();
  });
});

describe('a server that dies or hangs', () => {
  afterEach(async () => {
    await leases.end();
    await stand.cluster.heal();
  });

  test('a killed master takes no run from a process that lives, and its successor takes those of one that dies', async () => {
    await leases.begin();
    const processes = await leases.start('a', 'b', 'c');
    const [dead, ...others] = processes;
    for (const process of processes) process.keeper.put(process.runOf(1), { isUrgent: true });
    await Promise.all(processes.map((process) => process.renewed(2)));
    const key = REDIS_KEYS.leases(leases.taskQueue);
    const master = await stand.cluster.masterOf(key);
    await master.kill();
    await waitFor('the election', async () => (await stand.cluster.masterOf(key)) !== master);
    await Promise.all(processes.map((process) => process.renewed(8)));
    expect(processes.flatMap(({ taken }) => taken)).toEqual([]);
    dead.isDead = true;
    await soon('its run to be taken', () => others.some(({ taken }) => taken.length > 0));
    expect(others.flatMap(({ taken }) => taken)).toEqual([dead.runOf(1)]);
    await master.restart();
  });

  test('a killed master loses nothing that its replica has confirmed: writer and reader continue at the new master', async () => {
    const log = new RedisEventLog(await stand.open({ count: 1, withinMs: 5_000 }), {
      retentionMs: RETENTION_MS,
    });
    const live = new RedisLiveLogs(await stand.open());
    const { id, key, writer } = await newLog(log);
    const sink = patientSink();
    const relayed = relayEvents(
      { log, live },
      { generationId: id, after: -1, sink, signal: new AbortController().signal },
    );
    await write(writer, 'a', 'b', 'c');
    const master = await stand.cluster.masterOf(key);
    await master.kill();
    // Until the others have elected its replica, and that one has a replica again, this is sent again.
    const written = write(writer, 'd', 'e');
    await waitFor('the election', async () => (await stand.cluster.masterOf(key)) !== master);
    await master.restart();
    await written;
    await writer.write(END);
    await writer.flush();
    await relayed;
    expect(textOf(sink.events)).toBe('abcde');
    expect((await log.head(id))?.torn).toBeNull();
    expect(await stand.cluster.masterOf(key)).not.toBe(master);
  });

  test('a frozen master delays a command by its limit at most, and the next go to its successor', async () => {
    const redis = await stand.open(undefined, 1_000);
    const master = await stand.cluster.masterOf('{frozen}');
    await redis.set('{frozen}', 'before');
    master.freeze();
    const begunAtMs = performance.now();
    const failure = await redis.get('{frozen}').then(
      () => null,
      (error: unknown) => error,
    );
    expect(isRedisAway(failure)).toBe(true);
    expect(performance.now() - begunAtMs).toBeLessThan(30_000);
    await waitFor('an answer of the successor', () => redis.get('{frozen}').catch(() => null));
    master.thaw();
  });

  test('a killed master with writes that no replica has: the writer stops, and a reader learns that the tail is lost', async () => {
    const log = new RedisEventLog(await stand.open(), { retentionMs: RETENTION_MS });
    const live = new RedisLiveLogs(await stand.open());
    const { id, key, writer } = await newLog(log);
    await write(writer, 'a', 'b');
    await stand.untilReplicated(id);
    const sink = patientSink();
    const relayed = relayEvents(
      { log, live, heartbeatMs: 500 },
      { generationId: id, after: -1, sink, signal: new AbortController().signal },
    );
    const outcome = relayed.then(
      () => 'ended',
      (error: unknown) => error,
    );
    await stand.cluster.loseWrites(key, async () => {
      await write(writer, 'c', 'd');
      await waitFor('the reader to have them', () => textOf(sink.events) === 'abcd');
    });
    await expect(write(writer, 'e')).rejects.toMatchObject({ name: 'LogRefused', reason: 'torn' });
    expect((await log.head(id))?.torn).toEqual({ from: 3, until: 4 });
    // The next attempt continues; the reader is not carried over.
    await write((await log.open(id, 2)).writer, 'C', 'D', 'E');
    expect(await outcome).toMatchObject({ code: 'log_tail_lost' });
    expect(textOf(sink.events)).toBe('abcd');
  });

  test('a killed master with a log that no replica has: the writer stops, and a reader learns that the log is gone', async () => {
    const log = new RedisEventLog(await stand.open(), { retentionMs: RETENTION_MS });
    const live = new RedisLiveLogs(await stand.open());
    const sink = patientSink();
    const started: { writer: LogWriter; outcome: Promise<unknown> }[] = [];
    await stand.cluster.loseWrites(REDIS_KEYS.logMeta(`gen_cluster_${logs + 1}`), async () => {
      const { id, writer } = await newLog(log);
      const relayed = relayEvents(
        { log, live, heartbeatMs: 500 },
        { generationId: id, after: -1, sink, signal: new AbortController().signal },
      );
      started.push({ writer, outcome: relayed.catch((error: unknown) => error) });
      await write(writer, 'a');
      await waitFor('the reader to have it', () => textOf(sink.events) === 'a');
    });
    const [begun] = started;
    await expect(write(begun?.writer as LogWriter, 'b')).rejects.toMatchObject({ reason: 'missing' });
    expect(await begun?.outcome).toMatchObject({ code: 'cursor_expired' });
  });

  test('a write that waits for a replica is refused while that is frozen, and confirmed once it runs again', async () => {
    const redis = await stand.open({ count: 1, withinMs: 1_000 });
    const [replica] = await stand.cluster.replicasOf(await stand.cluster.masterOf('{waits}'));
    await waitFor('a first confirmation', () => redis.set('{waits}', '1').catch(() => null));
    replica?.freeze();
    const failure = await redis.set('{waits}', '2').then(
      () => null,
      (error: unknown) => error,
    );
    replica?.thaw();
    expect(failure).toMatchObject({ name: 'ReplicasMissingError' });
    expect(isRedisAway(failure)).toBe(true);
    await waitFor('a confirmation', () => redis.set('{waits}', '3').catch(() => null));
    // A read waits for no replica.
    replica?.freeze();
    expect(await redis.get('{waits}')).toBe('3');
    replica?.thaw();
  });
});

test('the doctor checks every master, and names a member of a cluster that is used as a single server', async () => {
  const urls = stand.cluster.nodes.map(({ url }) => url);
  const findings = await checkRedis({ redisPlace: { kind: 'cluster', urls }, redis: {} });
  const of = (check: string) => findings.find((finding) => finding.check === check);
  expect(of('redis cluster')).toMatchObject({ status: 'ok', found: '3 masters, 16384 of 16384 slots' });
  expect(of('redis scripts')).toMatchObject({ status: 'ok' });
  expect(of('redis replicas')).toMatchObject({ status: 'warning' });
  const waiting = { waitForReplicas: { count: 2, withinMs: 100 } };
  const checked = await checkRedis({ redisPlace: { kind: 'cluster', urls }, redis: waiting });
  expect(checked.find(({ check }) => check === 'redis replicas')).toMatchObject({ status: 'error' });
  const [url = ''] = urls;
  const single = await checkRedis({ redisPlace: { kind: 'one', url }, redis: {} });
  expect(single.find(({ check }) => check === 'redis cluster')).toMatchObject({ status: 'error' });
});
