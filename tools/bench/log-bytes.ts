/** What a finished log takes: as it was appended, once it is packed, and once it is archived. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GenerationEvent } from '../../contracts/events.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { HOUR_MS } from '../../contracts/time.ts';
import { createObjectCodec } from '../../engine/archive/archived-object.ts';
import { DueLogs } from '../../engine/archive/due-logs.ts';
import { LogArchive } from '../../engine/archive/log-archive.ts';
import { LogArchiver } from '../../engine/archive/log-archiver.ts';
import { encodeEvents } from '../../engine/streaming/event-codec.ts';
import { LogPacker } from '../../engine/streaming/log-packer.ts';
import { RedisEventLog } from '../../engine/streaming/redis-event-log.ts';
import { FolderObjectStore } from '../../platform/object-store/folder-object-store.ts';
import type { RedisConnection } from '../../platform/redis/redis-connection.ts';
import { bytesOf } from './redis-use.ts';

const RETENTION_MS = HOUR_MS;

/** Means, of one log. */
export interface LogBytes {
  /** The text alone, as UTF-8. */
  readonly text: number;
  /** Its events in Redis, with an entry for each append. */
  readonly appended: number;
  /** The same, packed. */
  readonly packed: number;
  /** All that Redis holds of the generation: head, events and input. */
  readonly whole: number;
  /** The same, once it is archived. */
  readonly left: number;
  /** The object in the archive. */
  readonly object: number;
}

/** Packs the logs, if they are not yet, and archives them in a temporary folder. */
export async function measureLogBytes(redis: RedisConnection, ids: readonly string[]): Promise<LogBytes> {
  const fail = (error: unknown) => {
    throw error;
  };
  const packer = new LogPacker(redis, fail);
  const log = new RedisEventLog(redis, { retentionMs: RETENTION_MS });
  let [text, appended] = [0, 0];
  for (const id of ids) {
    await packer.pack(id);
    const events = await log.read(id, -1);
    text += events.reduce((sum, event) => sum + ('text' in event ? Buffer.byteLength(event.text) : 0), 0);
    appended += await bytesAsAppended(redis, id, events);
  }
  const packed = await bytesOf(redis, ids.map(REDIS_KEYS.logStream));
  const whole = await bytesOf(redis, keysOf(ids));
  const object = await archive(redis, ids);
  const left = await bytesOf(redis, keysOf(ids));
  const mean = (bytes: number) => bytes / ids.length;
  return {
    text: mean(text),
    appended: mean(appended),
    packed: mean(packed),
    whole: mean(whole),
    left: mean(left),
    object: mean(object),
  };
}

/** The events as they were appended, in a stream that is measured and dropped: one append has one time. */
async function bytesAsAppended(
  redis: RedisConnection,
  id: string,
  events: readonly GenerationEvent[],
): Promise<number> {
  const stream = `ub:bench:{${id}}:appended`;
  for (const batch of Map.groupBy(events, ({ at }) => at).values()) {
    const { at = 0, seq = 0 } = batch.at(-1) ?? {};
    const bodies = batch.map(({ seq: _, at: __, ...body }) => body);
    await redis.xAdd(stream, `1-${seq}`, { at: String(at), events: encodeEvents(bodies) });
  }
  const bytes = await bytesOf(redis, [stream]);
  await redis.del(stream);
  return bytes;
}

async function archive(redis: RedisConnection, ids: readonly string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-bench-'));
  try {
    const store = await FolderObjectStore.open(folder);
    const due = new DueLogs(redis, 0);
    const archiver = new LogArchiver({
      redis,
      archive: new LogArchive(store, createObjectCodec([])),
      due,
      stored: { dropInput: async () => undefined },
      retentionMs: RETENTION_MS,
      keysMs: 0,
      onError: (error) => {
        throw error;
      },
    });
    for (const id of ids) await due.add(id);
    await archiver.sweep();
    const { objects } = await store.list('logs/');
    return objects.reduce((sum, { bytes }) => sum + bytes, 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function keysOf(ids: readonly string[]): string[] {
  return ids.flatMap((id) => [REDIS_KEYS.logMeta(id), REDIS_KEYS.logStream(id), REDIS_KEYS.logInput(id)]);
}
