/** A real cluster for the tests of one file, and the product's connections to it. */
import { APPEND, APPEND_FRAME, OPEN_FRESH } from '../../../engine/streaming/log-scripts.ts';
import type { LogRedis } from '../../../engine/streaming/redis-event-log.ts';
import { placeOfUrls } from '../../../platform/config/redis-schema.ts';
import { openRedis } from '../../../platform/redis/open-redis.ts';
import type { RedisClient, ReplicaWait } from '../../../platform/redis/redis-client.ts';
import { askNode } from '../../../tools/services/ask-redis-node.ts';
import { type RedisCluster, startRedisCluster } from '../../../tools/services/redis-cluster.ts';
import type { StartedRedis } from '../../engine/streaming/log-stand.ts';
import { waitFor } from '../../harness/wait-for.ts';

export class ClusterStand {
  #cluster: RedisCluster | undefined;
  readonly #opened: RedisClient[] = [];

  get cluster(): RedisCluster {
    if (this.#cluster === undefined) throw new Error('the cluster has not started');
    return this.#cluster;
  }

  async start(plan: Parameters<typeof startRedisCluster>[0]): Promise<void> {
    this.#cluster = await startRedisCluster(plan);
  }

  async stop(): Promise<void> {
    for (const client of this.#opened) client.destroy();
    await this.#cluster?.stop();
  }

  async open(replicas?: ReplicaWait, answerMs = 5_000): Promise<RedisClient> {
    const place = placeOfUrls(this.cluster.url.split(','));
    const client = await openRedis(place, { onError: () => undefined, answerMs, replicas });
    this.#opened.push(client);
    return client;
  }

  /** For the suite of the event log. */
  async openForLog(): Promise<StartedRedis> {
    const redis: LogRedis = await this.open();
    const everywhere = (...command: string[]) =>
      Promise.all(this.cluster.nodes.map(({ url }) => askNode(url, ['SCRIPT', ...command])));
    const scriptFlush = async () => {
      await everywhere('FLUSH');
      // The suite counts calls, and takes for granted that an earlier one has loaded these.
      for (const { source } of [APPEND, APPEND_FRAME, OPEN_FRESH]) await everywhere('LOAD', source);
    };
    await scriptFlush();
    return { redis: Object.assign(Object.create(redis), { scriptFlush }), stop: async () => undefined };
  }

  /** Resolves when the replica of a log's master has all that the master has. */
  async untilReplicated(generationId: string): Promise<void> {
    const redis = await this.open({ count: 1, withinMs: 1_000 });
    await waitFor('the replica', () => redis.set(`ub:test:{${generationId}}`, '1').catch(() => null));
  }
}
