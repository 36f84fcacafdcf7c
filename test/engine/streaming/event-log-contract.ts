/**
 * What every event log must do. The same tests run on Redis and on the memory that replaces it in the simulation of the
 * core. The simulation proves something only because both pass them.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EventBody } from '../../../contracts/events.ts';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import { RedisEventLog } from '../../../engine/streaming/redis-event-log.ts';
import { testFrames } from './frames-contract.ts';
import { testFacts } from './log-facts-contract.ts';
import { creationOf, END, LogStand, RETENTION_MS, type StartedRedis } from './log-stand.ts';
import { losingReplies } from './losing-replies.ts';
import { testOwnAppends } from './own-appends-contract.ts';
import { testPacking } from './packing-contract.ts';

const START: EventBody = {
  type: 'provider-start',
  provider: 'sim',
  model: 'm',
  attempt: 1,
  strategy: 'start',
};

const delta = (text: string): EventBody => ({ type: 'text-delta', text });

export function testEventLog(name: string, startRedis: () => Promise<StartedRedis>): void {
  describe(`the event log in ${name}`, () => {
    const stand = new LogStand(startRedis);
    beforeAll(() => stand.start());
    afterAll(() => stand.stop());
    testCreation(stand);
    testReads(stand);
    testFencing(stand);
    testSteps(stand);
    testWriter(stand);
    testLostReplies(stand);
    testOwnAppends(stand);
    testFrames(stand);
    testCancelAndErasure(stand);
    testFacts(stand);
    testPacking(stand);
  });
}

function testCreation(stand: LogStand): void {
  test('a log begins with its first event, its input and its facts', async () => {
    const generationId = await stand.newLog();
    expect(await stand.log.read(generationId, -1)).toMatchObject([
      { seq: 0, type: 'generation-start', generationId, route: 'default', user: 'ann' },
    ]);
    expect(await stand.log.readInput(generationId)).toEqual(creationOf(generationId).input);
    expect(await stand.log.head(generationId)).toMatchObject({
      status: 'running',
      nextSeq: 1,
      endedAt: null,
      checkpoint: null,
      torn: null,
      tenant: 'acme',
      user: 'ann',
      metadata: { topic: 'a' },
    });
  });

  test('a log created twice is written once and returns the hash of the first request', async () => {
    const generationId = await stand.newLog();
    expect(await stand.log.create(creationOf(generationId, 'hash-2'))).toEqual({
      createdAt: (await stand.log.head(generationId))?.createdAt,
      created: false,
      requestHash: 'hash-1',
    });
    expect(await stand.log.read(generationId, -1)).toHaveLength(1);
  });

  test('a log that does not exist is refused as missing, and reads as empty', async () => {
    await expect(stand.log.open('gen_none', 1)).rejects.toMatchObject({
      name: 'LogRefused',
      reason: 'missing',
    });
    expect(await stand.log.head('gen_none')).toBeNull();
    expect(await stand.log.readInput('gen_none')).toBeNull();
    expect(await stand.log.read('gen_none', -1)).toEqual([]);
  });
}

function testCancelAndErasure(stand: LogStand): void {
  test('a writer learns of a cancel request by its next append, and an ended log keeps no request', async () => {
    const generationId = await stand.newLog();
    let requests = 0;
    const { writer } = await stand.log.open(generationId, 1, () => {
      requests += 1;
    });
    await writer.write(delta('a'));
    await writer.flush();
    expect(requests).toBe(0);
    await stand.log.requestCancel(generationId);
    expect(await stand.log.openFresh(generationId, 2, [START])).toBeNull();
    await writer.write(delta('b'));
    await writer.flush();
    expect(requests).toBe(1);
    await stand.log.appendOnce(generationId, 'close', [END]);
    for (const text of ['c', 'd']) void writer.write(delta(text));
    await expect(writer.flush()).rejects.toMatchObject({ reason: 'ended' });
    await stand.log.requestCancel(generationId);
    expect((await stand.log.head(generationId))?.status).toBe('completed');
  });

  test('a writer that opens a log learns at once of a cancel request, and not of one after the end', async () => {
    const generationId = await stand.newLog();
    const requests: string[] = [];
    await stand.log.open(generationId, 1, () => requests.push('before'));
    await stand.log.requestCancel(generationId);
    const { head } = await stand.log.open(generationId, 2, () => requests.push('while it runs'));
    expect(requests).toEqual(['while it runs']);
    expect(head.isCancelRequested).toBe(true);
    await stand.log.appendOnce(generationId, 'close', [END]);
    await stand.log.requestCancel(generationId);
    await stand.log.open(generationId, 'newest', () => requests.push('ended'));
    expect(requests).toEqual(['while it runs']);
  });

  test('an erased log gives neither its texts nor its input, and its id stays taken', async () => {
    const generationId = await stand.newLog();
    await stand.writeBatches(generationId, [[delta('secret')], [END]]);
    expect(await stand.log.erase(generationId)).toBe('now');
    expect(await stand.log.read(generationId, -1)).toEqual([]);
    expect(await stand.log.readInput(generationId)).toBeNull();
    expect(await stand.log.head(generationId)).toMatchObject({
      erased: true,
      metadata: {},
      status: 'completed',
    });
    expect((await stand.log.create(creationOf(generationId))).created).toBe(false);
  });
}

function testLostReplies(stand: LogStand): void {
  test('an opener recognises its own opening after a lost reply, instead of taking it for a paid attempt', async () => {
    const generationId = await stand.newLog();
    const lossy = losingReplies(stand.redis, [1]);
    // Redis knows the script.
    await stand.log.openFresh(await stand.newLog(), 1, [START]);
    const through = new RedisEventLog(lossy.redis, { retentionMs: RETENTION_MS });
    const writer = await through.openFresh(generationId, 1, [START]);
    expect(writer?.nextSeq).toBe(2);
    expect(lossy.sent()).toBe(2);
    expect(await stand.log.read(generationId, 0)).toHaveLength(1);
  });

  test('an append whose reply was lost is written once', async () => {
    const generationId = await stand.newLog();
    // The log knows its scripts, so the reply that is lost is that of the append.
    await stand.writeBatches(await stand.newLog(), [[delta('x')]]);
    const lossy = losingReplies(stand.redis, [2, 3]);
    const through = new RedisEventLog(lossy.redis, { retentionMs: RETENTION_MS });
    const { writer } = await through.open(generationId, 1);
    for (const text of ['a', 'b', 'c']) void writer.write(delta(text), { covers: text });
    await writer.flush();
    expect(lossy.sent()).toBeGreaterThan(3);
    expect((await stand.log.read(generationId, 0)).map((event) => 'text' in event && event.text)).toEqual([
      'a',
      'b',
      'c',
    ]);
    expect((await stand.log.head(generationId))?.checkpoint).toEqual({ covers: 'c' });
  });
}

function testReads(stand: LogStand): void {
  test('a log read in small pages gives every event once', async () => {
    const generationId = await stand.newLog();
    await stand.writeBatches(generationId, [
      ['a', 'b', 'c'].map(delta),
      ['d', 'e'].map(delta),
      ['f', 'g', 'h'].map(delta),
    ]);
    const seqs: number[] = [];
    for (;;) {
      const page = await stand.log.read(generationId, seqs.at(-1) ?? -1, 1);
      if (page.length === 0) break;
      seqs.push(...page.map((event) => event.seq));
    }
    expect(seqs).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('seq has no gap over batches, and events keep their order', async () => {
    const generationId = await stand.newLog();
    const texts = ['a', 'b', 'c', 'd', 'e', 'f'].map(delta);
    await stand.writeBatches(generationId, [texts.slice(0, 1), texts.slice(1, 4), texts.slice(4)]);
    const events = await stand.log.read(generationId, -1);
    expect(events.map((event) => event.seq)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(events.slice(1)).toMatchObject(texts);
  });

  test('a read from any cursor gives exactly the rest, also from inside a batch', async () => {
    const generationId = await stand.newLog();
    const texts = Array.from({ length: 12 }, (_, index) => delta(String(index)));
    await stand.writeBatches(generationId, [texts.slice(0, 5), texts.slice(5, 11), texts.slice(11)]);
    const all = await stand.log.read(generationId, -1);
    expect(await stand.entriesOf(generationId)).toBeLessThan(all.length);
    for (let cursor = -1; cursor <= all.length; cursor += 1) {
      expect(await stand.log.read(generationId, cursor)).toEqual(all.filter((event) => event.seq > cursor));
    }
  });
}

function testFencing(stand: LogStand): void {
  test('a zombie may not write after a newer epoch has opened the log', async () => {
    const generationId = await stand.newLog();
    const zombie = await stand.log.open(generationId, 1);
    await zombie.writer.write(delta('old'));
    await zombie.writer.flush();
    const successor = await stand.log.open(generationId, 2);
    expect(successor.events).toMatchObject([{ seq: 0 }, { seq: 1, text: 'old' }]);
    await zombie.writer.write(delta('late'));
    await expect(zombie.writer.flush()).rejects.toMatchObject({ name: 'LogRefused', reason: 'fenced' });
    await expect(zombie.writer.write(delta('later'))).rejects.toMatchObject({ reason: 'fenced' });
    await expect(stand.log.open(generationId, 1)).rejects.toMatchObject({ reason: 'fenced' });
    await successor.writer.write(delta('new'));
    await successor.writer.flush();
    expect((await stand.log.read(generationId, 0)).map((event) => 'text' in event && event.text)).toEqual([
      'old',
      'new',
    ]);
  });

  test('a step after the last attempt fences it off, regardless of its epoch, and reads everything that it wrote', async () => {
    const generationId = await stand.newLog();
    const attempt = await stand.log.open(generationId, Date.now() - 1_000);
    await attempt.writer.write(delta('a'));
    await attempt.writer.flush();
    const closing = await stand.log.open(generationId, 'newest');
    // It was scheduled before the step, and opens the log after it.
    await expect(stand.log.open(generationId, Date.now())).rejects.toMatchObject({ reason: 'fenced' });
    expect(closing.events).toMatchObject([{ seq: 0 }, { seq: 1, text: 'a' }]);
    await attempt.writer.write(delta('late'));
    await expect(attempt.writer.flush()).rejects.toMatchObject({ reason: 'fenced' });
    await closing.writer.write(END);
    await closing.writer.flush();
    await expect(stand.log.open('gen_none', 'newest')).rejects.toMatchObject({ reason: 'missing' });
  });

  test('an ended log keeps the epoch of its end, and later openers can read it', async () => {
    const generationId = await stand.newLog();
    const { writer } = await stand.log.open(generationId, 7);
    await writer.write(END);
    await writer.flush();
    for (const epoch of [6, 8, 'newest'] as const) {
      expect((await stand.log.open(generationId, epoch)).events.at(-1)?.type).toBe('generation-end');
    }
    expect((await stand.redis.hGetAll(REDIS_KEYS.logMeta(generationId)))['epoch']).toBe('7');
  });

  test('a takeover by a script that Redis does not know yet misses no append of the previous writer', async () => {
    const generationId = await stand.newLog();
    const before = await stand.log.open(generationId, 1);
    await stand.redis.scriptFlush();
    // Only the script of an append is known again.
    await stand.log.appendOnce(await stand.newLog(), 'step', [delta('x')]);
    const taking = stand.log.open(generationId, 2);
    await before.writer
      .write(delta('a'))
      .then(() => before.writer.flush())
      .catch(() => 'fenced');
    const { head, events, writer } = await taking;
    await writer.write(START).then(() => writer.flush());
    const stored = await stand.log.read(generationId, -1);
    expect(events).toEqual(stored.slice(0, -1));
    expect(head.nextSeq).toBe(stored.length - 1);
    expect(stored.at(-1)?.type).toBe('provider-start');
  });
}

function testSteps(stand: LogStand): void {
  test('nothing is appended after the terminal event', async () => {
    const generationId = await stand.newLog();
    const { writer } = await stand.log.open(generationId, 1);
    await writer.write(END);
    await writer.flush();
    await writer.write(delta('after'));
    await expect(writer.flush()).rejects.toMatchObject({ name: 'LogRefused', reason: 'ended' });
    expect(await stand.log.appendOnce(generationId, 'close', [END])).toBe('ended');
    expect((await stand.log.read(generationId, -1)).map((event) => event.type)).toEqual([
      'generation-start',
      'generation-end',
    ]);
    const head = await stand.log.head(generationId);
    expect(head?.status).toBe('completed');
    expect(head?.endedAt).not.toBeNull();
  });

  test('a step appended twice is written once', async () => {
    const generationId = await stand.newLog();
    expect(await stand.log.appendOnce(generationId, 'step', [delta('a'), delta('b')])).toBe('appended');
    expect(await stand.log.appendOnce(generationId, 'step', [delta('a'), delta('b')])).toBe(
      'already-appended',
    );
    expect(await stand.log.read(generationId, 0)).toMatchObject([
      { seq: 1, text: 'a' },
      { seq: 2, text: 'b' },
    ]);
  });

  test('a terminal step that is sent again after its reply was lost is recognised', async () => {
    const generationId = await stand.newLog();
    expect(await stand.log.appendOnce(generationId, 'close', [END])).toBe('appended');
    expect(await stand.log.appendOnce(generationId, 'close', [END])).toBe('already-appended');
  });

  test('a step that is valid only before the log is opened comes too late after it', async () => {
    const generationId = await stand.newLog();
    expect(await stand.log.appendOnce(generationId, 'early', [delta('a')], 'unopened')).toBe('appended');
    await stand.log.open(generationId, 1);
    expect(await stand.log.appendOnce(generationId, 'late', [END], 'unopened')).toBe('opened');
    await stand.log.requestCancel(generationId);
    expect(await stand.log.appendOnce(generationId, 'fail', [END], 'uncancelled')).toBe('cancel-requested');
    expect((await stand.log.head(generationId))?.status).toBe('running');
    expect(await stand.log.read(generationId, 1)).toEqual([]);
  });
}

function testWriter(stand: LogStand): void {
  test('500 quick writes are 500 events in order, in far fewer appends', async () => {
    const generationId = await stand.newLog();
    const { writer } = await stand.log.open(generationId, 1);
    for (let index = 0; index < 500; index += 1) await writer.write(delta(`${index} `));
    await writer.flush();
    expect(writer.nextSeq).toBe(501);
    const events = await stand.log.read(generationId, 0);
    expect(events.map((event) => event.seq)).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
    expect(events.map((event) => ('text' in event ? event.text : ''))).toEqual(
      Array.from({ length: 500 }, (_, index) => `${index} `),
    );
    expect(await stand.entriesOf(generationId)).toBeLessThan(50);
  });

  test('the checkpoint that the log holds is never ahead of its text', async () => {
    const generationId = await stand.newLog();
    const { writer } = await stand.log.open(generationId, 1);
    await writer.write(delta('a'), { covers: 1 });
    await writer.flush();
    expect((await stand.log.head(generationId))?.checkpoint).toEqual({ covers: 1 });
    await writer.write(delta('b'));
    await writer.write(delta('c'), { covers: 3 });
    await writer.flush();
    const successor = await stand.log.open(generationId, 2);
    expect(successor.head.checkpoint).toEqual({ covers: 3 });
    expect(successor.events).toHaveLength(4);
  });

  test('a log that holds only its start is opened and written in one step, once', async () => {
    const generationId = await stand.newLog();
    const writer = await stand.log.openFresh(generationId, 1, [START]);
    await writer?.write(delta('a'));
    await writer?.flush();
    expect(await stand.log.read(generationId, 0)).toMatchObject([
      { seq: 1, type: 'provider-start' },
      { seq: 2, text: 'a' },
    ]);
    expect(await stand.log.openFresh(generationId, 1, [START])).toBeNull();
    expect(await stand.log.openFresh(generationId, 2, [START])).toBeNull();
    await stand.log.open(generationId, 2);
    await expect(writer?.write(delta('b')).then(() => writer.flush())).rejects.toMatchObject({
      reason: 'fenced',
    });
  });
}
