/** What must hold of packed logs, on Redis and on the memory that replaces it. */
import { expect, test } from '@jest/globals';
import type { EventBody, GenerationEvent } from '../../../contracts/events.ts';
import { textOf } from '../../../contracts/fold-events.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import type { EventLog } from '../../../engine/streaming/event-log.ts';
import { LogPacker, type PackRedis } from '../../../engine/streaming/log-packer.ts';
import { END, type LogStand } from './log-stand.ts';

const delta = (text: string): EventBody => ({ type: 'text-delta', text });

export function testPacking(stand: LogStand): void {
  testPackedReads(stand);
  testPackedOnce(stand);
}

function packerOf(redis: PackRedis): LogPacker {
  return new LogPacker(redis, (error) => {
    throw error;
  });
}

async function endedLog(stand: LogStand, tokens = 40): Promise<string> {
  const generationId = await stand.newLog();
  const texts = Array.from({ length: tokens }, (_, index) => [delta(` ${index}`)]);
  const reset: EventBody = { type: 'text-reset', reason: 'x' };
  await stand.writeBatches(generationId, [...texts, [reset, delta('last')], [END]]);
  return generationId;
}

function testPackedReads(stand: LogStand): void {
  test('a packed log gives the same events for every cursor and every size of a page, from fewer entries', async () => {
    const generationId = await endedLog(stand);
    const all = await stand.log.read(generationId, -1);
    const head = await stand.log.head(generationId);
    const entries = await stand.entriesOf(generationId);
    expect(await packerOf(stand.redis).pack(generationId)).toBe(true);
    expect(await stand.entriesOf(generationId)).toBe(1);
    expect(entries).toBeGreaterThan(30);
    for (let after = -1; after <= all.length; after += 1) {
      expect(await stand.log.read(generationId, after)).toEqual(all.slice(after + 1));
      expect(await stand.log.read(generationId, after, 2)).toEqual(all.slice(after + 1));
    }
    expect(await stand.log.head(generationId)).toEqual(head);
  });

  test('a long log is packed into entries that one read takes', async () => {
    const generationId = await stand.newLog();
    const count = 2 * LIMITS.eventsPerAppend + 100;
    await stand.writeBatches(
      generationId,
      Array.from({ length: count / 20 }, (_, batch) =>
        Array.from({ length: 20 }, (_, index) => delta(` ${batch * 20 + index}`)),
      ),
    );
    await stand.log.appendOnce(generationId, 'close', [END]);
    const all = await stand.log.read(generationId, -1);
    expect(await packerOf(stand.redis).pack(generationId)).toBe(true);
    expect(await readInPages(stand.log, generationId)).toEqual(all);
    expect(textOf(await stand.log.readMerged(generationId))).toBe(textOf(all));
  });
}

function testPackedOnce(stand: LogStand): void {
  test('a log is packed once, never while it runs, and stays ended for all who open or write it', async () => {
    const running = await stand.newLog();
    await stand.writeBatches(running, [[delta('a')], [delta('b')], [delta('c')]]);
    expect(await packerOf(stand.redis).pack(running)).toBe(false);
    expect(await stand.entriesOf(running)).toBe(4);
    const generationId = await endedLog(stand);
    const { writer } = await stand.log.open(generationId, 5);
    expect([
      await packerOf(stand.redis).pack(generationId),
      await packerOf(stand.redis).pack(generationId),
    ]).toEqual([true, true]);
    expect(await packerOf(stand.redis).pack('gen_none')).toBe(false);
    void writer.write(delta('late'));
    await expect(writer.flush()).rejects.toMatchObject({ reason: 'ended' });
    expect(await stand.log.appendOnce(generationId, 'step', [delta('late')])).toBe('ended');
    const opened = await stand.log.open(generationId, 'newest');
    expect(opened.events).toEqual(await stand.log.read(generationId, -1));
    expect(opened.events.at(-1)?.type).toBe('generation-end');
  });

  test('a reader between two pages, and a log that is packed twice at the same time, lose and repeat nothing', async () => {
    const generationId = await endedLog(stand);
    const all = await stand.log.read(generationId, -1);
    const first = await stand.log.read(generationId, -1, 7);
    await Promise.all([packerOf(stand.redis).pack(generationId), packerOf(stand.redis).pack(generationId)]);
    const rest = await readInPages(stand.log, generationId, first.at(-1)?.seq);
    expect([...first, ...rest]).toEqual(all);
  });

  test('a log that is erased while it is being packed stays erased', async () => {
    const generationId = await endedLog(stand);
    const { redis } = stand;
    const erasedBefore: PackRedis = {
      hmGet: (key, fields) => redis.hmGet(key, fields),
      xRange: (key, from, to, options) => redis.xRange(key, from, to, options),
      eval: (source, call) => redis.eval(source, call),
      evalSha: async (sha, call) => {
        await stand.log.erase(generationId);
        return redis.evalSha(sha, call);
      },
    };
    expect(await packerOf(erasedBefore).pack(generationId)).toBe(false);
    expect(await stand.log.read(generationId, -1)).toEqual([]);
    expect(await stand.entriesOf(generationId)).toBe(0);
  });
}

async function readInPages(log: EventLog, generationId: string, after = -1): Promise<GenerationEvent[]> {
  const events: GenerationEvent[] = [];
  for (;;) {
    const page = await log.read(generationId, events.at(-1)?.seq ?? after, 3);
    expect(page.length).toBeLessThanOrEqual(LIMITS.eventsPerRead);
    if (page.length === 0) return events;
    events.push(...page);
  }
}
