import { describe, expect, test } from '@jest/globals';
import type { EventBody } from '../../contracts/events.ts';
import { createLogWriter } from '../../streaming/log-writer.ts';
import { chooseSeed, createRandom } from '../harness/random.ts';

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
      const writer = createLogWriter(0, async (expectedSeq, events) => {
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
        ...{ seed, run },
        appended: Array.from({ length: count }, (_, index) => String(index)),
      });
    }
  });

  test('gives the first text at once and gathers what follows it closely', async () => {
    const batches: number[] = [];
    const writer = createLogWriter(0, async (_, events) => {
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
    const writer = createLogWriter(0, async () => {
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
    const writer = createLogWriter(0, async () => {
      throw new Error('fenced');
    });
    await writer.write(text('a'));
    await expect(writer.flush()).rejects.toThrow('fenced');
    await expect(writer.write(text('b'))).rejects.toThrow('fenced');
    await expect(writer.flush()).rejects.toThrow('fenced');
  });
});
