/** Starts a separate Redis for one test file, and stops it with the file. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectRedis, type RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { findFreePort } from '../../../tools/services/ports.ts';
import { findRedisExecutable } from '../../../tools/services/programs/redis.js';
import { startRedis } from '../../../tools/services/provide-redis.ts';
import { PATIENT_MS } from '../../harness/patience.ts';

export interface TestRedis {
  readonly url: string;
  connect(): Promise<RedisConnection>;
  /** Kills it, lets `harm` do with the append-only file what a loss of power does, and starts it again. */
  crash(harm: (appendOnlyFile: string) => void): Promise<void>;
  stop(): Promise<void>;
}

export async function startTestRedis(): Promise<TestRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-streaming-'));
  const reports: unknown[] = [];
  const report = (line: unknown) => {
    reports.push(line);
  };
  const executable = await findRedisExecutable(report);
  const order = { executable, dataDir: folder, port: await findFreePort(), report };
  let server = await startRedis(order);
  const connections: RedisConnection[] = [];
  return {
    url: server.url,
    async connect() {
      const connection = await connectRedis(server.url, report, PATIENT_MS);
      connections.push(connection);
      return connection;
    },
    async crash(harm) {
      process.kill(server.process.pid, 'SIGKILL');
      await server.process.exited;
      const files = join(folder, 'redis', 'appendonlydir');
      const name = readdirSync(files).find((file) => file.endsWith('.incr.aof'));
      if (name === undefined) throw new Error('Redis has no append-only file');
      harm(join(files, name));
      server = await startRedis(order);
    },
    async stop() {
      for (const connection of connections) connection.destroy();
      await server.process.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
