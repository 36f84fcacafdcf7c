/** A hosted Redis behind one name: after a failover the name leads to the new master, while the old one answers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openRedis } from '../../../platform/redis/open-redis.ts';
import type { RedisClient } from '../../../platform/redis/redis-client.ts';
import { askNode } from '../../../tools/services/ask-redis-node.ts';
import { findFreePort } from '../../../tools/services/ports.ts';
import { findRedisExecutable } from '../../../tools/services/programs/redis.js';
import { type RunningProcess, runProcess, untilHealthy } from '../../../tools/services/run-process.ts';
import { waitFor } from '../../harness/wait-for.ts';

const folder = mkdtempSync(join(tmpdir(), 'unbroken-demoted-'));
const running: RunningProcess[] = [];
const sockets = new Set<Socket>();
let ports: { first: number; second: number };
/** Where new connections to the name lead; those that are open stay where they are. */
let target = 0;
let name: Server;
let client: RedisClient;

async function start(server: string, port: number): Promise<void> {
  const report = () => undefined;
  const command = await findRedisExecutable(report);
  const args = ['--port', String(port), '--save', '', '--dir', folder, '--bind', '127.0.0.1'];
  const started = await runProcess({ name: server, command, args, dataDir: folder, report });
  running.push(started);
  const isHealthy = async () => (await askNode(`redis://127.0.0.1:${port}`, ['PING'])) === 'PONG';
  await untilHealthy(server, started, { deadlineMs: 60_000, fix: 'Read its log.' }, isHealthy);
}

beforeAll(async () => {
  ports = { first: await findFreePort(), second: await findFreePort() };
  target = ports.first;
  await start('first', ports.first);
  await start('second', ports.second);
  name = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy()).once('close', () => to.destroy());
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => name.listen(0, '127.0.0.1', resolve));
  const { port } = name.address() as AddressInfo;
  const place = { kind: 'one', url: `redis://127.0.0.1:${port}` } as const;
  client = await openRedis(place, { onError: () => undefined, answerMs: 20_000 });
});
afterAll(async () => {
  client?.destroy();
  for (const socket of sockets) socket.destroy();
  name?.close();
  await Promise.all(running.map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
});

test('a connection to a master that has become a replica is opened again, so it reaches the new one', async () => {
  await client.set('ub:test', 'before');
  const demotion = ['REPLICAOF', '127.0.0.1', String(ports.second)];
  await askNode(`redis://127.0.0.1:${ports.first}`, demotion);
  await expect(client.set('ub:test', 'refused')).rejects.toThrow('READONLY');
  target = ports.second;
  await waitFor('a write', async () => {
    const written = await client.set('ub:test', 'after').catch(() => null);
    return written === 'OK';
  });
  expect(await askNode(`redis://127.0.0.1:${ports.second}`, ['GET', 'ub:test'])).toBe('after');
});
