/** Redis: REDIS_URL, else redis-server or valkey-server on PATH, else the system's package manager. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from 'redis';
import { clearLeftover } from './pid-file.ts';
import { assertPortFree, LOOPBACK } from './ports.ts';
import { type RunningProcess, runProcess, untilHealthy } from './run-process.ts';
import { type Environment, type Report, reasonOf, ServiceError } from './service-error.ts';
import { findOrInstall, type SystemPackage } from './system-package.ts';

/** Logical databases of a Redis that we start. */
export const REDIS_DATABASES = 1_024;
export const REDIS_PORT = 6379;
const HEALTHY_MS = 60_000;
const CONNECT_MS = 5_000;

export interface StartRedis {
  readonly executable: string;
  readonly dataDir: string;
  readonly port: number;
  readonly report: Report;
}

export interface RunningRedis {
  readonly url: string;
  readonly process: RunningProcess;
}

/**
 * Starts Redis on the data of `dataDir`. The append-only file keeps every write through a kill of the process: with
 * `no` the kernel has a write before it is answered, which `everysec` does not promise (docs/operations-redis.md).
 */
export async function startRedis({ executable, dataDir, port, report }: StartRedis): Promise<RunningRedis> {
  const fix = `End the process that uses it (see: ss -ltnp 'sport = :${port}'), or set REDIS_URL to use that Redis.`;
  const folder = join(dataDir, 'redis');
  mkdirSync(folder, { recursive: true });
  const args = ['--port', String(port), '--bind', LOOPBACK, '--protected-mode', 'yes', '--daemonize', 'no'];
  args.push('--dir', folder, '--save', '', '--appendonly', 'yes', '--appendfsync', 'no');
  // Suites of tests each take a database of their own.
  args.push('--maxmemory-policy', 'noeviction', '--databases', String(REDIS_DATABASES));
  await clearLeftover(dataDir, 'redis', report);
  await assertPortFree('Redis', port, fix);
  const running = await runProcess({ name: 'redis', command: executable, args, dataDir, report });
  const url = `redis://${LOOPBACK}:${port}`;
  await untilHealthy('Redis', running, { deadlineMs: HEALTHY_MS, fix: fixForStart(folder) }, () => ping(url));
  return { url, process: running };
}

/** Throws ServiceError when the Redis of REDIS_URL does not answer. */
export async function checkRedis(url: string): Promise<void> {
  try {
    await ping(url);
  } catch (error) {
    throw new ServiceError(
      `REDIS_URL is set, but no Redis answers there: ${reasonOf(error)}.`,
      'Start that Redis, correct REDIS_URL, or unset it so that one is started for you.',
      { cause: error },
    );
  }
}

const REDIS: SystemPackage = {
  name: 'Redis',
  programs: ['redis-server', 'valkey-server'],
  apt: 'redis-server',
  others: { brew: 'redis', dnf: 'redis', apk: 'redis' },
  instead: 'set REDIS_URL to a Redis 7 or later that you have',
};

/** The path of a Redis or Valkey server; installs one, said before, when the machine has none and we have the right. */
export function findRedisExecutable(report: Report, env: Environment = process.env): Promise<string> {
  return findOrInstall(REDIS, report, env);
}

async function ping(url: string): Promise<boolean> {
  const client = createClient({ url, socket: { connectTimeout: CONNECT_MS, reconnectStrategy: false } });
  // The client reports a failed connection by the promise as well; without a listener the event would end the process.
  let failure: unknown;
  client.on('error', (error: unknown) => {
    failure = error;
  });
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch (error) {
    throw failure ?? error;
  } finally {
    client.destroy();
  }
}

function fixForStart(folder: string): string {
  return `Read the log. If the append-only file is damaged: redis-check-aof --fix ${join(folder, 'appendonlydir')}/*.manifest`;
}
