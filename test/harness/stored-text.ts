/** Everything that Temporal, Redis, Qdrant and the object store hold, as text that can be searched. */
import { QdrantClient } from '@qdrant/js-client-rest';
import { createObjectCodec } from '../../engine/archive/archived-object.ts';
import { FolderObjectStore } from '../../platform/object-store/folder-object-store.ts';
import type { RedisConnection } from '../../platform/redis/redis-connection.ts';
import { temporalClient } from './streaming-worker.ts';

/** The histories and descriptions of these workflows, payloads as the text that their bytes are. */
export async function temporalText(
  env: Readonly<Record<string, string>>,
  workflowIds: readonly string[],
): Promise<string> {
  const { workflow } = await temporalClient(env);
  const found: string[] = [];
  for (const id of workflowIds) {
    const handle = workflow.getHandle(id);
    collect(await handle.fetchHistory(), found);
    collect((await handle.describe()).raw, found);
  }
  return found.join('\n');
}

/** The names of all keys, and their values where `wanted` says so. */
export async function redisText(
  redis: RedisConnection,
  wanted: (name: string) => boolean = () => true,
): Promise<string> {
  const found: string[] = [];
  for await (const names of redis.scanIterator({ COUNT: 1_000 })) {
    for (const name of names) {
      found.push(name);
      if (wanted(name)) found.push(await valueAt(redis, name));
    }
  }
  return found.join('\n');
}

/** The values of all keys, by their names. */
export async function redisValues(redis: RedisConnection): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>();
  for await (const names of redis.scanIterator({ COUNT: 1_000 })) {
    for (const name of names) values.set(name, await valueAt(redis, name));
  }
  return values;
}

/** The points of all collections, by collection and id, without their vectors. */
export async function qdrantPoints(
  env: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, string>> {
  const client = new QdrantClient({ url: env['QDRANT_URL'] ?? '', checkCompatibility: false });
  const found = new Map<string, string>();
  for (const { name } of (await client.getCollections()).collections) {
    for (let offset: string | number | undefined; ; ) {
      const page = await client.scroll(name, {
        limit: 1_000,
        with_payload: true,
        ...(offset === undefined ? {} : { offset }),
      });
      for (const { id, payload } of page.points) found.set(`${name}/${id}`, JSON.stringify(payload));
      if (typeof page.next_page_offset !== 'string' && typeof page.next_page_offset !== 'number') break;
      offset = page.next_page_offset;
    }
  }
  return found;
}

/** The objects of a folder by their keys: those of the archive unpacked, all others as their bytes. */
export async function storedObjects(folder: string): Promise<ReadonlyMap<string, string>> {
  const store = await FolderObjectStore.open(folder);
  const codec = createObjectCodec([]);
  const found = new Map<string, string>();
  for (let after: string | undefined; ; ) {
    const page = await store.list('', after === undefined ? {} : { after });
    for (const { key } of page.objects) {
      const bytes = (await store.get(key)) ?? new Uint8Array();
      found.set(key, await codec.read(bytes).catch(() => Buffer.from(bytes).toString('latin1')));
    }
    if (page.next === null) return found;
    after = page.next;
  }
}

async function valueAt(redis: RedisConnection, name: string): Promise<string> {
  const type = await redis.type(name);
  if (type === 'string') return (await redis.get(name)) ?? '';
  if (type === 'hash') return JSON.stringify(await redis.hGetAll(name));
  if (type === 'stream') return JSON.stringify(await redis.xRange(name, '-', '+'));
  if (type === 'zset') return JSON.stringify(await redis.zRange(name, 0, -1));
  if (type === 'set') return JSON.stringify(await redis.sMembers(name));
  if (type === 'list') return JSON.stringify(await redis.lRange(name, 0, -1));
  return '';
}

function collect(value: unknown, found: string[]): void {
  if (typeof value === 'string') found.push(value);
  else if (value instanceof Uint8Array) found.push(Buffer.from(value).toString('utf8'));
  else if (typeof value === 'object' && value !== null) {
    for (const [key, field] of Object.entries(value)) {
      found.push(key);
      collect(field, found);
    }
  }
}
