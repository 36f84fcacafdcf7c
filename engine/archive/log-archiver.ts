/**
 * Moves ended logs from Redis to the archive. Any number of workers do so at the same time: each claims some of the
 * logs that are due, lists them in the index, writes each, and only then removes it from Redis. Every step can be
 * repeated. After a crash the claim ends, and another worker starts over.
 */
import { z } from 'zod';
import { LIMITS } from '../../contracts/limits.ts';
import { HOUR_MS } from '../../contracts/time.ts';
import { luaFields, runScript, type ScriptRedis } from '../../platform/redis/lua-script.ts';
import { keysOf } from '../streaming/log-keys.ts';
import { type PackRedis, readPacked } from '../streaming/log-packer.ts';
import type { StoredBytes } from '../streaming/stored-bytes.ts';
import { REMOVE } from './archive-scripts.ts';
import { DueLogs } from './due-logs.ts';
import type { LogArchive, LogToArchive } from './log-archive.ts';

const CLAIMED_AT_ONCE = 64;
const WRITTEN_AT_ONCE = 8;
/** A log changes after its end when it is erased, or stored for others: rarely, and hardly twice. */
const ATTEMPTS = 3;
/** What of an ended log may still change. */
const MARKS = ['erased', 'stored', 'withheld', 'keptMs', 'user'];

const removedSchema = z.tuple([z.enum(['removed', 'gone', 'changed'])]);

export interface ArchiverRedis extends ScriptRedis, PackRedis {
  get(key: string): Promise<string | null>;
  hGetAll(key: string): Promise<Record<string, string>>;
  pTTL(key: string): Promise<number>;
}

interface ArchiverOptions {
  readonly redis: ArchiverRedis;
  readonly archive: LogArchive;
  readonly due: DueLogs;
  readonly stored: Pick<StoredBytes, 'dropInput'>;
  /** How long an ended log is kept. */
  readonly retentionMs: number;
  /** How long Redis remembers a log whose id another request may name. */
  readonly keysMs: number;
  /** Receives why a log was not archived; it stays in Redis, and is tried again. */
  readonly onError: (error: unknown) => void;
}

/** A log as it was read from Redis. */
interface Snapshot {
  readonly log: LogToArchive;
  readonly tenant: string;
  readonly user: string;
}

export class LogArchiver {
  readonly #options: ArchiverOptions;

  constructor(options: ArchiverOptions) {
    this.#options = options;
  }

  /** Archives what is due now. @returns how many logs */
  async sweep(signal?: AbortSignal): Promise<number> {
    let archived = 0;
    for (const shard of DueLogs.shards) {
      for (;;) {
        if (signal?.aborted === true) return archived;
        const claimed = await this.#options.due.claim(shard, CLAIMED_AT_ONCE, LIMITS.archiveClaimMs);
        if (claimed.length === 0) break;
        archived += await this.#archiveClaimed(shard, claimed);
        if (claimed.length < CLAIMED_AT_ONCE) break;
      }
    }
    return archived;
  }

  async #archiveClaimed(shard: number, claimed: readonly string[]): Promise<number> {
    const { archive, due, onError } = this.#options;
    // Half of the claim: nothing of this process is written any more when another one has the log.
    const inTime = AbortSignal.timeout(LIMITS.archiveClaimMs / 2);
    let archived = 0;
    for (let first = 0; first < claimed.length; first += WRITTEN_AT_ONCE) {
      const some = claimed.slice(first, first + WRITTEN_AT_ONCE);
      const found = await Promise.all(some.map((id) => this.#read(id).catch(onError)));
      await archive.index(found.flatMap((log) => (isSnapshot(log) ? [indexed(log)] : [])));
      const left = await Promise.all(
        found.map((log) => (isSnapshot(log) ? this.#move(log, inTime).catch(onError) : log)),
      );
      // A log that failed stays claimed, and is tried again when the claim ends.
      await due.remove(
        shard,
        some.filter((_, index) => left[index] === 'gone'),
      );
      for (const [index, id] of some.entries()) if (left[index] === 'running') await due.postpone(id);
      archived += found.filter((log, index) => isSnapshot(log) && left[index] === 'gone').length;
    }
    return archived;
  }

  /** Writes a log to the archive and removes it here; again if it has changed meanwhile. */
  async #move(first: Snapshot, inTime: AbortSignal): Promise<'gone' | 'running'> {
    let snapshot: Snapshot | 'gone' | 'running' = first;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      if (!isSnapshot(snapshot)) return snapshot;
      inTime.throwIfAborted();
      await this.#options.archive.write(snapshot.log, inTime);
      const answer = await this.#remove(snapshot);
      if (answer === 'removed') await this.#dropStoredBytes(snapshot);
      if (answer !== 'changed') return 'gone';
      snapshot = await this.#read(first.log.generationId);
    }
    throw new Error(`The log ${first.log.generationId} changes all the time; it is not archived.`);
  }

  /** @returns `gone` if Redis does not have it, or not any more. */
  async #read(generationId: string): Promise<Snapshot | 'gone' | 'running'> {
    const { redis } = this.#options;
    const { meta, stream, input } = keysOf(generationId);
    const [fields, leftMs, inputJson] = await Promise.all([
      redis.hGetAll(meta),
      redis.pTTL(meta),
      redis.get(input),
    ]);
    const { status, next, tenant = '', user = '', archived, erased } = fields;
    if (next === undefined || archived !== undefined || leftMs <= 0) return 'gone';
    if (status === 'running') return 'running';
    const { entries, nextSeq } = await readPacked(redis, stream);
    if (erased === undefined && String(nextSeq) !== next) {
      throw new Error(`The log ${generationId} has ${nextSeq} of ${next} events; it is not archived.`);
    }
    const log: LogToArchive = {
      generationId,
      expiresAt: Date.now() + leftMs,
      fields,
      entries: entries.map(({ lastSeq, field, value }) => [lastSeq, field, value]),
      inputJson,
    };
    return { log, tenant, user };
  }

  async #remove({ log: { generationId, fields } }: Snapshot) {
    const { redis, keysMs } = this.#options;
    const { meta, stream, input, compressed, members } = keysOf(generationId);
    const { createdAt, next } = fields;
    const marks = Object.fromEntries(MARKS.map((name) => [name, fields[name] ?? '']));
    const ask = luaFields({ createdAt, next, keysMs, marks });
    const keys = [meta, stream, input, compressed, members];
    const [answer] = removedSchema.parse(await runScript(redis, REMOVE, keys, [ask]));
    return answer;
  }

  /** The input is no longer in Redis. A crash before this leaves it counted until its hour is over. */
  async #dropStoredBytes({ tenant, log: { fields, inputJson } }: Snapshot): Promise<void> {
    const { stored, retentionMs } = this.#options;
    const [bytes, endedAt] = [Number(fields['inputBytes'] ?? 0), Number(fields['endedAt'] ?? 0)];
    if (inputJson === null || bytes === 0) return;
    await stored.dropInput(tenant, { bytes, untilHour: Math.floor((endedAt + retentionMs) / HOUR_MS) });
  }
}

/** Others are why there is none. */
function isSnapshot(found: unknown): found is Snapshot {
  return typeof found === 'object';
}

function indexed({ log: { generationId, expiresAt }, tenant, user }: Snapshot) {
  return { generationId, tenant, user, expiresAt };
}
