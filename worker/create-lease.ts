/** This worker's lease, and the hand-over of runs whose worker has lost its own. */
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { ThreadedLease } from '../engine/leases/threaded-lease.ts';
import { createFailOver } from '../engine/leases/watch-leases.ts';
import type { Config } from '../platform/config/load-config.ts';
import type { RedisClient } from '../platform/redis/redis-client.ts';

interface Surroundings {
  /** The identity of this process at Temporal. */
  readonly process: string;
  readonly redis: RedisClient;
  readonly temporal: Client;
  readonly logger: Logger;
}

export function createLease(
  { redisPlace, limits, temporal: { taskQueue } }: Config,
  { process, redis, temporal, logger }: Surroundings,
): ThreadedLease {
  const failOver = createFailOver(taskQueue, { redis, temporal, logger }, (run) => lease.drop(run));
  const lease = new ThreadedLease({
    name: { taskQueue, process, silentMs: limits.workerSilentMs },
    redisPlace,
    redisAnswerMs: limits.redisAnswerMs,
    onTaken: (runs) => void failOver.take(runs),
    onError: (error) => logger.warn({ err: error }, 'the lease of this worker'),
  });
  return lease;
}
