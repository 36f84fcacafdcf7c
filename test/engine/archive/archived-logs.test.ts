import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EventBody, GenerationEvent } from '../../../contracts/events.ts';
import { textOf } from '../../../contracts/fold-events.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import { createObjectCodec } from '../../../engine/archive/archived-object.ts';
import { DueLogs } from '../../../engine/archive/due-logs.ts';
import type { LogArchive } from '../../../engine/archive/log-archive.ts';
import type { EventLog } from '../../../engine/streaming/event-log.ts';
import { LogPacker } from '../../../engine/streaming/log-packer.ts';
import type { ObjectStore } from '../../../platform/object-store/object-store.ts';
import { withMethods } from '../../../platform/with-methods.ts';
import { creationOf, END } from '../streaming/log-stand.ts';
import { ArchiveStand, KEYS_MS, RETENTION_MS } from './archive-stand.ts';

const FAILED: EventBody = {
  type: 'generation-error',
  error: { code: 'internal', message: 'It quotes the prompt.', doc: 'x' },
  attempts: 1,
  usage: NO_USAGE,
  costMicroUsd: 3,
};

let stand: ArchiveStand;
beforeAll(async () => {
  stand = await ArchiveStand.start();
});
afterAll(() => stand?.stop());

/** What cannot be read is left by other tests on purpose. */
const fail = (error: unknown) => expect(String(error)).toContain('The key "old"');

async function allOf(log: EventLog, generationId: string) {
  return {
    head: await log.head(generationId),
    view: await log.view(generationId),
    facts: await log.facts(generationId),
    input: await log.readInput(generationId),
    events: await log.read(generationId, -1),
    text: textOf(await log.readMerged(generationId)),
  };
}

async function readInPages(log: EventLog, generationId: string, after = -1): Promise<GenerationEvent[]> {
  const events: GenerationEvent[] = [];
  for (;;) {
    const page = await log.read(generationId, events.at(-1)?.seq ?? after, 2);
    if (page.length === 0) return events;
    events.push(...page);
  }
}

