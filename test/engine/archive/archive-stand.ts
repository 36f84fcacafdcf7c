/** Logs in a real Redis with an archive in a folder, as two processes see them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventBody } from '../../../contracts/events.ts';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import { createObjectCodec, type ObjectCodec } from '../../../engine/archive/archived-object.ts';
import { ArchivingEventLog } from '../../../engine/archive/archiving-event-log.ts';
import { DueLogs } from '../../../engine/archive/due-logs.ts';
import { LogArchive } from '../../../engine/archive/log-archive.ts';
import { LogArchiver } from '../../../engine/archive/log-archiver.ts';
import type { LogCreation } from '../../../engine/streaming/event-log.ts';
import { RedisEventLog } from '../../../engine/streaming/redis-event-log.ts';
import { FolderObjectStore } from '../../../platform/object-store/folder-object-store.ts';
import type { ObjectStore } from '../../../platform/object-store/object-store.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { creationOf, END } from '../streaming/log-stand.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';

export const RETENTION_MS = 3_600_000;
export const KEYS_MS = 60_000;
const SHARDS = 16;

/** One process: its own memory of what it has read. */
interface LogProcess {
  readonly log: ArchivingEventLog;
  readonly archive: LogArchive;
  readonly archiver: LogArchiver;
  readonly errors: unknown[];
}

export class ArchiveStand {
  readonly dropped: unknown[] = [];
  readonly #server: TestRedis;
  readonly #folder: string;
  readonly redis: RedisConnection;
  readonly store: ObjectStore;
  readonly due: DueLogs;
  #logs = 0;

  private constructor(
    server: TestRedis,
    parts: { readonly redis: RedisConnection; readonly store: ObjectStore; readonly folder: string },
  ) {
    const { redis, store, folder } = parts;
    this.#server = server;
    this.#folder = folder;
    this.redis = redis;
    this.store = store;
    this.due = new DueLogs(redis, 0);
  }

  static async start(): Promise<ArchiveStand> {
    const server = await startTestRedis();
    const folder = mkdtempSync(join(tmpdir(), 'unbroken-archive-'));
    const store = await FolderObjectStore.open(folder);
    return new ArchiveStand(server, { redis: await server.connect(), store, folder });
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** @param changed what of the process' surroundings is different. */
  process(
    changed: {
      readonly store?: ObjectStore;
      readonly redis?: RedisConnection;
      readonly codec?: ObjectCodec;
    } = {},
  ): LogProcess {
    const { store = this.store, redis = this.redis, codec = createObjectCodec([]) } = changed;
    const errors: unknown[] = [];
    const archive = new LogArchive(store, codec);
    const log = new ArchivingEventLog({
      redis,
      log: new RedisEventLog(redis, { retentionMs: RETENTION_MS }),
      archive,
      retentionMs: RETENTION_MS,
    });
    const archiver = new LogArchiver({
      redis,
      archive,
      due: new DueLogs(redis, 0),
      stored: {
        dropInput: async (tenant, counted) => {
          this.dropped.push({ tenant, ...counted });
        },
      },
      retentionMs: RETENTION_MS,
      keysMs: KEYS_MS,
      onError: (error) => errors.push(error),
    });
    return { log, archive, archiver, errors };
  }

  /** A log of `tokens` deltas that has ended and is due. */
  async endedLog(changes: Partial<LogCreation> = {}, end: EventBody = END, tokens = 30): Promise<string> {
    this.#logs += 1;
    const generationId = `gen_archived_${this.#logs}`;
    const { log } = this.process();
    await log.create({ ...creationOf(generationId), isUnique: true, ...changes });
    const { writer } = await log.open(generationId, 1);
    for (let token = 0; token < tokens; token += 1) {
      void writer.write({ type: 'text-delta', text: ` word${token}` });
      if (token % 3 === 0) await writer.flush();
    }
    await writer.write(end);
    await writer.flush();
    await this.due.add(generationId);
    return generationId;
  }

  /** As when the claim of a worker that has died is over. */
  async endClaims(): Promise<void> {
    for (let shard = 0; shard < SHARDS; shard += 1) {
      const key = REDIS_KEYS.archiveDue(shard);
      for (const value of await this.redis.zRange(key, 0, -1))
        await this.redis.zAdd(key, { score: 0, value });
    }
  }

  async countDue(): Promise<number> {
    let count = 0;
    for (let shard = 0; shard < SHARDS; shard += 1)
      count += await this.redis.zCard(REDIS_KEYS.archiveDue(shard));
    return count;
  }

  /** What of a log is in Redis. */
  async keysOf(generationId: string): Promise<string[]> {
    return (await this.redis.keys(`ub:log:{${generationId}}:*`)).sort();
  }

  async objectKeys(prefix = ''): Promise<string[]> {
    return (await this.store.list(prefix)).objects.map(({ key }) => key);
  }
}
