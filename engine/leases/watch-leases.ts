/** Hands on the runs of workers whose lease has expired: every worker does, and every API process. */
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { FailOver } from './fail-over.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { type LeaseName, type LeaseRedis, RedisLease } from './redis-lease.ts';
import type { LeasedRun } from './run-leases.ts';

interface WatchedRedis extends LeaseRedis {
  zScore(key: string, member: string): Promise<number | null>;
}

interface Surroundings {
  readonly redis: WatchedRedis;
  readonly temporal: Client;
  readonly logger: Pick<Logger, 'warn'>;
}

export function createFailOver(
  taskQueue: string,
  { redis, temporal, logger }: Surroundings,
  onDone: (run: LeasedRun) => void,
): FailOver {
  return new FailOver({
    temporal,
    isBack: async (process) => (await redis.zScore(REDIS_KEYS.leases(taskQueue), process)) !== null,
    onDone,
    report: (facts, text) => logger.warn(facts, text),
  });
}

/** For a process that works on no run: it keeps a lease for those that it takes over. */
export function watchLeases(name: LeaseName, surroundings: Surroundings): LeaseKeeper {
  const failOver = createFailOver(name.taskQueue, surroundings, (run) => keeper.drop(run));
  const keeper = new LeaseKeeper({
    lease: new RedisLease(surroundings.redis, name),
    silentMs: name.silentMs,
    onTaken: (runs) => void failOver.take(runs),
  });
  keeper.start();
  return keeper;
}
