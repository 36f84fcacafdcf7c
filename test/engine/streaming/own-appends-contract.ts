/** What a writer takes for its own append after a lost reply, on Redis and on the memory that replaces it. */
import { expect, test } from '@jest/globals';
import type { EventBody } from '../../../contracts/events.ts';
import { LogPacker } from '../../../engine/streaming/log-packer.ts';
import { type LogRedis, RedisEventLog } from '../../../engine/streaming/redis-event-log.ts';
import { END, type LogStand, RETENTION_MS } from './log-stand.ts';
import { losingReplies } from './losing-replies.ts';

const delta = (text: string): EventBody => ({ type: 'text-delta', text });
const NOTE: EventBody = { type: 'text-reset', reason: 'a separate step' };

export function testOwnAppends(stand: LogStand): void {
  test.each([
    ['ends the log', END, 'ended'],
    ['adds to the log', NOTE, 'conflict'],
  ] as const)(
    'a writer does not take a step that %s for its own append of the same size',
    async (_, event, reason) => {
      const generationId = await stand.newLog();
      const { writer } = await stand.log.open(generationId, 1);
      await writer.write(delta('a'), { covers: 'a' });
      await writer.flush();
      expect(await stand.log.appendOnce(generationId, 'step', [event])).toBe('appended');
      void writer.write(delta('lost'), { covers: 'lost' });
      await expect(writer.flush()).rejects.toMatchObject({ name: 'LogRefused', reason });
      expect(await stand.log.read(generationId, 0)).toMatchObject([delta('a'), event]);
      expect((await stand.log.head(generationId))?.checkpoint).toEqual({ covers: 'a' });
    },
  );

  test('a writer that opens the log after a step recognises its append after a lost reply', async () => {
    const generationId = await stand.newLog();
    await knownScripts(stand);
    await stand.log.appendOnce(generationId, 'step', [NOTE]);
    const lossy = losingReplies(stand.redis, [2]);
    const { writer } = await logOver(lossy.redis).open(generationId, 1);
    void writer.write(delta('a'));
    await writer.flush();
    expect(lossy.sent()).toBe(3);
    expect(await stand.log.read(generationId, 0)).toMatchObject([NOTE, delta('a')]);
  });

  test('an end whose reply was lost is recognised, also after the log was packed', async () => {
    const generationId = await stand.newLog();
    await knownScripts(stand);
    await stand.writeBatches(generationId, [[delta('a')], [delta('b')]]);
    const lossy = losingReplies(stand.redis, [2]);
    const packed: boolean[] = [];
    const packer = new LogPacker(stand.redis, (error) => {
      throw error;
    });
    const packedMeanwhile: LogRedis = {
      ...lossy.redis,
      evalSha: async (sha, call) => {
        if (lossy.sent() === 2) packed.push(await packer.pack(generationId));
        return lossy.redis.evalSha(sha, call);
      },
    };
    const { writer } = await logOver(packedMeanwhile).open(generationId, 1);
    void writer.write(END);
    await writer.flush();
    expect(packed).toEqual([true]);
    expect(await stand.log.read(generationId, 0)).toMatchObject([delta('a'), delta('b'), END]);
  });
}

/** So that the second script that a writer sends is its first append, and not that script again with its text. */
async function knownScripts(stand: LogStand): Promise<void> {
  await stand.writeBatches(await stand.newLog(), [[delta('x')], [END]]);
}

function logOver(redis: LogRedis): RedisEventLog {
  return new RedisEventLog(redis, { retentionMs: RETENTION_MS });
}
