import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { createClient } from 'redis';
import { birthOf } from '../../../tools/services/pid-file.ts';
import { findFreePort, isPortFree, PortInUseError } from '../../../tools/services/ports.ts';
import { findRedisExecutable } from '../../../tools/services/programs/redis.js';
import { ServiceError } from '../../../tools/services/programs/service-error.js';
import { startRedis } from '../../../tools/services/provide-redis.ts';
import { provideServices } from '../../../tools/services/provide-services.ts';
import { logTail, runProcess } from '../../../tools/services/run-process.ts';
import { supervise } from '../../../tools/services/supervise.ts';

const folder = mkdtempSync(join(tmpdir(), 'unbroken-test-'));
const folderOf = (name: string) => join(folder, name);
const withoutServices = { ...process.env, TEMPORAL_ADDRESS: '', REDIS_URL: '', QDRANT_URL: '' };
const lines: string[] = [];
const report = (line: string) => {
  lines.push(line);
};

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const clientOf = (url: string) => createClient({ url });

async function withRedis<Result>(
  url: string,
  work: (client: ReturnType<typeof clientOf>) => Promise<Result>,
) {
  const client = clientOf(url);
  client.on('error', report);
  await client.connect();
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('services', () => {
  test('all three start on free ports, say where they are, and leave no process behind', async () => {
    const services = await provideServices({ dataDir: folderOf('all'), report, env: withoutServices });
    const pids = [services.temporal.pid, services.redis.pid, services.qdrant.pid];
    try {
      expect(Object.keys(services.env).sort()).toEqual([
        'QDRANT_URL',
        'REDIS_URL',
        'TEMPORAL_ADDRESS',
        'TEMPORAL_UI_URL',
      ]);
      for (const pid of pids) expect(birthOf(pid ?? 0)).toBeDefined();
      expect((await fetch(services.temporal.uiUrl)).status).toBe(200);
      expect((await fetch(`${services.qdrant.url}/collections`)).status).toBe(200);
    } finally {
      await services.stop();
    }
    for (const pid of pids) expect(birthOf(pid ?? 0)).toBeUndefined();
    expect(await isPortFree(Number(new URL(services.redis.url).port))).toBe(true);
  });

  test('a Redis that was killed has every write when it is started again', async () => {
    const executable = await findRedisExecutable(report);
    const order = { executable, dataDir: folderOf('redis-killed'), port: await findFreePort(), report };
    const first = await startRedis(order);
    for (let index = 0; index < 100; index++) {
      await withRedis(first.url, (client) => client.rPush('written', String(index)));
    }
    process.kill(first.process.pid, 'SIGKILL');
    expect(await first.process.exited).toBe('signal SIGKILL');
    const second = await startRedis(order);
    try {
      expect(await withRedis(second.url, (client) => client.lLen('written'))).toBe(100);
    } finally {
      await second.process.stop();
    }
  });

  test('a service that is kept alive comes back on the same port with its data', async () => {
    const executable = await findRedisExecutable(report);
    const order = { executable, dataDir: folderOf('redis-kept'), port: await findFreePort(), report };
    const first = await startRedis(order);
    const kept = supervise('redis', first.process, async () => (await startRedis(order)).process, report);
    try {
      await withRedis(first.url, (client) => client.set('key', 'value'));
      process.kill(first.process.pid, 'SIGKILL');
      await until(() => kept.pid !== first.process.pid);
      expect(await withRedis(first.url, (client) => client.get('key'))).toBe('value');
    } finally {
      await kept.stop();
    }
    expect(birthOf(kept.pid)).toBeUndefined();
  });

  test('a port in use gives an error that names the port and the fix', async () => {
    const stranger = createServer();
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const address = stranger.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const executable = await findRedisExecutable(report);
    const started = startRedis({ executable, dataDir: folderOf('in-use'), port, report });
    await expect(started).rejects.toThrow(PortInUseError);
    await expect(started).rejects.toThrow(new RegExp(`127.0.0.1:${port}.*\\n.*Fix: .*REDIS_URL`));
    await new Promise((resolve) => stranger.close(resolve));
  });

  test('a process that another living run owns is never ended', async () => {
    const dataDir = folderOf('owned');
    const sleeper = { name: 'sleeper', command: 'sleep', args: ['60'], dataDir, report };
    const first = await runProcess(sleeper);
    try {
      await expect(runProcess(sleeper)).rejects.toThrow(/already runs.*\n.*Fix: /);
      expect(birthOf(first.pid)).toBeDefined();
    } finally {
      await first.stop();
    }
  });

  test('a service that dies at its start shows the end of its log', async () => {
    const dataDir = folderOf('dies');
    const failed = await runProcess({
      name: 'fails',
      command: 'sh',
      args: ['-c', 'echo the disk is full >&2; exit 3'],
      dataDir,
      report,
    });
    expect(await failed.exited).toBe('exit code 3');
    expect(logTail(failed.logPath)).toContain('the disk is full');
  });

  test('a Redis that REDIS_URL names but that does not answer is an error, and nothing is left running', async () => {
    const env = { ...withoutServices, REDIS_URL: `redis://127.0.0.1:${await findFreePort()}` };
    const provided = provideServices({ dataDir: folderOf('no-redis'), report, env });
    await expect(provided).rejects.toThrow(ServiceError);
    await expect(provided).rejects.toThrow(/unset it/);
  });
});