describe('an archived log', () => {
  test.each([
    ['that was packed', true, 30],
    ['that was not packed', false, 30],
    ['of thousands of events', true, 2_500],
  ])(
    '%s reads as it did in Redis, from every cursor, and nothing of it is left in Redis',
    async (_, isPacked, tokens) => {
      const generationId = await stand.endedLog({ origin: { format: 'x' } }, END, tokens);
      if (isPacked) expect(await new LogPacker(stand.redis, () => undefined).pack(generationId)).toBe(true);
      const { log, archiver, errors } = stand.process();
      const before = await allOf(log, generationId);
      expect(before.events).toHaveLength(tokens + 2);
      expect(await archiver.sweep()).toBe(1);
      expect(await stand.keysOf(generationId)).toEqual([]);
      expect(await allOf(stand.process().log, generationId)).toEqual(before);
      for (let after = -1; after <= tokens + 2; after += tokens > 100 ? 511 : 1) {
        const rest = before.events.slice(after + 1);
        expect(await log.read(generationId, after)).toEqual(rest);
        expect(await readInPages(log, generationId, after)).toEqual(rest);
      }
      expect([errors, await stand.countDue()]).toEqual([[], 0]);
    },
  );

  test('a reader that is between two pages when it moves misses nothing and gets nothing twice', async () => {
    const generationId = await stand.endedLog({}, END, 40);
    const { log, archiver } = stand.process();
    const all = await log.read(generationId, -1);
    for (let pages = 1; pages <= 3; pages += 1) {
      const first = await log.read(generationId, -1, pages);
      const moving = archiver.sweep();
      const rest = await readInPages(log, generationId, first.at(-1)?.seq);
      await moving;
      expect([...first, ...rest]).toEqual(all);
    }
  });

  test('refuses writers as any ended log does, and says which steps were done', async () => {
    const generationId = await stand.endedLog();
    const { log, archiver } = stand.process();
    await archiver.sweep();
    const opened = await log.open(generationId, 'newest');
    expect([opened.head.status, opened.events.at(-1)?.type]).toEqual(['completed', 'generation-end']);
    await expect(opened.writer.write(END)).rejects.toMatchObject({ reason: 'ended' });
    expect(await log.openFresh(generationId, 9, [END])).toBeNull();
    expect(await log.appendOnce(generationId, 'close', [END])).toBe('ended');
    await expect(log.appendOnce('gen_none', 'close', [END])).rejects.toMatchObject({ reason: 'missing' });
    await expect(log.open('gen_none', 1)).rejects.toMatchObject({ reason: 'missing' });
    await log.requestCancel(generationId);
    expect(await log.head(generationId)).toMatchObject({ status: 'completed', isCancelRequested: false });
  });

  test('whose key a client chose is joined by a repeated request, without a look into the archive', async () => {
    const generationId = await stand.endedLog({ isUnique: false });
    const { log, archiver } = stand.process();
    const { createdAt } = (await log.head(generationId)) ?? {};
    const events = await log.read(generationId, -1);
    await archiver.sweep();
    expect(await stand.keysOf(generationId)).toEqual([REDIS_KEYS.logMeta(generationId)]);
    const leftMs = await stand.redis.pTTL(REDIS_KEYS.logMeta(generationId));
    expect([leftMs > KEYS_MS / 2, leftMs <= KEYS_MS]).toEqual([true, true]);
    expect(await log.known(generationId)).toMatchObject({ status: 'completed', isArchived: true, createdAt });
    const repeated = { ...creationOf(generationId), isUnique: false };
    expect(await log.create(repeated)).toEqual({ created: false, createdAt, requestHash: 'hash-1' });
    expect(await log.readInput(generationId)).toEqual(repeated.input);
    expect(await log.read(generationId, -1)).toEqual(events);
    expect(await log.head(generationId)).toMatchObject({ isArchived: false, metadata: { topic: 'a' } });
    expect((await log.open(generationId, 3)).events).toEqual(events);
  });

  test('of a leader stays known to its followers for as long as one may come', async () => {
    const generationId = await stand.endedLog();
    const members = REDIS_KEYS.flightMembers(generationId);
    await stand.redis.hSet(members, 'member:gen_follower', '1');
    await stand.redis.pExpire(members, 50_000);
    await stand.process().archiver.sweep();
    const meta = REDIS_KEYS.logMeta(generationId);
    expect(await stand.redis.hmGet(meta, ['status', 'archived'])).toEqual(['completed', '1']);
    expect(await stand.redis.hExists(meta, 'opener')).toBe(1);
    expect(await stand.redis.pTTL(meta)).toBeLessThanOrEqual(50_000);
  });

  test('no longer counts among the inputs that its tenant keeps in Redis', async () => {
    const counted = { bytes: 700, untilHour: 5 };
    const generationId = await stand.endedLog({ counted });
    const endedAt = (await stand.process().log.head(generationId))?.endedAt ?? 0;
    await stand.process().archiver.sweep();
    expect(stand.dropped.at(-1)).toEqual({
      tenant: 'acme',
      bytes: 700,
      untilHour: Math.floor((endedAt + RETENTION_MS) / 3_600_000),
    });
  });

  test('with a large input keeps it apart from the answer', async () => {
    const input = {
      messages: [{ role: 'user' as const, content: 'x'.repeat(100_000) }],
      maxOutputTokens: 10,
    };
    const generationId = await stand.endedLog({ input });
    await stand.process().archiver.sweep();
    expect((await stand.objectKeys('inputs/')).filter((key) => key.endsWith(generationId))).toHaveLength(1);
    expect(await stand.process().log.readInput(generationId)).toEqual(input);
  });

  test('is encrypted where the installation encrypts, and a missing key is named', async () => {
    const key = (id: string) => ({ id, secret: Buffer.alloc(32, id) });
    const codec = createObjectCodec([key('new'), key('old')]);
    const before = createObjectCodec([key('old')]);
    const generationId = await stand.endedLog();
    await stand.process({ codec: before }).archiver.sweep();
    const [object = ''] = (await stand.objectKeys('logs/')).filter((name) => name.endsWith(generationId));
    const bytes = Buffer.from((await stand.store.get(object)) ?? []);
    expect(bytes.subarray(0, 22).toString()).toBe('unbroken-archive-1 old');
    expect(await stand.process({ codec }).log.read(generationId, -1)).toHaveLength(32);
    await expect(stand.process().log.read(generationId, -1)).rejects.toThrow('The key "old" is not in');
    await stand.process({ codec }).log.erase(generationId);
  });
});

