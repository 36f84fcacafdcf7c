/** Checks Redis: reachable, new enough, durable, evicts nothing, runs scripts, and its clock agrees with ours. */
import { createClient } from 'redis';
import { z } from 'zod';
import type { Config } from '../../../platform/config/load-config.ts';
import { ANSWER_WITHIN_MS, error, type Finding, isAtLeast, ok, shown, warning, wordsOf } from './finding.ts';

/** Sharded pub/sub, by which live events come. */
const LEAST_VERSION = '7.0';
/** Events are stamped by Redis' clock, attempts by Temporal's, deadlines by ours. */
const MOST_SKEW_MS = 1_000;
const MOST_MEMORY_SHARE = 0.8;
const timeSchema = z.array(z.coerce.string());

type Asking = ReturnType<typeof clientOf>;

function clientOf(url: string) {
  return createClient({
    url,
    RESP: 2,
    socket: { connectTimeout: ANSWER_WITHIN_MS, reconnectStrategy: false },
    commandOptions: { timeout: ANSWER_WITHIN_MS },
  });
}

export async function checkRedis({ redisUrl }: Pick<Config, 'redisUrl'>): Promise<Finding[]> {
  const redis = clientOf(redisUrl);
  // The rejection of the call says it as well.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const facts = factsOf(await redis.info());
    return [
      ok('redis', `answers at ${shown(redisUrl)}`),
      versionOf(facts),
      ...persistenceOf(facts, await fsyncOf(redis)),
      evictionOf(facts),
      memoryOf(facts),
      await scriptsOf(redis),
      await clockOf(redis),
    ];
  } catch (problem) {
    const fix = 'Start Redis, or set REDIS_URL to where it is (redis://user:password@host:6379).';
    return [error('redis', `${shown(redisUrl)}: ${wordsOf(problem)}`, fix)];
  } finally {
    if (redis.isOpen) redis.destroy();
  }
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

async function fsyncOf(redis: Asking): Promise<string | undefined> {
  try {
    return (await redis.configGet('appendfsync'))['appendfsync'];
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
