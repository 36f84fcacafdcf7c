/** A Redis of its own for one test file, ended with it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../services/ports.ts';
import { findRedisExecutable, startRedis } from '../../services/provide-redis.ts';
import { connectRedis, type RedisConnection } from '../../streaming/redis-connection.ts';

export interface TestRedis {
  readonly url: string;
  connect(): Promise<RedisConnection>;
  stop(): Promise<void>;
}

export async function startTestRedis(): Promise<TestRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-streaming-'));
  const reports: unknown[] = [];
  const report = (line: unknown) => {
    reports.push(line);
  };
  const executable = await findRedisExecutable(report);
  const server = await startRedis({ executable, dataDir: folder, port: await findFreePort(), report });
  const connections: RedisConnection[] = [];
  return {
    url: server.url,
    async connect() {
      const connection = await connectRedis(server.url, report);
      connections.push(connection);
      return connection;
    },
    async stop() {
      for (const connection of connections) connection.destroy();
      await server.process.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
