/**
 * What every event log must do. The same tests run on Redis and on the memory that stands in for it in the simulation of
 * the core: that the simulation proves anything rests on these.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EventBody } from '../../../contracts/events.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import type { EventLog, LogCreation } from '../../../engine/streaming/event-log.ts';
import { type LogRedis, RedisEventLog } from '../../../engine/streaming/redis-event-log.ts';

export interface StartedRedis {
  readonly redis: LogRedis & { scriptFlush(): Promise<unknown> };
  stop(): Promise<void>;
}

export const RETENTION_MS = 60_000;

export const END: EventBody = {
  type: 'generation-end',
  provider: 'sim',
  model: 'm',
  finishReason: 'stop',
  attempts: 1,
  cached: false,
  usage: NO_USAGE,
  costMicroUsd: 0,
};

const START: EventBody = {
  type: 'provider-start',
  provider: 'sim',
  model: 'm',
  attempt: 1,
  strategy: 'start',
};

const delta = (text: string): EventBody => ({ type: 'text-delta', text });

export function creationOf(generationId: string, requestHash = 'hash-1'): LogCreation {
  const input = { messages: [{ role: 'user' as const, content: 'hello' }], maxOutputTokens: 10 };
  return {
    generationId,
    tenant: 'acme',
    user: 'ann',
    route: 'default',
    requestHash,
    metadata: { topic: 'a' },
    input,
  };
}

/** The same Redis; the replies to these scripts, counted from 1, are lost. */
function losingReplies(redis: LogRedis, lostReplies: readonly number[]): { redis: LogRedis; sent(): number } {
  let sent = 0;
  return {
    sent: () => sent,
    redis: {
      evalSha: async (sha, call) => {
        sent += 1;
        const isLost = lostReplies.includes(sent);
        const reply = await redis.evalSha(sha, call);
        if (!isLost) return reply;
        throw new Error('the connection was cut before the reply came');
      },
      eval: (source, call) => redis.eval(source, call),
      scriptLoad: (source) => redis.scriptLoad(source),
      get: (key) => redis.get(key),
      hGetAll: (key) => redis.hGetAll(key),
      xRange: (key, from, to, options) => redis.xRange(key, from, to, options),
      sendCommand: (command) => redis.sendCommand(command),
    },
  };
}

