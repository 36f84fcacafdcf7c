/**
 * `npm run prove -- cluster`: the whole product on clusters of its three services, on this machine. First the figures
 * next to those of one machine; then, under load, masters and nodes are killed, slots are moved, and another version
 * replaces the workers. The checks of the matrix judge what came of it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { askNode } from '../../../tools/services/ask-redis-node.ts';
import { startSharedServices } from '../../harness/shared-services.ts';
import { type Seat, startStack } from '../../harness/stack.ts';
import { load } from '../matrix/load.ts';
import { sharingOf, type Tenant } from '../matrix/plan.ts';
import { configOf, issueKeys, limitsFor } from '../matrix/settings.ts';
import { createTimeline, type Timeline } from '../matrix/timeline.ts';
import { judgeInPeace } from '../matrix/verdict.ts';
import { ClusterHarmer } from './cluster-harm.ts';
import { buildClusterStage, type ClusterStage } from './cluster-stage.ts';
import { type Figures, familyOf, measure } from './figures.ts';
import { rollWorkers } from './roll-workers.ts';

interface ClusterPlan {
  readonly minutes: number;
  readonly seed: number;
  /** Callers. */
  readonly atOnce: number;
  /** Without the figures, for who looks for faults alone. */
  readonly isMeasured: boolean;
}

/** When workers are replaced, as shares of the run, and by which version. */
const ROLLS = [
  { atShare: 0.2, from: null, to: 'release-1' },
  { atShare: 0.55, from: 'release-1', to: 'release-2' },
] as const;
const report = (line: string) => console.log(line);

/** @returns whether nothing went wrong. */
export async function proveCluster(plan: ClusterPlan): Promise<boolean> {
  const { minutes, seed, atOnce, isMeasured } = plan;
  console.log(`cluster: ${minutes} minutes, ${atOnce} callers at once, seed ${seed}`);
  const oneMachine = isMeasured ? await measureOneMachine() : null;
  const limits = limitsFor(minutes);
  const sharing = sharingOf(seed);
  const stage = await buildClusterStage(
    (provider) => ({ ...configOf(limits, provider, sharing), ...CLUSTER_SETTINGS }),
    report,
  );
  const stopAndLeave = (signal: NodeJS.Signals) => {
    void stage.stop().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  };
  process.once('SIGINT', stopAndLeave).once('SIGTERM', stopAndLeave);
  try {
    console.log(
      'cluster: Temporal 2, PostgreSQL 1, Redis 3 + 3, Qdrant 3, APIs 3, workers 3, HAProxy 1: all ready',
    );
    if (oneMachine !== null) printFigures(oneMachine, await measure(measuredCluster(stage)));
    const keys = await issueKeys(stage);
    const timeline = createTimeline();
    const { done, harmed } = await underHarm(stage, keys, plan, timeline);
    const { findings, counts } = await judgeInPeace(stage, done, harmed.ended, {
      seed,
      keys,
      limits,
      timeline,
    });
    const harms = Object.entries(harmed.counts).map(([kind, count]) => `${kind} ${count}`);
    console.log(
      `harm: ${harms.join(', ')}; ${harmed.failovers} failovers of Redis, ${ROLLS.length} rolls of workers`,
    );
    if (findings.length > 0)
      console.log(`repeat: npm run prove -- cluster --minutes ${minutes} --seed ${seed}`);
    console.log(`generations ${done.accepted.length} ${counts} seed ${seed}`);
    return findings.length === 0;
  } finally {
    process.off('SIGINT', stopAndLeave).off('SIGTERM', stopAndLeave);
    await stage.stop();
  }
}

/** What a node that is lost for good takes nothing with it. */
const CLUSTER_SETTINGS = {
  qdrant: { replicationFactor: 2, shardNumber: 3 },
  redis: { waitForReplicas: { count: 1, withinMs: 1_000 } },
};

