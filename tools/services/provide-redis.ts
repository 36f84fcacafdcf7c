/** Redis as a child process; or the check of the one that REDIS_URL names. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from 'redis';
import { splitUrls } from '../../platform/config/redis-schema.ts';
import { clearLeftover } from './pid-file.ts';
import { assertPortFree, LOOPBACK } from './ports.ts';
import { type Report, reasonOf, ServiceError } from './programs/service-error.js';
import { REDIS_DATABASES } from './redis-databases.ts';
import { type RunningProcess, runProcess, untilHealthy } from './run-process.ts';

export const REDIS_PORT = 6379;
const HEALTHY_MS = 60_000;
const CONNECT_MS = 5_000;

interface StartRedis {
  readonly executable: string;
  readonly dataDir: string;
  readonly port: number;
  readonly report: Report;
}

interface RunningRedis {
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
  // Each test suite takes its own database.
  args.push('--maxmemory-policy', 'noeviction', '--databases', String(REDIS_DATABASES));
  await clearLeftover(dataDir, 'redis', report);
  await assertPortFree('Redis', port, fix);
  const running = await runProcess({ name: 'redis', command: executable, args, dataDir, report });
  const url = `redis://${LOOPBACK}:${port}`;
  await untilHealthy('Redis', running, { deadlineMs: HEALTHY_MS, fix: fixForStart(folder) }, () => ping(url));
  return { url, process: running };
}

/** Throws ServiceError when the Redis of REDIS_URL does not answer; of a cluster, when none of the nodes named does. */
export async function checkRedis(urls: string): Promise<void> {
  try {
    await Promise.any(splitUrls(urls).map(ping));
  } catch (error) {
    const reasons = error instanceof AggregateError ? error.errors : [error];
    throw new ServiceError(
      `REDIS_URL is set, but no Redis answers there: ${reasons.map(reasonOf).join('; ')}.`,
      'Start that Redis, correct REDIS_URL, or unset it so that one is started for you.',
      { cause: error },
    );
  }
}

async function ping(url: string): Promise<boolean> {
  const client = createClient({ url, socket: { connectTimeout: CONNECT_MS, reconnectStrategy: false } });
  // The client reports a failed connection twice; without a listener, the event would end the process.
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
