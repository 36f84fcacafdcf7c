/** What is harmed in a cluster, by seed alone: the same seed plans the same harm. */
import { createRandom, pick } from '../../harness/random.ts';

/** In this order, again and again, so that each has its share in a short run too. */
export const CLUSTER_HARMS = [
  'redis-master',
  'api',
  'temporal-node',
  'worker',
  'reshard',
  'qdrant-node',
  'postgres',
  'api',
  'worker',
] as const;
export type ClusterHarm = (typeof CLUSTER_HARMS)[number];

interface PlannedHarm {
  readonly kind: ClusterHarm;
  /** After the harm before it. */
  readonly afterMs: number;
  /** How long the process stays down. A Redis node is replaced by its replica after two seconds. */
  readonly downMs: number;
  /** Chooses among those of a kind. */
  readonly place: number;
}

export function planClusterHarm(seed: number, index: number): PlannedHarm {
  const random = createRandom(seed * 300_007 + index);
  const turn = Math.floor(index / CLUSTER_HARMS.length);
  // In every other turn, so that both a quick restart and a failover come up.
  const isLong = turn % 2 === 0;
  return {
    kind: CLUSTER_HARMS[index % CLUSTER_HARMS.length] ?? 'worker',
    afterMs: random.between(2_000, 5_000),
    downMs: isLong ? random.between(4_000, 8_000) : pick(random, [0, 200, 1_000]),
    place: random.between(0, 999),
  };
}