test('an object store that does not answer is a 503 for the reader of an archived log, and nothing for others', async () => {
  const [archived, running] = [await stand.endedLog(), 'gen_runs_on'];
  const failing = withMethods(stand.store, {
    get: () => Promise.reject(new Error('the store is down')),
    put: () => Promise.reject(new Error('the store is down')),
  });
  const down = stand.process({ store: failing });
  await expect(down.archiver.sweep()).rejects.toThrow('the store is down');
  expect(await down.log.read(archived, -1)).toHaveLength(32);
  await stand.endClaims();
  await stand.process().archiver.sweep();
  await expect(down.log.head(archived)).rejects.toMatchObject({ code: 'service_unavailable' });
  await down.log.create(creationOf(running));
  expect(await down.log.head(running)).toMatchObject({ status: 'running' });
  expect(await down.log.known('gen_new')).toBeNull();
});

describe('what is due', () => {
  test('is left alone while it runs, and comes later; what is gone is forgotten', async () => {
    const { log, archiver } = stand.process();
    await log.create(creationOf('gen_running'));
    for (const id of ['gen_running', 'gen_gone']) await stand.due.add(id);
    expect(await archiver.sweep()).toBe(0);
    expect(await stand.countDue()).toBe(1);
    expect(await log.head('gen_running')).toMatchObject({ status: 'running' });
    await log.appendOnce('gen_running', 'close', [END]);
    await stand.endClaims();
    expect(await archiver.sweep()).toBe(1);
    expect(await log.head('gen_running')).toMatchObject({ status: 'completed' });
  });

  test('is shared by several workers, each log archived once', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => stand.endedLog()));
    const workers = [stand.process(), stand.process(), stand.process()];
    const counts = await Promise.all(workers.map(({ archiver }) => archiver.sweep()));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(ids.length);
    for (const id of ids) expect(await workers[0]?.log.read(id, -1)).toHaveLength(32);
  });
});

