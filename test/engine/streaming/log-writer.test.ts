import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { EventBody } from '../../../contracts/events.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { createLogWriter } from '../../../engine/streaming/log-writer.ts';
import { chooseSeed, createRandom } from '../../harness/random.ts';

const START = { firstSeq: 0, opener: 'writer' };
const text = (value: string): EventBody => ({ type: 'text-delta', text: value });

/** Lets other microtasks run, and nothing else. */
async function yieldTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
}

describe('the writer of a log', () => {
  test('has appended all that was written when it is flushed, however writes and appends meet', async () => {
    const { seed, between } = createRandom(chooseSeed());
    for (let run = 0; run < 300; run += 1) {
      const appended: string[] = [];
      let expectedNext = 0;
      const writer = createLogWriter(START, async (expectedSeq, events) => {
        await yieldTurns(between(0, 6));
        expect(expectedSeq).toBe(expectedNext);
        expectedNext += events.length;
        for (const event of events) if (event.type === 'text-reset') appended.push(event.reason);
      });
      const count = between(1, 12);
      for (let index = 0; index < count; index += 1) {
        void writer.write({ type: 'text-reset', reason: String(index) });
        await yieldTurns(between(0, 12));
      }
      await writer.flush();
      expect({ seed, run, appended }).toEqual({
        seed,
        run,
        appended: Array.from({ length: count }, (_, index) => String(index)),
      });
    }
  });

  test('gives the first text at once and gathers what follows it closely', async () => {
    const batches: number[] = [];
    const writer = createLogWriter(START, async (_, events) => {
      batches.push(events.length);
    });
    await writer.write(text('a'));
    await yieldTurns(20);
    expect(batches).toEqual([1]);
    for (const letter of 'bcdef') {
      await writer.write(text(letter));
      await yieldTurns(20);
    }
    await writer.flush();
    expect(batches).toEqual([1, 5]);
  });

  test('a refused write that nobody waits for does not end the process', async () => {
    const unheard: unknown[] = [];
    const listener = (reason: unknown) => unheard.push(reason);
    process.on('unhandledRejection', listener);
    const writer = createLogWriter(START, async () => {
      throw new Error('fenced');
    });
    void writer.write(text('a'));
    await expect(writer.flush()).rejects.toThrow('fenced');
    void writer.write(text('b'));
    // Node tells of unheard rejections after the microtasks of a turn.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', listener);
    expect(unheard).toEqual([]);
  });

  test('tells of a refused append on every later write and flush', async () => {
    const writer = createLogWriter(START, async () => {
      throw new Error('fenced');
    });
    await writer.write(text('a'));
    await expect(writer.flush()).rejects.toThrow('fenced');
    await expect(writer.write(text('b'))).rejects.toThrow('fenced');
    await expect(writer.flush()).rejects.toThrow('fenced');
  });
});

describe('the checkpoint in the log', () => {
  /** Writes `count` events, each with its checkpoint, while the first append has no answer. */
  async function writeBacklog(count: number) {
    const appends: { last: number; covers: unknown }[] = [];
    const answer = Promise.withResolvers<void>();
    const writer = createLogWriter(START, async (seq, batch, covers) => {
      if (seq === 0) await answer.promise;
      appends.push({ last: seq + batch.length - 1, covers });
    });
    const writing = (async () => {
      for (let seq = 0; seq < count; seq += 1) await writer.write(text('t'), { seq });
      await writer.flush();
    })();
    answer.resolve();
    await writing;
    return appends;
  }

  test('covers each append of a backlog to its last event, so that a writer killed between two repeats nothing', async () => {
    for (const count of [1, 2, LIMITS.eventsPerAppend, LIMITS.eventsPerAppend + 88, 5_000]) {
      const appends = await writeBacklog(count);
      expect(appends.at(-1)?.last).toBe(count - 1);
      for (const { last, covers } of appends) expect(covers).toEqual({ seq: last });
    }
  });

  test('is that of the last event that has one, wherever writes are split and wherever the writer dies', async () => {
    const hasCheckpoint = (code: number) => (code & 2) > 0;
    // An event as a number: whether it has a checkpoint, whether it is text, and the turns before the next one.
    const events = fc.array(fc.nat(15), { minLength: 1, maxLength: 1_400, size: 'max' });
    const plan = fc.record({
      events,
      diesAtAppend: fc.nat(6),
      replyLost: fc.boolean(),
      slowness: fc.nat(900),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ events, diesAtAppend, replyLost, slowness }) => {
        const log = { nextSeq: 0, checkpoint: undefined as unknown, appends: 0 };
        const writer = createLogWriter(START, async (seq, batch, covers) => {
          await yieldTurns(slowness);
          const dies = log.appends === diesAtAppend;
          log.appends += 1;
          if (!dies || replyLost) {
            log.nextSeq = seq + batch.length;
            if (covers !== undefined) log.checkpoint = covers;
          }
          if (dies) throw new Error('the writer died');
        });
        const writing = async () => {
          for (const [seq, code] of events.entries()) {
            const event: EventBody = code % 2 === 0 ? text('t') : { type: 'text-reset', reason: '' };
            await writer.write(event, hasCheckpoint(code) ? seq : undefined);
            await yieldTurns(code >> 2);
          }
          await writer.flush();
        };
        await writing().catch(() => 'died');
        const inLog = events.slice(0, log.nextSeq);
        const newest = inLog.findLastIndex(hasCheckpoint);
        expect(log.checkpoint).toBe(newest === -1 ? undefined : newest);
      }),
      { numRuns: 60, endOnFailure: true },
    );
  });
});
