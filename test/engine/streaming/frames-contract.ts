/** What every event log must do with an append of text alone, which has a separate script. */
import { expect, test } from '@jest/globals';
import type { EventBody } from '../../../contracts/events.ts';
import { RedisEventLog } from '../../../engine/streaming/redis-event-log.ts';
import { END, type LogStand, RETENTION_MS } from './log-stand.ts';
import { losingReplies } from './losing-replies.ts';

const delta = (text: string): EventBody => ({ type: 'text-delta', text });

export function testFrames(stand: LogStand): void {
  test('a frame whose reply was lost is written once, with its cursor', async () => {
    const generationId = await stand.newLog();
    await stand.writeBatches(await stand.newLog(), [[delta('x')], [delta('y')]]);
    // Sent: the opening, the first text, the frame, and the frame again.
    const lossy = losingReplies(stand.redis, [3, 4]);
    const through = new RedisEventLog(lossy.redis, { retentionMs: RETENTION_MS });
    const { writer } = await through.open(generationId, 1);
    await writer.write(delta('a'), { covers: 'a' });
    await writer.flush();
    for (const text of ['b', 'c']) void writer.write(delta(text), { covers: text });
    await writer.flush();
    expect(lossy.sent()).toBeGreaterThan(4);
    const texts = (await stand.log.read(generationId, 0)).map((event) => 'text' in event && event.text);
    expect(texts).toEqual(['a', 'b', 'c']);
    const head = await stand.log.head(generationId);
    expect(head).toMatchObject({ nextSeq: 4, checkpoint: { covers: 'c' } });
  });

  test('a frame without a cursor leaves the cursor of the one before', async () => {
    const generationId = await stand.newLog();
    const { writer } = await stand.log.open(generationId, 1);
    await writer.write(delta('a'), { covers: 'a' });
    await writer.flush();
    await writer.write(delta('b'));
    await writer.flush();
    expect((await stand.log.head(generationId))?.checkpoint).toEqual({ covers: 'a' });
  });

  test('a frame of a writer that is fenced or late says why it was refused', async () => {
    const fencedId = await stand.newLog();
    const endedId = await stand.newLog();
    const fenced = await stand.log.open(fencedId, 1);
    const ended = await stand.log.open(endedId, 1);
    for (const { writer } of [fenced, ended]) await writer.write(delta('a')).then(() => writer.flush());
    await stand.log.open(fencedId, 2);
    await stand.log.appendOnce(endedId, 'close', [END]);
    for (const { writer } of [fenced, ended]) for (const text of ['b', 'c']) void writer.write(delta(text));
    await expect(fenced.writer.flush()).rejects.toMatchObject({ reason: 'fenced' });
    await expect(ended.writer.flush()).rejects.toMatchObject({ reason: 'ended' });
    expect((await stand.log.head(fencedId))?.nextSeq).toBe(2);
  });
}
