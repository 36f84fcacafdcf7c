/** Checks Redis: reachable, new enough, durable, evicts nothing, runs scripts, and its clock agrees with ours. */
import { createClient } from 'redis';
import { z } from 'zod';
import type { Config } from '../../../platform/config/load-config.ts';
import { clusterTls } from '../../../platform/redis/cluster-tls.ts';
import { findMasters } from './find-redis-masters.ts';
import { ANSWER_WITHIN_MS, error, type Finding, isAtLeast, ok, shown, warning, wordsOf } from './finding.ts';

/** Sharded pub/sub, by which live events come. */
const LEAST_VERSION = '7.0';
/** Events are stamped by Redis' clock, attempts by Temporal's, deadlines by ours. */
const MOST_SKEW_MS = 1_000;
const MOST_MEMORY_SHARE = 0.8;
const timeSchema = z.array(z.coerce.string());

type Asking = ReturnType<typeof clientOf>;

/** @param tls of a node of a cluster. */
function clientOf(url: string, tls: ReturnType<typeof clusterTls>) {
  return createClient({
    url,
    RESP: 2,
    socket: { connectTimeout: ANSWER_WITHIN_MS, reconnectStrategy: false, ...tls },
    commandOptions: { timeout: ANSWER_WITHIN_MS },
  });
}

/** What a user of Redis needs, as docs/operations-redis.md says. */
const RIGHTS_FIX = 'Run: redis-cli ACL SETUSER <user> ~ub:* &ub:* +@all -@dangerous +info +role';

function isForbidden(problem: unknown): boolean {
  return problem instanceof Error && /^(?:NOPERM|NOAUTH)\b/.test(problem.message);
}

type CheckedConfig = Pick<Config, 'redisPlace' | 'redis'>;

/** Of several masters, each check reports the first one that has a problem. */
export async function checkRedis({ redisPlace, redis }: CheckedConfig): Promise<Finding[]> {
  const { urls, findings } = await findMasters(redisPlace);
  const byServer = await Promise.all(
    urls.map(async (url) => {
      const ofServer = await checkServer(url, redis.waitForReplicas, redisPlace);
      return urls.length === 1 ? ofServer : ofServer.map((finding) => namingServer(finding, url));
    }),
  );
  const checks = [...new Set(byServer.flat().map(({ check }) => check))];
  const worst = checks.flatMap((check) => {
    const all = byServer.flat().filter((finding) => finding.check === check);
    return (
      all.find(({ status }) => status === 'error') ??
      all.find(({ status }) => status !== 'ok') ??
      all[0] ??
      []
    );
  });
  return [...findings, ...worst];
}

function namingServer(finding: Finding, url: string): Finding {
  return finding.status === 'ok' ? finding : { ...finding, found: `${shown(url)}: ${finding.found}` };
}

async function checkServer(
  url: string,
  wait: CheckedConfig['redis']['waitForReplicas'],
  place: CheckedConfig['redisPlace'],
): Promise<Finding[]> {
  const { kind } = place;
  const redis = clientOf(url, kind === 'cluster' ? clusterTls(place.urls) : {});
  // The rejection of the call says it as well.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const facts = factsOf(await redis.info());
    return [
      ok('redis', `answers at ${shown(url)}`),
      versionOf(facts),
      ...membershipOf(facts, kind),
      ...persistenceOf(facts, await settingOf(redis, 'appendfsync')),
      ...replicasOf(facts, await settingOf(redis, 'min-replicas-to-write'), wait?.count),
      evictionOf(facts),
      memoryOf(facts),
      await scriptsOf(redis),
      await clockOf(redis),
      await channelsOf(redis, kind),
    ];
  } catch (problem) {
    const fix = isForbidden(problem)
      ? RIGHTS_FIX
      : 'Start Redis, or set REDIS_URL to where it is (redis://user:password@host:6379).';
    return [error('redis', `${shown(url)}: ${wordsOf(problem)}`, fix)];
  } finally {
    if (redis.isOpen) redis.destroy();
  }
}

/** A member of a cluster serves only its share of the keys. */
function membershipOf(facts: Facts, kind: CheckedConfig['redisPlace']['kind']): Finding[] {
  if (facts['cluster_enabled'] !== '1' || kind === 'cluster') return [];
  const fix = 'List several of its nodes in REDIS_URL, separated by commas, or name it under redis.cluster.';
  return [error('redis cluster', 'this server is a member of a cluster, and has only some of the keys', fix)];
}

/** What a failover may lose. Without replicas there is none. */
function replicasOf(facts: Facts, least: string | undefined, awaited: number | undefined): Finding[] {
  const check = 'redis replicas';
  const connected = Number(facts['connected_slaves'] ?? 0);
  if (awaited !== undefined && connected < awaited) {
    const fix = 'Add replicas, or lower redis.waitForReplicas.count: writes fail until then.';
    return [error(check, `${connected} connected, and writes wait for ${awaited}`, fix)];
  }
  if (connected === 0) return [];
  if (awaited === undefined && !(Number(least) > 0)) {
    const fix =
      'Set redis.waitForReplicas, or min-replicas-to-write in redis.conf (docs/operations-redis.md).';
    return [warning(check, `${connected} connected: a failover may lose the last writes`, fix)];
  }
  const how = awaited === undefined ? `min-replicas-to-write ${least}` : `writes wait for ${awaited}`;
  return [ok(check, `${connected} connected, ${how}`)];
}