describe('a deletion', () => {
  test('of an archived log takes its texts and leaves its cost; a process that has just read it sees that at once', async () => {
    for (const [end, isUnique] of [
      [END, true],
      [FAILED, false],
    ] as const) {
      const generationId = await stand.endedLog({ isUnique }, end);
      const [process, other] = [stand.process(), stand.process()];
      await process.archiver.sweep();
      expect(await other.log.read(generationId, -1)).toHaveLength(32);
      expect(await process.log.erase(generationId)).toBe('now');
      for (const { log } of [process, other, stand.process()]) {
        expect(await log.read(generationId, -1)).toEqual([]);
        expect(await log.readInput(generationId)).toBeNull();
        const found = await log.view(generationId);
        expect(found?.head).toMatchObject({ erased: true, metadata: {}, origin: null, checkpoint: null });
        expect(found?.view?.costMicroUsd).toBe(end === END ? 0 : 3);
        expect(found?.view?.end?.type).toBe(end === END ? 'generation-end' : undefined);
      }
      expect(await textInArchive(generationId)).not.toContain('word1');
    }
  });

  test('of a log that is being archived wins, at whichever moment it comes', async () => {
    for (const moment of ['before it is written', 'after it was written'] as const) {
      const generationId = await stand.endedLog({ counted: { bytes: 1, untilHour: 1 } });
      const { log } = stand.process();
      let isErased = false;
      const store = withMethods(stand.store, {
        put: async (key: string, body: Uint8Array) => {
          const isLog = key.startsWith('logs/') && !isErased;
          if (isLog && moment === 'after it was written') await stand.store.put(key, body);
          if (isLog) {
            isErased = true;
            expect(await log.erase(generationId)).toBe('now');
          }
          await stand.store.put(key, body);
        },
      });
      const { archiver, errors } = stand.process({ store });
      expect(await archiver.sweep()).toBe(1);
      expect([isErased, errors]).toEqual([true, []]);
      expect(await textInArchive(generationId)).not.toContain('word1');
      expect((await stand.process().log.view(generationId))?.head).toMatchObject({ erased: true });
    }
  });

  test('waits for the cache: an archived answer that may be stored is withheld first', async () => {
    const generationId = await stand.endedLog();
    const { log, archiver } = stand.process();
    await archiver.sweep();
    expect(await log.withhold(await stand.endedLog())).toEqual({ mayBeStored: false });
    expect(await log.markStored(generationId)).toBe(true);
    expect(await log.withhold(generationId)).toEqual({ mayBeStored: true });
    expect(await stand.process().log.markStored(generationId)).toBe(false);
    expect(await log.read(generationId, -1)).toHaveLength(32);
  });
});

describe('the retention', () => {
  test('ends for readers on time, and its objects are deleted on the next day, index and all', async () => {
    const [kept, over] = [await stand.endedLog({ keptMs: 10 * RETENTION_MS * 24 }), await stand.endedLog()];
    const { log, archive, archiver } = stand.process();
    await stand.redis.pExpire(REDIS_KEYS.logMeta(over), 1_500);
    await archiver.sweep();
    const expiresAt = (await archive.find(over))?.stored.expiresAt ?? 0;
    expect(expiresAt - Date.now()).toBeLessThanOrEqual(1_500);
    const tomorrow = Date.now() + 24 * 3_600_000;
    while (Date.now() <= expiresAt) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await log.head(over)).toBeNull();
    expect(await log.read(over, -1)).toEqual([]);
    expect(await archive.deleteExpired(Date.now(), fail)).toBe(0);
    expect(await archive.deleteExpired(tomorrow, fail)).toBeGreaterThan(0);
    const left = await stand.objectKeys('logs/');
    expect([left.some((key) => key.endsWith(over)), left.some((key) => key.endsWith(kept))]).toEqual([
      false,
      true,
    ]);
    expect(await log.read(kept, -1)).toHaveLength(32);
    expect(await archive.deleteExpired(tomorrow, fail)).toBe(0);
  });

  test('that is shortened applies to an archived log, and an id that was used again is not deleted with the first', async () => {
    const generationId = await stand.endedLog({ keptMs: 100 * RETENTION_MS });
    const { log, archive, archiver } = stand.process();
    await archiver.sweep();
    await log.keepNoLonger(generationId);
    const expiresAt = (await archive.find(generationId))?.stored.expiresAt ?? 0;
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + RETENTION_MS);
    // The index of the first day still names it.
    await archive.index([
      { generationId, tenant: 'acme', user: 'ann', expiresAt: Date.now() - 48 * 3_600_000 },
    ]);
    expect(await archive.deleteExpired(Date.now(), fail)).toBe(0);
    expect(await log.read(generationId, -1)).toHaveLength(32);
  });
});

