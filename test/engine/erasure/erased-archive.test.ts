/** What an erasure does with archived logs, in a server of S3's protocol, with encryption and without. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ErasureStage } from '../../../contracts/erasure-stages.ts';
import { createObjectCodec, type ObjectCodec } from '../../../engine/archive/archived-object.ts';
import type { ErasureScope } from '../../../engine/erasure/erasures.ts';
import { RedisErasures } from '../../../engine/erasure/redis-erasures.ts';
import { StoredEraser } from '../../../engine/erasure/stored-eraser.ts';
import { createObjectStore } from '../../../platform/object-store/create-object-store.ts';
import type { ObjectStore } from '../../../platform/object-store/object-store.ts';
import { startS3Server } from '../../harness/s3-server.ts';
import { ArchiveStand } from '../archive/archive-stand.ts';

const LARGE = 20_000;
const keyNamed = (id: string) => ({ id, secret: randomBytes(32) });
const [OLD, NEW] = [keyNamed('2025'), keyNamed('2026')];
const PLAIN = createObjectCodec([]);
const ROTATED = createObjectCodec([NEW, OLD]);

let server: Awaited<ReturnType<typeof startS3Server>>;
let stand: ArchiveStand;
let store: ObjectStore;
let erasures: RedisErasures;
beforeAll(async () => {
  [server, stand] = await Promise.all([startS3Server(), ArchiveStand.start()]);
  Object.assign(process.env, server.credentials);
  const s3 = await createObjectStore({ s3: server.settings });
  if (s3 === null) throw new Error('The config names a store.');
  store = s3;
  erasures = new RedisErasures(stand.redis, { keptMs: 60_000 });
});
afterAll(async () => {
  store?.close();
  await stand?.stop();
  await server?.stop();
});

/** A part that the stages of the archive do not use. */
const unused = new Proxy({}, { get: (_, name) => fail(`${String(name)} was used`) }) as never;
function fail(message: string): never {
  throw new Error(message);
}

function eraserWith(codec: ObjectCodec): StoredEraser {
  const { log, archive } = stand.process({ store, codec });
  return new StoredEraser({
    redis: stand.redis,
    erasures,
    archive,
    log,
    isBeingArchived: (id) => stand.due.isClaimed(id),
    eraseGeneration: async (_tenant, id) => void (await log.erase(id)),
    runs: unused,
    answers: unused,
    complaints: unused,
    schedules: unused,
    deleteSchedule: unused,
    jobs: unused,
    batches: unused,
    batchObjects: unused,
    files: unused,
    conversations: unused,
    promptStats: unused,
    deliveries: unused,
  });
}

async function begin(user: string): Promise<ErasureScope> {
  const id = await erasures.open({ tenant: 'acme', user, jobId: null });
  return (await erasures.scope('acme', id)) ?? fail('it was lost');
}

async function run(eraser: StoredEraser, stage: ErasureStage, scope: ErasureScope) {
  const signal = AbortSignal.timeout(60_000);
  return eraser.run(stage, scope, { from: null, report: () => undefined, signal });
}

/** An ended log in the archive, whose words are those of its user. */
async function archived(codec: ObjectCodec, user: string, chars: number): Promise<string> {
  const content = `${user}${'.'.repeat(chars)}`;
  const input = { messages: [{ role: 'user' as const, content }], maxOutputTokens: 10 };
  const id = await stand.endedLog({ user, input, metadata: { of: user } });
  const { archiver, errors } = stand.process({ store, codec });
  await archiver.sweep();
  expect([errors, await stand.keysOf(id)]).toEqual([[], []]);
  return id;
}

/** All that the bucket has, decrypted where a key of these is known. */
async function textOf(codec: ObjectCodec): Promise<string> {
  const { objects } = await store.list('');
  const texts = objects.map(async ({ key }) => {
    const bytes = (await store.get(key)) ?? new Uint8Array();
    return `${key} ${await codec.read(bytes).catch(() => 'unreadable')}`;
  });
  return (await Promise.all(texts)).join('\n');
}

describe.each([
  ['without encryption', PLAIN],
  ['with encryption, and keys that were rotated', ROTATED],
])('the archive in S3, %s', (title, codec) => {
  test('has no word of an erased user, and all of another one', async () => {
    const [ann, bob] = [`ann-${title.length}`, `bob-${title.length}`];
    const before = codec === ROTATED ? createObjectCodec([OLD]) : codec;
    const ids = [await archived(before, ann, 10), await archived(before, ann, LARGE)];
    ids.push(await archived(codec, ann, LARGE));
    const others = [await archived(before, bob, LARGE), await archived(codec, bob, 10)];
    expect(await textOf(codec)).toContain(ann);

    const scope = await begin(ann);
    const eraser = eraserWith(codec);
    expect(await run(eraser, 'archive', scope)).toEqual({ found: 0, pending: 0 });
    expect([...(await erasures.found(scope).all('generations'))].sort()).toEqual(ids.sort());
    expect(await textOf(codec)).not.toContain(ann);
    const { archive, log } = stand.process({ store, codec });
    for (const id of ids) expect(await log.head(id)).toBeNull();
    for (const id of others) {
      expect((await archive.find(id, { isFresh: true }))?.head.user).toBe(bob);
      expect(JSON.stringify(await log.readInput(id))).toContain(bob);
    }
    // A second pass finds nothing more, and the receipt names nothing that is left.
    expect(await run(eraser, 'moved', scope)).toEqual({ found: 0, pending: 0 });
    expect(await erasures.left(scope, 'archive')).toEqual({ count: 0, untilMs: null });
  });
});

describe('a part of the archive whose key is lost', () => {
  test('is counted as what remains, and the rest is erased', async () => {
    const lost = await archived(createObjectCodec([OLD]), 'eve', 10);
    const kept = await archived(ROTATED, 'eve', 10);
    const scope = await begin('eve');
    await run(eraserWith(createObjectCodec([NEW])), 'archive', scope);
    expect(await erasures.found(scope).all('generations')).toEqual([kept]);
    expect((await erasures.left(scope, 'archive')).count).toBeGreaterThan(0);
    expect(
      (await stand.process({ store, codec: ROTATED }).archive.find(lost, { isFresh: true }))?.head.user,
    ).toBe('eve');
  });

  test('does not hold up the erasure if the index that lists it can be read', async () => {
    const [lost, kept] = [
      await archived(createObjectCodec([OLD]), 'zoe', 10),
      await archived(PLAIN, 'zoe', 10),
    ];
    // As an index of older code that was rewritten with a newer key.
    const { archive } = stand.process({ store, codec: createObjectCodec([NEW]) });
    await archive.index([
      { generationId: lost, tenant: 'acme', user: 'zoe', expiresAt: Date.now() + 60_000 },
      { generationId: kept, tenant: 'acme', user: 'zoe', expiresAt: Date.now() + 60_000 },
    ]);
    const scope = await begin('zoe');
    expect(await run(eraserWith(createObjectCodec([NEW])), 'archive', scope)).toEqual({
      found: 0,
      pending: 0,
    });
    expect(await erasures.found(scope).all('generations')).toEqual([kept]);
    expect((await erasures.left(scope, 'archive')).count).toBeGreaterThan(0);
  });
});
