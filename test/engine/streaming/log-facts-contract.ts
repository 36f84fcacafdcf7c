/** What every event log keeps beside its events for usage statistics. */
import { expect, test } from '@jest/globals';
import type { EventBody } from '../../../contracts/events.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import { END, type LogStand } from './log-stand.ts';

const start = (attempt: number, model: string): EventBody => {
  return { type: 'provider-start', provider: 'sim', model, attempt, strategy: 'start' };
};
const delta = (text: string): EventBody => ({ type: 'text-delta', text });

export function testFacts(stand: LogStand): void {
  test('knows when readers got the first text, which model was called last and which calls failed, without its events', async () => {
    const generationId = await stand.newLog();
    const failed = (attempt: number, code: string): EventBody => {
      const used = { resumable: false, usage: NO_USAGE, costMicroUsd: 0 };
      return { type: 'provider-error', provider: 'sim', model: 'm', attempt, code, message: 'no', ...used };
    };
    const first = await stand.log.openFresh(generationId, 1, [start(1, 'm')]);
    if (first === null) throw new Error('the log is fresh');
    await first.write(failed(1, 'provider_stalled'));
    await first.flush();
    expect(await stand.log.facts(generationId)).toMatchObject({ firstTextAtMs: null, endedAtMs: null });
    for (const epoch of [2, 3]) {
      const { writer } = await stand.log.open(generationId, epoch);
      for (const text of ['a', 'b']) {
        void writer.write(delta(text));
        await writer.flush();
      }
      void writer.write(failed(epoch, 'provider_stream_cut'));
      void writer.write(start(epoch + 1, 'large'));
      await writer.flush();
    }
    await stand.log.appendOnce(generationId, 'close', [END]);
    const events = await stand.log.read(generationId, -1);
    const failure = { provider: 'sim', model: 'm' };
    const facts = await stand.log.facts(generationId);
    expect(facts).toEqual({
      createdAtMs: events[0]?.at,
      firstTextAtMs: events.find(({ type }) => type === 'text-delta')?.at,
      endedAtMs: events.at(-1)?.at,
      lastCalled: { provider: 'sim', model: 'large' },
      failures: expect.arrayContaining([
        { ...failure, code: 'provider_stalled' },
        { ...failure, code: 'provider_stream_cut' },
        { ...failure, code: 'provider_stream_cut' },
      ]),
    });
    expect(facts?.failures).toHaveLength(3);
    expect(await stand.log.facts('gen_none')).toBeNull();
  });

  test('of a replayed answer has its first text, too', async () => {
    const generationId = await stand.newLog();
    await stand.log.appendOnce(generationId, 'replay', [delta('stored'), END]);
    const { createdAtMs = 0, firstTextAtMs } = (await stand.log.facts(generationId)) ?? {};
    expect(firstTextAtMs).toBeGreaterThanOrEqual(createdAtMs);
  });
}