describe('the logs of a user', () => {
  const ofUser = (archive: LogArchive, tenant: string, user: string) =>
    archive.ofUser({ tenant, user }, null).then(({ ids }) => ids.toSorted());

  test('are found by the index, which does not name the user', async () => {
    const name = 'zoe-the-user';
    const ids = [await stand.endedLog({ user: name }), await stand.endedLog({ user: name })];
    await stand.endedLog({ user: 'another' });
    const { log, archive, archiver } = stand.process();
    await archiver.sweep();
    expect(await ofUser(archive, 'acme', name)).toEqual(ids.toSorted());
    expect(await ofUser(archive, 'other', name)).toEqual([]);
    const codec = createObjectCodec([]);
    const texts = await Promise.all(
      (await stand.objectKeys('expiry/')).map(async (key) => {
        const bytes = (await stand.store.get(key)) ?? new Uint8Array();
        return codec.read(bytes).catch(() => '');
      }),
    );
    expect(texts.join()).not.toContain(name);
    for (const id of ids) {
      await log.erase(id);
      await log.disown(id);
      expect(await archive.find(id, { isFresh: true })).toBeNull();
      expect(await log.head(id)).toBeNull();
    }
    const left = await Promise.all(
      (await stand.redis.keys('ub:log:*:meta')).map((key) => stand.redis.hGetAll(key)),
    );
    expect(JSON.stringify(left)).not.toContain(name);
  });

  test('are found by an index of older code, which names the user until then', async () => {
    const codec = createObjectCodec([]);
    const key = 'expiry/2099-01-01/older';
    const listed = JSON.stringify([{ generationId: 'gen_older', tenant: 'acme', user: 'yan-the-user' }]);
    await stand.store.put(key, await codec.write(listed));
    const { archive } = stand.process();
    expect(await ofUser(archive, 'acme', 'yan-the-user')).toEqual(['gen_older']);
    expect(await codec.read((await stand.store.get(key)) ?? new Uint8Array())).not.toContain('yan');
    expect(await ofUser(archive, 'acme', 'yan-the-user')).toEqual(['gen_older']);
    await stand.store.delete([key]);
  });

  test('that a worker is archiving are known as such, until its claim is over', async () => {
    const generationId = await stand.endedLog();
    expect(await stand.due.isClaimed(generationId)).toBe(false);
    await stand.due.postpone(generationId);
    expect(await stand.due.isClaimed(generationId)).toBe(false);
    for (const shard of DueLogs.shards) await stand.due.claim(shard, 64, 60_000);
    expect(await stand.due.isClaimed(generationId)).toBe(true);
    await stand.endClaims();
    expect(await stand.due.isClaimed(generationId)).toBe(false);
  });

  test('that were archived while they lost their owner do not get it back', async () => {
    const name = 'xan-the-user';
    const generationId = await stand.endedLog({ user: name, isUnique: false });
    const { log, archive } = stand.process();
    await log.erase(generationId);
    // The owner is deleted when the archive has the log, and Redis still does; logs of other tests are moved, too.
    const disowning: ObjectStore = withMethods(stand.store, {
      put: async (key, body, signal) => {
        await stand.store.put(key, body, signal);
        if (key.startsWith('logs/') && key.endsWith(generationId)) await log.disown(generationId);
      },
    });
    const { archiver, errors } = stand.process({ store: disowning });
    await archiver.sweep();
    expect(errors).toEqual([]);
    const archived = await archive.find(generationId, { isFresh: true });
    expect(JSON.stringify(archived?.stored ?? {})).not.toContain(name);
    expect(archived?.read(-1) ?? []).toEqual([]);
  });
});

async function textInArchive(generationId: string): Promise<string> {
  const codec = createObjectCodec([]);
  const keys = (await stand.objectKeys()).filter((key) => key.endsWith(generationId));
  expect(keys).toHaveLength(1);
  const found = await stand.process().archive.find(generationId, { isFresh: true });
  const bytes = await stand.store.get(keys[0] ?? '');
  const json = bytes === null ? '' : await codec.read(bytes);
  return `${json}${JSON.stringify(found?.read(-1))}`;
}
