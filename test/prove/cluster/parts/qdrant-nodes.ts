/** Nodes of one Qdrant, whose collections have copies on several of them. */
import { join } from 'node:path';
import { z } from 'zod';
import { findQdrantExecutable } from '../../../../tools/services/programs/qdrant.js';
import type { Report } from '../../../../tools/services/programs/service-error.js';
import { startQdrant } from '../../../../tools/services/provide-qdrant.ts';
import type { RunningProcess } from '../../../../tools/services/run-process.ts';
import { fixedPort } from './fixed-port.ts';

const ANSWER_MS = 3_000;
const collectionsSchema = z.object({
  result: z.object({ collections: z.array(z.object({ name: z.string() })) }),
});
const shard = z.object({ state: z.string() });
const shardsSchema = z.object({
  result: z.object({ local_shards: z.array(shard), remote_shards: z.array(shard) }),
});

export interface QdrantNode {
  readonly url: string;
  /** Starts it, the first time and after each end, on the same data. */
  start(): Promise<RunningProcess>;
}

/** The first one begins the cluster, and the others join it; so it is to be started first. */
export async function prepareQdrantNodes(
  count: number,
  dataDir: string,
  report: Report,
): Promise<QdrantNode[]> {
  const executable = await findQdrantExecutable(report);
  const firstPeerPort = await fixedPort();
  return await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const [port, grpcPort] = [await fixedPort(), await fixedPort()];
      const peerPort = index === 0 ? firstPeerPort : await fixedPort();
      const cluster = { peerPort, grpcPort, ...(index === 0 ? {} : { joins: firstPeerPort }) };
      const plan = { executable, dataDir: join(dataDir, `qdrant-${index}`), port, report, cluster };
      return {
        url: `http://127.0.0.1:${port}`,
        start: async () => (await startQdrant(plan)).process,
      };
    }),
  );
}

/** Whether all nodes are ready, and every copy of every shard is up to date. */
export async function isQdrantWhole(nodes: readonly QdrantNode[]): Promise<boolean> {
  try {
    for (const { url } of nodes) {
      const ready = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(ANSWER_MS) });
      await ready.body?.cancel();
      if (!ready.ok) return false;
      const { collections } = collectionsSchema.parse(await read(`${url}/collections`)).result;
      for (const { name } of collections) {
        const { result } = shardsSchema.parse(await read(`${url}/collections/${name}/cluster`));
        const copies = [...result.local_shards, ...result.remote_shards];
        if (!copies.every(({ state }) => state === 'Active')) return false;
      }
    }
    return true;
  } catch {
    return false;
  }
}

async function read(url: string): Promise<unknown> {
  return await (await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) })).json();
}
