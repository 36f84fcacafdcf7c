/** Finds the masters of the Redis that the config names: the one server, those of a cluster, or that of sentinels. */
import { createClient } from 'redis';
import type { RedisPlace } from '../../../platform/config/redis-schema.ts';
import { askSentinel } from '../../../platform/redis/sentinel-client.ts';
import { ANSWER_WITHIN_MS, error, type Finding, ok, shown, warning, wordsOf } from './finding.ts';

interface Masters {
  readonly urls: readonly string[];
  /** About the cluster, or the sentinels. */
  readonly findings: readonly Finding[];
}

export async function findMasters(place: RedisPlace): Promise<Masters> {
  if (place.kind === 'one') return { urls: [place.url], findings: [] };
  return place.kind === 'cluster' ? mastersOfCluster(place.urls) : masterOfSentinels(place);
}

const SLOTS = 16_384;

async function mastersOfCluster(urls: readonly string[]): Promise<Masters> {
  const check = 'redis cluster';
  try {
    // The first one that answers.
    const shards = await Promise.any(urls.map(shardsOf));
    const served = shards.reduce((sum, { from, to }) => sum + to - from + 1, 0);
    const masters = new Map(shards.map((shard) => [`${shard.master.host}:${shard.master.port}`, shard]));
    const alone = [...masters]
      .filter(([, { replicas }]) => replicas.length === 0)
      .map(([address]) => address);
    const found = `${masters.size} masters, ${served} of ${SLOTS} slots`;
    return {
      urls: [...masters.keys()].map((address) => withAddress(urls[0] ?? '', address)),
      findings: [clusterFinding(found, served, alone)],
    };
  } catch (problem) {
    const reasons =
      problem instanceof AggregateError ? problem.errors.map(wordsOf).join('; ') : wordsOf(problem);
    const fix =
      'Start the cluster, or correct REDIS_URL or redis.cluster. A single server needs a single URL.';
    return { urls: [], findings: [error(check, `${urls.map(shown).join(', ')}: ${reasons}`, fix)] };
  }
}

function clusterFinding(found: string, served: number, alone: readonly string[]): Finding {
  const check = 'redis cluster';
  if (served < SLOTS) {
    return error(check, found, 'Run: redis-cli --cluster fix HOST:PORT; until then some generations fail.');
  }
  if (alone.length === 0) return ok(check, found);
  return warning(check, `${found}; without a replica: ${alone.join(', ')}`, 'Give each master a replica.');
}

async function shardsOf(url: string) {
  const client = createClient({
    url,
    RESP: 2,
    socket: {
      connectTimeout: ANSWER_WITHIN_MS,
      socketTimeout: ANSWER_WITHIN_MS,
      reconnectStrategy: false,
    },
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await client.clusterSlots();
  } finally {
    client.destroy();
  }
}

async function masterOfSentinels(place: Extract<RedisPlace, { kind: 'sentinel' }>): Promise<Masters> {
  const check = 'redis sentinels';
  const answers = await Promise.allSettled(place.sentinels.map((url) => askSentinel(url, place.master)));
  const named = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  const found = `${named.length} of ${answers.length} answer`;
  const [master] = named;
  if (master === undefined) {
    const reasons = answers.flatMap((answer) =>
      answer.status === 'rejected' ? [wordsOf(answer.reason)] : [],
    );
    const fix = 'Start the sentinels, or correct redis.sentinel: its URLs, its master and its password.';
    return { urls: [], findings: [error(check, `${found}: ${reasons.join('; ')}`, fix)] };
  }
  const isAgreed = named.every((address) => address === master) && named.length === answers.length;
  return {
    urls: [withAddress(place.serverUrl, master)],
    findings: [
      isAgreed
        ? ok(check, `${found}, master ${master}`)
        : warning(
            check,
            `${found}, and name: ${named.join(', ')}`,
            'Start the others; a majority must agree.',
          ),
    ],
  };
}

function withAddress(template: string, address: string): string {
  const url = new URL(template);
  url.host = address;
  return url.href;
}
