/** Checks a Qdrant cluster: its nodes agree, and every shard of the stored answers has as many copies as configured. */
import { z } from 'zod';
import { COLLECTION_PREFIX } from '../../../engine/cache/qdrant-answers.ts';
import type { Config } from '../../../platform/config/load-config.ts';
import { type Finding, ok, warning } from './finding.ts';

/** Source: Qdrant's REST API, /cluster and /collections/{name}/cluster. */
const clusterSchema = z.object({
  result: z.object({
    status: z.string(),
    peers: z.record(z.string(), z.unknown()).default({}),
    consensus_thread_status: z.object({ consensus_thread_status: z.string() }).optional(),
    message_send_failures: z.record(z.string(), z.unknown()).default({}),
  }),
});
const shardsSchema = z.object({
  result: z.object({
    shard_count: z.int(),
    local_shards: z.array(z.object({ shard_id: z.int(), state: z.string() })),
    remote_shards: z.array(z.object({ shard_id: z.int(), state: z.string() })),
  }),
});
const collectionsSchema = z.object({
  result: z.object({ collections: z.array(z.object({ name: z.string() })) }),
});

const FEW_NODES = 2;

/** Nothing where Qdrant is one node. @param ask reads a path of Qdrant, as JSON. */
export async function checkQdrantCluster(
  { replicationFactor = 1 }: Config['qdrant'],
  ask: (path: string) => Promise<unknown>,
): Promise<Finding[]> {
  const { result: cluster } = clusterSchema.parse(await ask('/cluster'));
  const nodes = Object.keys(cluster.peers).length;
  if (cluster.status !== 'enabled' || nodes < FEW_NODES) return [];
  const { collections } = collectionsSchema.parse(await ask('/collections')).result;
  const names = collections.map(({ name }) => name).filter((name) => name.startsWith(COLLECTION_PREFIX));
  const copies = await Promise.all(
    names.map(async (name) => {
      const { result } = shardsSchema.parse(await ask(`/collections/${encodeURIComponent(name)}/cluster`));
      return judgeCopies(name, [...result.local_shards, ...result.remote_shards], {
        replicationFactor,
        shards: result.shard_count,
      });
    }),
  );
  return [judgeNodes(nodes, cluster), ...copies.flat(), ...fewCopies(replicationFactor, nodes)];
}

function judgeNodes(nodes: number, cluster: z.infer<typeof clusterSchema>['result']): Finding {
  const check = 'qdrant cluster';
  const status = cluster.consensus_thread_status?.consensus_thread_status ?? 'working';
  const unreachable = Object.keys(cluster.message_send_failures).length;
  if (status !== 'working' || unreachable > 0) {
    const found = `${unreachable} of ${nodes} nodes do not answer the others; its consensus is ${status}`;
    return warning(check, found, 'Start the nodes that are down, and open their port for each other (6335).');
  }
  return ok(check, `${nodes} nodes`);
}

/** @param copies one for each node that has the shard. */
export function judgeCopies(
  name: string,
  copies: readonly { readonly shard_id: number; readonly state: string }[],
  wanted: { readonly replicationFactor: number; readonly shards: number },
): Finding[] {
  const check = 'qdrant copies';
  const stale = copies.filter(({ state }) => state !== 'Active');
  if (stale.length > 0) {
    const states = [...new Set(stale.map(({ state }) => state))].join(', ');
    const found = `${name}: ${stale.length} of ${copies.length} copies of shards are ${states}`;
    return [warning(check, found, 'Start the nodes that are down; Qdrant then copies what they lack.')];
  }
  const most = wanted.replicationFactor * wanted.shards;
  if (copies.length >= most)
    return [ok(check, `${name}: ${copies.length} copies of ${wanted.shards} shards`)];
  const found = `${name}: ${copies.length} copies of ${wanted.shards} shards, but the config asks for ${most}`;
  const fix = 'Delete the collection, which fills again, or copy its shards (Qdrant: replicate_shard).';
  return [warning(check, found, fix)];
}

function fewCopies(replicationFactor: number, nodes: number): Finding[] {
  if (replicationFactor >= FEW_NODES) return [];
  const found = `each stored answer is on one of ${nodes} nodes, and is lost with it`;
  return [warning('qdrant replication', found, 'Set qdrant.replicationFactor to 2 in the config.')];
}