export function testEventLog(name: string, startRedis: () => Promise<StartedRedis>): void {
  describe(`the event log in ${name}`, () => {
    let server: StartedRedis | undefined;
    let redis: StartedRedis['redis'];
    let log: EventLog;
    let logs = 0;

    beforeAll(async () => {
      server = await startRedis();
      redis = server.redis;
      log = new RedisEventLog(redis, { retentionMs: RETENTION_MS });
    });

    afterAll(async () => {
      await server?.stop();
    });

    async function entriesOf(generationId: string): Promise<number> {
      return (await redis.xRange(REDIS_KEYS.logStream(generationId), '-', '+'))?.length ?? 0;
    }

    async function newLog(): Promise<string> {
      logs += 1;
      const generationId = `gen_${logs}`;
      await log.create(creationOf(generationId));
      return generationId;
    }

    async function writeBatches(
      generationId: string,
      batches: readonly (readonly EventBody[])[],
    ): Promise<void> {
      const { writer } = await log.open(generationId, 1);
      for (const batch of batches) {
        for (const event of batch) await writer.write(event);
        await writer.flush();
      }
    }

    test('a log begins with its first event, its input and its facts', async () => {
      const generationId = await newLog();
      expect(await log.read(generationId, -1)).toMatchObject([
        { seq: 0, type: 'generation-start', generationId, route: 'default', user: 'ann' },
      ]);
      expect(await log.readInput(generationId)).toEqual(creationOf(generationId).input);
      expect(await log.head(generationId)).toMatchObject({
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

    test('a log created twice is written once and tells the hash of the first request', async () => {
      const generationId = await newLog();
      expect(await log.create(creationOf(generationId, 'hash-2'))).toEqual({
        createdAt: (await log.head(generationId))?.createdAt,
        created: false,
        requestHash: 'hash-1',
      });
      expect(await log.read(generationId, -1)).toHaveLength(1);
    });

    test('seq has no gap over batches, and events keep their order', async () => {
      const generationId = await newLog();
      const texts = ['a', 'b', 'c', 'd', 'e', 'f'].map(delta);
      await writeBatches(generationId, [texts.slice(0, 1), texts.slice(1, 4), texts.slice(4)]);
      const events = await log.read(generationId, -1);
      expect(events.map((event) => event.seq)).toEqual([0, 1, 2, 3, 4, 5, 6]);
      expect(events.slice(1)).toMatchObject(texts);
    });

    test('a read from any cursor gives exactly the rest, also from inside a batch', async () => {
      const generationId = await newLog();
      const texts = Array.from({ length: 12 }, (_, index) => delta(String(index)));
      await writeBatches(generationId, [texts.slice(0, 5), texts.slice(5, 11), texts.slice(11)]);
      const all = await log.read(generationId, -1);
      expect(await entriesOf(generationId)).toBeLessThan(all.length);
      for (let cursor = -1; cursor <= all.length; cursor += 1) {
        expect(await log.read(generationId, cursor)).toEqual(all.filter((event) => event.seq > cursor));
      }
    });

    test('a log read in small pages gives every event once', async () => {
      const generationId = await newLog();
      await writeBatches(generationId, [
        ['a', 'b', 'c'].map(delta),
        ['d', 'e'].map(delta),
        ['f', 'g', 'h'].map(delta),
      ]);
      const seqs: number[] = [];
      for (;;) {
        const page = await log.read(generationId, seqs.at(-1) ?? -1, 1);
        if (page.length === 0) break;
        seqs.push(...page.map((event) => event.seq));
      }
      expect(seqs).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    });

    test('a zombie may not write after a newer epoch has opened the log', async () => {
      const generationId = await newLog();
      const zombie = await log.open(generationId, 1);
      await zombie.writer.write(delta('old'));
      await zombie.writer.flush();
      const successor = await log.open(generationId, 2);
      expect(successor.events).toMatchObject([{ seq: 0 }, { seq: 1, text: 'old' }]);
      await zombie.writer.write(delta('late'));
      await expect(zombie.writer.flush()).rejects.toMatchObject({ name: 'LogRefused', reason: 'fenced' });
      await expect(zombie.writer.write(delta('later'))).rejects.toMatchObject({ reason: 'fenced' });
      await expect(log.open(generationId, 1)).rejects.toMatchObject({ reason: 'fenced' });
      await successor.writer.write(delta('new'));
      await successor.writer.flush();
      expect((await log.read(generationId, 0)).map((event) => 'text' in event && event.text)).toEqual([
        'old',
        'new',
      ]);
    });

    test('a step that comes after the last attempt silences it, whatever its epoch, and reads all that it wrote', async () => {
      const generationId = await newLog();
      const attempt = await log.open(generationId, Date.now() - 1_000);
      await attempt.writer.write(delta('a'));
      await attempt.writer.flush();
      const closing = await log.open(generationId, 'newest');
      // It was scheduled before the step, and opens the log after it.
      await expect(log.open(generationId, Date.now())).rejects.toMatchObject({ reason: 'fenced' });
      expect(closing.events).toMatchObject([{ seq: 0 }, { seq: 1, text: 'a' }]);
      await attempt.writer.write(delta('late'));
      await expect(attempt.writer.flush()).rejects.toMatchObject({ reason: 'fenced' });
      await closing.writer.write(END);
      await closing.writer.flush();
      await expect(log.open('gen_none', 'newest')).rejects.toMatchObject({ reason: 'missing' });
    });

    test('a log that has ended keeps the epoch of its end, and can be opened by whoever comes later', async () => {
      const generationId = await newLog();
      const { writer } = await log.open(generationId, 7);
      await writer.write(END);
      await writer.flush();
      for (const epoch of [6, 8, 'newest'] as const) {
        expect((await log.open(generationId, epoch)).events.at(-1)?.type).toBe('generation-end');
      }
      expect((await redis.hGetAll(REDIS_KEYS.logMeta(generationId)))['epoch']).toBe('7');
    });

    test('nothing is appended after the terminal event', async () => {
      const generationId = await newLog();
      const { writer } = await log.open(generationId, 1);
      await writer.write(END);
      await writer.flush();
      await writer.write(delta('after'));
      await expect(writer.flush()).rejects.toMatchObject({ name: 'LogRefused', reason: 'ended' });
      expect(await log.appendOnce(generationId, 'close', [END])).toBe('ended');
      expect((await log.read(generationId, -1)).map((event) => event.type)).toEqual([
        'generation-start',
        'generation-end',
      ]);
      const head = await log.head(generationId);
      expect(head?.status).toBe('completed');
      expect(head?.endedAt).not.toBeNull();
    });

    test('a step appended twice is written once', async () => {
      const generationId = await newLog();
      expect(await log.appendOnce(generationId, 'step', [delta('a'), delta('b')])).toBe('appended');
      expect(await log.appendOnce(generationId, 'step', [delta('a'), delta('b')])).toBe('already-appended');
      expect(await log.read(generationId, 0)).toMatchObject([
        { seq: 1, text: 'a' },
        { seq: 2, text: 'b' },
      ]);
    });

    test('a terminal step that is repeated after its reply was lost is recognised', async () => {
      const generationId = await newLog();
      expect(await log.appendOnce(generationId, 'close', [END])).toBe('appended');
      expect(await log.appendOnce(generationId, 'close', [END])).toBe('already-appended');
    });

    test('the checkpoint that the log holds is never ahead of its text', async () => {
      const generationId = await newLog();
      const { writer } = await log.open(generationId, 1);
      await writer.write(delta('a'), { covers: 1 });
      await writer.flush();
      expect((await log.head(generationId))?.checkpoint).toEqual({ covers: 1 });
      await writer.write(delta('b'));
      await writer.write(delta('c'), { covers: 3 });
      await writer.flush();
      const successor = await log.open(generationId, 2);
      expect(successor.head.checkpoint).toEqual({ covers: 3 });
      expect(successor.events).toHaveLength(4);
    });

    test('a log that is not there is refused as missing, and read as nothing', async () => {
      await expect(log.open('gen_none', 1)).rejects.toMatchObject({ name: 'LogRefused', reason: 'missing' });
      expect(await log.head('gen_none')).toBeNull();
      expect(await log.readInput('gen_none')).toBeNull();
      expect(await log.read('gen_none', -1)).toEqual([]);
    });

    test('500 quick writes are 500 events in order, in far fewer appends', async () => {
      const generationId = await newLog();
      const { writer } = await log.open(generationId, 1);
      for (let index = 0; index < 500; index += 1) await writer.write(delta(`${index} `));
      await writer.flush();
      expect(writer.nextSeq).toBe(501);
      const events = await log.read(generationId, 0);
      expect(events.map((event) => event.seq)).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
      expect(events.map((event) => ('text' in event ? event.text : ''))).toEqual(
        Array.from({ length: 500 }, (_, index) => `${index} `),
      );
      expect(await entriesOf(generationId)).toBeLessThan(50);
    });

    test('a log with no more than its start is opened and written in one step, once', async () => {
      const generationId = await newLog();
      const writer = await log.openFresh(generationId, 1, [START]);
      await writer?.write(delta('a'));
      await writer?.flush();
      expect(await log.read(generationId, 0)).toMatchObject([
        { seq: 1, type: 'provider-start' },
        { seq: 2, text: 'a' },
      ]);
      expect(await log.openFresh(generationId, 1, [START])).toBeNull();
      expect(await log.openFresh(generationId, 2, [START])).toBeNull();
      await log.open(generationId, 2);
      await expect(writer?.write(delta('b')).then(() => writer.flush())).rejects.toMatchObject({
        reason: 'fenced',
      });
    });

    test('an opening whose reply was lost is known as its own, not as an attempt that somebody paid', async () => {
      const generationId = await newLog();
      const lossy = losingReplies(redis, [1]);
      // Redis knows the script.
      await log.openFresh(await newLog(), 1, [START]);
      const through = new RedisEventLog(lossy.redis, { retentionMs: RETENTION_MS });
      const writer = await through.openFresh(generationId, 1, [START]);
      expect(writer?.nextSeq).toBe(2);
      expect(lossy.sent()).toBe(2);
      expect(await log.read(generationId, 0)).toHaveLength(1);
    });

    test('an append whose reply was lost is written once', async () => {
      const generationId = await newLog();
      // The log knows its scripts, so the reply that is lost is that of the append.
      await writeBatches(await newLog(), [[delta('x')]]);
      const lossy = losingReplies(redis, [2, 3]);
      const through = new RedisEventLog(lossy.redis, { retentionMs: RETENTION_MS });
      const { writer } = await through.open(generationId, 1);
      for (const text of ['a', 'b', 'c']) void writer.write(delta(text), { covers: text });
      await writer.flush();
      expect(lossy.sent()).toBeGreaterThan(3);
      expect((await log.read(generationId, 0)).map((event) => 'text' in event && event.text)).toEqual([
        'a',
        'b',
        'c',
      ]);
      expect((await log.head(generationId))?.checkpoint).toEqual({ covers: 'c' });
    });

    test('a writer hears of the wish to cancel by its next append, and an ended log keeps no wish', async () => {
      const generationId = await newLog();
      let wishes = 0;
      const { writer } = await log.open(generationId, 1, () => {
        wishes += 1;
      });
      await writer.write(delta('a'));
      await writer.flush();
      expect(wishes).toBe(0);
      await log.requestCancel(generationId);
      expect(await log.openFresh(generationId, 2, [START])).toBeNull();
      await writer.write(delta('b'));
      await writer.flush();
      expect(wishes).toBe(1);
      await log.appendOnce(generationId, 'close', [END]);
      for (const text of ['c', 'd']) void writer.write(delta(text));
      await expect(writer.flush()).rejects.toMatchObject({ reason: 'ended' });
      await log.requestCancel(generationId);
      expect((await log.head(generationId))?.status).toBe('completed');
    });

    test('an erased log gives neither its texts nor its input, and its id stays taken', async () => {
      const generationId = await newLog();
      await writeBatches(generationId, [[delta('secret')], [END]]);
      expect(await log.erase(generationId)).toBe('now');
      expect(await log.read(generationId, -1)).toEqual([]);
      expect(await log.readInput(generationId)).toBeNull();
      expect(await log.head(generationId)).toMatchObject({ erased: true, metadata: {}, status: 'completed' });
      expect((await log.create(creationOf(generationId))).created).toBe(false);
    });

    test('a step that was only good before the log was opened comes too late after it', async () => {
      const generationId = await newLog();
      expect(await log.appendOnce(generationId, 'early', [delta('a')], 'unopened')).toBe('appended');
      await log.open(generationId, 1);
      expect(await log.appendOnce(generationId, 'late', [END], 'unopened')).toBe('opened');
      expect(await log.read(generationId, 1)).toEqual([]);
    });

    test('a takeover by a script that Redis does not know yet misses nothing that the writer before it appends meanwhile', async () => {
      const generationId = await newLog();
      const before = await log.open(generationId, 1);
      await redis.scriptFlush();
      // Only the script of an append is known again.
      await log.appendOnce(await newLog(), 'step', [delta('x')]);
      const taking = log.open(generationId, 2);
      await before.writer
        .write(delta('a'))
        .then(() => before.writer.flush())
        .catch(() => 'fenced');
      const { head, events, writer } = await taking;
      await writer.write(START).then(() => writer.flush());
      const stored = await log.read(generationId, -1);
      expect(events).toEqual(stored.slice(0, -1));
      expect(head.nextSeq).toBe(stored.length - 1);
      expect(stored.at(-1)?.type).toBe('provider-start');
    });
  });
}
