import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { EventBody } from '../../../contracts/events.ts';
import { DEFAULTS, LIMITS } from '../../../contracts/limits.ts';
import { FrameClock } from '../../../engine/streaming/frame-clock.ts';
import {
  type AppendBatch,
  assertBatch,
  BatchingLogWriter,
  type PendingEvent,
} from '../../../engine/streaming/log-writer.ts';
import { chooseSeed, createRandom } from '../../harness/random.ts';

const writerBy = (append: AppendBatch, frames = new FrameClock(DEFAULTS.frameMs)) =>
  new BatchingLogWriter({ firstSeq: 0, opener: 'writer', append, frames });
const text = (value: string): EventBody => ({ type: 'text-delta', text: value });

/** Lets other microtasks run, and nothing else. */
async function yieldTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
}

describe('the writer of a log', () => {
  test('has appended every event when a flush resolves, however writes and appends interleave', async () => {
    const { seed, between } = createRandom(chooseSeed());
    for (let run = 0; run < 300; run += 1) {
      const appended: string[] = [];
      let expectedNext = 0;
      const writer = writerBy(async (expectedSeq, events) => {
        await yieldTurns(between(0, 6));
        expect(expectedSeq).toBe(expectedNext);
        expectedNext += events.length;
        for (const event of events) if (event.type === 'text-reset') appended.push(event.reason);
        return expectedNext;
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

  test('a refused write that is not awaited does not end the process', async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', listener);
    const writer = writerBy(async () => {
      throw new Error('fenced');
    });
    void writer.write(text('a'));
    await expect(writer.flush()).rejects.toThrow('fenced');
    void writer.write(text('b'));
    // Node reports unhandled rejections after the microtasks of a turn.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', listener);
    expect(unhandled).toEqual([]);
  });

  test('a refused append fails every later write and flush', async () => {
    const writer = writerBy(async () => {
      throw new Error('fenced');
    });
    await writer.write(text('a'));
    await expect(writer.flush()).rejects.toThrow('fenced');
    await expect(writer.write(text('b'))).rejects.toThrow('fenced');
    await expect(writer.flush()).rejects.toThrow('fenced');
  });
});

describe('a frame', () => {
  const HOUR_MS = 3_600_000;
  const reasoning = (value: string): EventBody => ({ type: 'reasoning-delta', text: value });

  /** A writer whose frames end only when the test ends them, and the batches that left. */
  function framed() {
    const batches: string[] = [];
    const frames = new FrameClock(HOUR_MS);
    const ends: (() => void)[] = [];
    frames.callAtEnd = (callback) => void ends.push(callback);
    const writer = writerBy(async (expectedSeq, events) => {
      batches.push(events.map((event) => ('text' in event ? event.text : event.type)).join(''));
      return expectedSeq + events.length;
    }, frames);
    const write = async (...events: readonly EventBody[]) => {
      for (const event of events) await writer.write(event);
      await yieldTurns(20);
    };
    const endFrame = async () => {
      for (const end of ends.splice(0)) end();
      await yieldTurns(20);
    };
    return { batches, write, endFrame, flush: () => writer.flush() };
  }

  test('lets the first text leave at once, and what arrives until its end leave together', async () => {
    const { batches, write, endFrame } = framed();
    await write(text('a'));
    expect(batches).toEqual(['a']);
    for (const letter of 'bcd') await write(text(letter));
    expect(batches).toEqual(['a']);
    await endFrame();
    await write(text('e'));
    expect(batches).toEqual(['a', 'bcd']);
  });

  test('does not hold back the first text behind thoughts, nor a first tool call behind text', async () => {
    const { batches, write } = framed();
    const call: EventBody = { type: 'tool-call-delta', index: 0, id: 'c', name: 'f', arguments: '' };
    await write(reasoning('a'));
    await write(reasoning('b'));
    await write(text('c'));
    await write(text('d'));
    await write(call);
    expect(batches).toEqual(['a', 'bc', 'dtool-call-delta']);
  });

  test('does not hold back the end, nor a writer that is full', async () => {
    const { batches, write, flush } = framed();
    await write(text('a'));
    await write(text('b'), { type: 'text-reset', reason: '' });
    await flush();
    expect(batches).toEqual(['a', 'btext-reset']);
    await write(...Array.from({ length: LIMITS.eventsPerAppend + 1 }, () => text('c')));
    expect(batches.at(-1)).toHaveLength(1);
  });

  test('of 0 ms holds nothing back', async () => {
    const batches: number[] = [];
    const writer = writerBy(async (expectedSeq, events) => {
      batches.push(events.length);
      return expectedSeq + events.length;
    }, new FrameClock(0));
    for (const letter of 'abc') {
      await writer.write(text(letter));
      await yieldTurns(20);
    }
    expect(batches).toEqual([1, 1, 1]);
  });

  test('ends for all writers of a process at the same moment, so that their appends leave together', async () => {
    const frames = new FrameClock(5);
    const ended: string[] = [];
    const both = new Promise<void>((resolve) => {
      const end = (name: string) => () => {
        ended.push(name);
        // The other callback runs in the same turn: no promise is settled between them.
        void Promise.resolve().then(() => ended.push('turn'));
        if (name === 'second') resolve();
      };
      frames.callAtEnd(end('first'));
      frames.callAtEnd(end('second'));
      const forgotten = () => ended.push('forgotten');
      frames.callAtEnd(forgotten);
      frames.forget(forgotten);
    });
    await both;
    expect(ended.slice(0, 2)).toEqual(['first', 'second']);
  });
});

describe('the checkpoint in the log', () => {
  /** Writes `count` events, each with its checkpoint, while the first append has no reply. */
  async function writeBacklog(count: number) {
    const appends: { last: number; covers: unknown }[] = [];
    const answer = Promise.withResolvers<void>();
    const writer = writerBy(async (seq, batch, covers) => {
      if (seq === 0) await answer.promise;
      appends.push({ last: seq + batch.length - 1, covers });
      return seq + batch.length;
    });
    const writing = (async () => {
      for (let seq = 0; seq < count; seq += 1) await writer.write(text('t'), { seq });
      await writer.flush();
    })();
    answer.resolve();
    await writing;
    return appends;
  }

  test('covers each append of a backlog up to its last event, so a writer killed between two appends repeats nothing', async () => {
    for (const count of [1, 2, LIMITS.eventsPerAppend, LIMITS.eventsPerAppend + 88, 5_000]) {
      const appends = await writeBacklog(count);
      expect(appends.at(-1)?.last).toBe(count - 1);
      for (const { last, covers } of appends) expect(covers).toEqual({ seq: last });
    }
  });

  test('is that of the last appended event that has one, wherever writes are split and wherever the writer dies', async () => {
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
        const writer = writerBy(async (seq, batch, covers) => {
          await yieldTurns(slowness);
          const dies = log.appends === diesAtAppend;
          log.appends += 1;
          if (!dies || replyLost) {
            log.nextSeq = seq + batch.length;
            if (covers !== undefined) log.checkpoint = covers;
          }
          if (dies) throw new Error('the writer died');
          return seq + batch.length;
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

describe('a violated invariant', () => {
  test('fails the writer when the log acknowledges another seq than the one that was appended', async () => {
    const writer = writerBy(async (expectedSeq, events) => expectedSeq + events.length + 1);
    await writer.write(text('a'));
    await expect(writer.flush()).rejects.toThrow('acknowledged another seq');
    await expect(writer.write(text('b'))).rejects.toThrow('acknowledged another seq');
  });

  const pending = (seq: number, checkpoint?: object): PendingEvent => ({ seq, event: text('t'), checkpoint });

  test('a batch with a gap, or one that does not continue the log, is not appended', () => {
    expect(() => assertBatch(3, [pending(3), pending(5)], undefined)).toThrow('does not continue the log');
    expect(() => assertBatch(3, [pending(4)], undefined)).toThrow('does not continue the log');
    expect(() => assertBatch(3, [pending(3), pending(4)], undefined)).not.toThrow();
  });

  test('a checkpoint of an event after the batch is not appended', () => {
    const batch = [pending(3), pending(4, {})];
    expect(() => assertBatch(3, batch, pending(5, {}))).toThrow('ahead of the appended events');
    expect(() => assertBatch(3, batch, batch[1])).not.toThrow();
  });
});