async function underHarm(
  stage: ClusterStage,
  keys: Record<Tenant, string>,
  { minutes, seed, atOnce }: ClusterPlan,
  timeline: Timeline,
) {
  const over = new AbortController();
  const harmer = new ClusterHarmer(stage, timeline);
  const loading = load(stage, keys, { seed, atOnce, timeline }, over.signal);
  const harming = harmer.run(seed, over.signal);
  const untilShare = async (share: number) => {
    const leftMs = share * minutes * 60_000 - (Date.now() - timeline.beganAtMs);
    await sleep(Math.max(0, leftMs), null, { signal: over.signal });
  };
  const rolling = (async () => {
    for (const { atShare, from, to } of ROLLS) {
      await untilShare(atShare);
      await harmer.whileWorkersAreReplaced(() => rollWorkers(stage, { from, to }, timeline));
    }
    await untilShare(1);
  })();
  try {
    // A failure of one ends all.
    await Promise.race([rolling, rejectionOf(loading), rejectionOf(harming)]);
  } finally {
    over.abort();
    // Nothing is harmed or asked any more when the stage is taken down.
    await Promise.allSettled([loading, harming, rolling]);
  }
  return { done: await loading, harmed: await harming };
}

/** Never resolves. */
async function rejectionOf(work: Promise<unknown>): Promise<never> {
  await work;
  return await new Promise<never>(() => undefined);
}

async function measureOneMachine(): Promise<Figures> {
  const services = await startSharedServices();
  const stack = await startStack({ services: services.env }).catch(async (error: unknown) => {
    await services.stop();
    throw error;
  });
  const pidsOf = (seats: readonly Seat[]) => seats.map((seat) => seat.pid());
  const own = (pid: number | undefined) => (pid === undefined ? [] : [pid]);
  try {
    return await measure({
      url: stack.api.url,
      key: stack.api.key,
      temporalAddress: services.env['TEMPORAL_ADDRESS'] ?? '',
      pids: () => ({
        api: pidsOf(stack.apis),
        worker: pidsOf(stack.workers),
        temporal: own(services.pidOf.temporal),
        redis: own(services.pidOf.redis),
        qdrant: own(services.pidOf.qdrant),
      }),
      redisCommands: () => redisCommands([services.env['REDIS_URL'] ?? '']),
      transactions: null,
    });
  } finally {
    await stack.stop();
    await services.stop();
  }
}

function measuredCluster(stage: ClusterStage) {
  const { seats, postgres, front, redis, direct } = stage;
  const pidsOf = (kind: readonly Seat[]) => kind.map((seat) => seat.pid());
  return {
    url: stage.apis[0] ?? '',
    key: stage.devKey,
    temporalAddress: direct.TEMPORAL_ADDRESS,
    pids: () => ({
      api: pidsOf(seats.api),
      worker: pidsOf(seats.worker),
      temporal: pidsOf(seats.temporal),
      redis: pidsOf(seats.redis),
      qdrant: pidsOf(seats.qdrant),
      postgres: familyOf(postgres.pid()),
      front: [front.pid()],
    }),
    redisCommands: () => redisCommands(redis.nodes.map(({ url }) => url)),
    transactions: async () => Number(await stage.queryPostgres(TRANSACTIONS)),
  };
}

/** Commands that these have processed, those of replication included. */
async function redisCommands(urls: readonly string[]): Promise<number> {
  const stats = await Promise.all(urls.map(async (url) => String(await askNode(url, ['INFO', 'stats']))));
  return stats.reduce((sum, text) => sum + Number(/total_commands_processed:(\d+)/.exec(text)?.[1]), 0);
}

const TRANSACTIONS = 'select sum(xact_commit) from pg_stat_database';

function printFigures(oneMachine: Figures, cluster: Figures): void {
  console.log('\nFigures without harm; a generation has 60 tokens, one each 5 ms');
  const names = new Set([...Object.keys(oneMachine), ...Object.keys(cluster)]);
  console.table(
    Object.fromEntries(
      [...names].map((name) => [
        name,
        { 'one machine': oneMachine[name] ?? '-', cluster: cluster[name] ?? '-' },
      ]),
    ),
  );
}
