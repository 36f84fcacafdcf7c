/** The master that sentinels name, followed through a failover. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openRedis } from '../../../platform/redis/open-redis.ts';
import type { RedisClient } from '../../../platform/redis/redis-client.ts';
import { askNode } from '../../../tools/services/ask-redis-node.ts';
import { checkRedis } from '../../../tools/services/doctor/check-redis.ts';
import { findFreePort } from '../../../tools/services/ports.ts';
import { findRedisExecutable } from '../../../tools/services/programs/redis.js';
import { type RunningProcess, runProcess, untilHealthy } from '../../../tools/services/run-process.ts';
import { waitFor } from '../../harness/wait-for.ts';

const MASTER = 'unbroken';
const folder = mkdtempSync(join(tmpdir(), 'unbroken-sentinel-'));
const running: RunningProcess[] = [];
const clients: RedisClient[] = [];
let ports: { master: number; replica: number; sentinel: number };
let master: RunningProcess;

async function start(name: string, port: number, args: readonly string[]): Promise<RunningProcess> {
  const report = () => undefined;
  const command = await findRedisExecutable(report);
  const server = await runProcess({ name, command, args, dataDir: folder, report });
  running.push(server);
  const isHealthy = async () => (await askNode(`redis://127.0.0.1:${port}`, ['PING'])) === 'PONG';
  await untilHealthy(name, server, { deadlineMs: 60_000, fix: 'Read its log.' }, isHealthy);
  return server;
}

const serverArgs = (port: number) => [
  '--port',
  String(port),
  '--save',
  '',
  '--dir',
  folder,
  '--bind',
  '127.0.0.1',
];

beforeAll(async () => {
  const [first, second, third] = [await findFreePort(), await findFreePort(), await findFreePort()];
  ports = { master: first, replica: second, sentinel: third };
  master = await start('master', first, serverArgs(first));
  await start('replica', second, [...serverArgs(second), '--replicaof', `127.0.0.1 ${first}`]);
  const config = join(folder, 'sentinel.conf');
  const settings = [
    `port ${third}`,
    'bind 127.0.0.1',
    `sentinel monitor ${MASTER} 127.0.0.1 ${first} 1`,
    `sentinel down-after-milliseconds ${MASTER} 400`,
    `sentinel failover-timeout ${MASTER} 5000`,
  ];
  writeFileSync(config, settings.join('\n'));
  await start('sentinel', third, [config, '--sentinel']);
  await waitFor('the sentinel to know the replica', async () =>
    String(await askNode(`redis://127.0.0.1:${third}`, ['SENTINEL', 'REPLICAS', MASTER])).includes(
      String(second),
    ),
  );
});
afterAll(async () => {
  for (const client of clients) client.destroy();
  await Promise.all(running.map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
});

const place = () => ({
  kind: 'sentinel' as const,
  master: MASTER,
  sentinels: ['redis://127.0.0.1:1', `redis://127.0.0.1:${ports.sentinel}`],
  serverUrl: 'redis://master:6379',
});

async function open(): Promise<RedisClient> {
  const client = await openRedis(place(), { onError: () => undefined, answerMs: 2_000 });
  clients.push(client);
  return client;
}

test('commands and subscriptions follow the master to the server that the sentinels promote', async () => {
  const [redis, subscriber] = [await open(), await open()];
  const heard: string[] = [];
  let readies = 0;
  subscriber.on('ready', () => {
    readies += 1;
  });
  await subscriber.sSubscribe('shard', (message) => heard.push(message));
  await subscriber.subscribe('all', (message) => heard.push(message));
  await redis.set('key', 'kept');
  await waitFor(
    'the replica to have it',
    async () => (await askNode(`redis://127.0.0.1:${ports.replica}`, ['GET', 'key'])) === 'kept',
  );
  const doctor = async () => {
    const findings = await checkRedis({ redisPlace: place(), redis: {} });
    return findings.find(({ check }) => check === 'redis sentinels')?.found;
  };
  expect(await doctor()).toContain(String(ports.master));
  const keyspace = await redis.keyspace();
  expect(keyspace).toMatch(/^[0-9a-f]{40}$/);
  process.kill(master.pid, 'SIGKILL');
  await waitFor('a write at the new master', () => redis.set('key', 'again').catch(() => null));
  expect(await askNode(`redis://127.0.0.1:${ports.replica}`, ['GET', 'key'])).toBe('again');
  await waitFor('the loss to be reported', () => readies > 0);
  await redis.sPublish('shard', 'one');
  await redis.publish('all', 'two');
  await waitFor('both messages', () => heard.length === 2);
  expect(heard.sort()).toEqual(['one', 'two']);
  expect(await doctor()).toContain(String(ports.replica));
  // A walk through the keys starts over.
  expect(await redis.keyspace()).not.toBe(keyspace);
});