type Facts = Readonly<Record<string, string>>;

function factsOf(info: string): Facts {
  return Object.fromEntries(
    info.split('\r\n').flatMap((line) => (line.includes(':') ? [splitAt(line)] : [])),
  );
}

function splitAt(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1)];
}

function versionOf(facts: Facts): Finding {
  // Valkey says which Redis it stands in for.
  const version = facts['redis_version'] ?? '0';
  return isAtLeast(version, LEAST_VERSION)
    ? ok('redis version', version)
    : error(
        'redis version',
        `${version}, which has no sharded pub/sub`,
        `Upgrade Redis to ${LEAST_VERSION} or later.`,
      );
}

async function settingOf(redis: Asking, name: string): Promise<string | undefined> {
  try {
    return (await redis.configGet(name))[name];
  } catch {
    return undefined;
  }
}

/** What may be lost of what was acknowledged; `always` has no such risk. */
const FSYNC_RISKS: Readonly<Record<string, string>> = {
  everysec: 'a kill of Redis or a power cut may lose 2 s',
  no: 'a power cut may lose what the system has not written yet',
};

function persistenceOf(facts: Facts, fsync: string | undefined): Finding[] {
  const check = 'redis persistence';
  if (facts['aof_enabled'] !== '1') {
    return [
      error(
        check,
        'no append-only file: a restart of Redis loses what readers have seen',
        'Run: redis-cli CONFIG SET appendonly yes; and set `appendonly yes` in redis.conf.',
      ),
    ];
  }
  if (facts['aof_last_write_status'] !== 'ok') {
    return [
      error(
        check,
        'the last write of the append-only file failed',
        'Free space on its disk, and look at its log.',
      ),
    ];
  }
  const risk = fsync === undefined ? undefined : FSYNC_RISKS[fsync];
  if (risk !== undefined) {
    const fix = 'Good for one developer; elsewhere set appendfsync always (docs/operations-redis.md).';
    return [warning(check, `append-only file, appendfsync ${fsync}: ${risk}`, fix)];
  }
  return [ok(check, `append-only file, appendfsync ${fsync ?? 'not shown by this server'}`)];
}

function evictionOf(facts: Facts): Finding {
  const policy = facts['maxmemory_policy'] ?? 'unknown';
  return policy === 'noeviction'
    ? ok('redis eviction', policy)
    : error(
        'redis eviction',
        `${policy}: when memory is short, logs and budgets disappear`,
        'Run: redis-cli CONFIG SET maxmemory-policy noeviction; and set it in redis.conf.',
      );
}

function memoryOf(facts: Facts): Finding {
  const used = Number(facts['used_memory'] ?? 0);
  const most = Number(facts['maxmemory'] ?? 0) || Number(facts['total_system_memory'] ?? 0);
  const found = `${megabytes(used)} of ${megabytes(most)}`;
  return most > 0 && used > most * MOST_MEMORY_SHARE
    ? warning('redis memory', found, 'Give it more memory, or lower retention.logMs of the config.')
    : ok('redis memory', found);
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MB`;
}

async function scriptsOf(redis: Asking): Promise<Finding> {
  try {
    await redis.eval('return redis.call("TIME")', { keys: [], arguments: [] });
    return ok('redis scripts', 'EVAL works');
  } catch (problem) {
    return error(
      'redis scripts',
      wordsOf(problem),
      'Allow EVAL and EVALSHA to this user: ACL SETUSER <user> +@scripting.',
    );
  }
}

/** A user of Redis 7 that was created without a word about channels may use none. */
async function channelsOf(redis: Asking, kind: CheckedConfig['redisPlace']['kind']): Promise<Finding> {
  const check = 'redis channels';
  const channel = 'ub:doctor';
  try {
    await redis.subscribe(channel, () => undefined);
    await redis.unsubscribe(channel);
    // In a cluster, another master may have this one.
    if (kind !== 'cluster') {
      await redis.sSubscribe(channel, () => undefined);
      await redis.sUnsubscribe(channel);
    }
    return ok(check, 'messages may be sent and received');
  } catch (problem) {
    return error(check, wordsOf(problem), RIGHTS_FIX);
  }
}

async function clockOf(redis: Asking): Promise<Finding> {
  const askedAt = Date.now();
  const [seconds = '0', micros = '0'] = timeSchema.parse(await redis.sendCommand(['TIME']));
  const answeredAt = Date.now();
  const theirs = Number(seconds) * 1_000 + Number(micros) / 1_000;
  // The true difference lies within the time of the question.
  const skewMs = Math.max(0, theirs - answeredAt, askedAt - theirs);
  return skewMs > MOST_SKEW_MS
    ? warning(
        'clocks',
        `Redis and this machine differ by ${Math.round(skewMs)} ms`,
        'Synchronise both clocks by NTP.',
      )
    : ok('clocks', `Redis and this machine differ by less than ${Math.max(1, Math.ceil(skewMs))} ms`);
}
