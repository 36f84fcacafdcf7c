/** The pace of a batch: what its page and its command line show. */
import { expect, test } from '@jest/globals';
import { paceOf } from '../../../api/batches/batch-pace.ts';
import { NO_LINES } from '../../../contracts/batches.ts';

const BEGAN = 1_000_000;
const SECOND = 1_000;

type Paced = Parameters<typeof paceOf>[0];

/** A thousand lines, in shards of a hundred. */
function batchOf(facts: Partial<Omit<Paced, 'spec'>> & { readonly deadlineAtMs?: number } = {}): Paced {
  const { deadlineAtMs = BEGAN + 86_400_000, ...rest } = facts;
  return {
    status: 'in_progress',
    times: { validating: BEGAN - SECOND, in_progress: BEGAN },
    plan: { lines: 1_000, shardLines: 100 },
    counts: NO_LINES,
    countedAt: null,
    spec: { deadlineAtMs } as Paced['spec'],
    ...rest,
  };
}

const counts = (completed: number, failed = 0) => ({ ...NO_LINES, completed, failed });

test('nothing is known before the first count, or without a plan', () => {
  const unknown = { linesPerSecond: null, doneAtMs: null };
  expect(paceOf(batchOf(), BEGAN + 60 * SECOND)).toEqual(unknown);
  expect(paceOf(batchOf({ plan: null, times: {} }), BEGAN)).toEqual(unknown);
});

test('between two counts, neither the pace nor the estimate moves', () => {
  const batch = batchOf({ counts: counts(180, 20), countedAt: BEGAN + 20 * SECOND });
  for (const later of [20, 25, 40]) {
    expect(paceOf(batch, BEGAN + later * SECOND)).toEqual({
      linesPerSecond: 10,
      doneAtMs: BEGAN + 100 * SECOND,
    });
  }
});

test('a batch that stands still becomes slower, and its estimate later', () => {
  const batch = batchOf({ counts: counts(200), countedAt: BEGAN + 20 * SECOND });
  // Four shards of a hundred lines take 40 s at 10 lines a second.
  const late = paceOf(batch, BEGAN + 240 * SECOND);
  expect(late.linesPerSecond).toBe(1);
  expect(late.doneAtMs).toBe(BEGAN + 1_000 * SECOND);
});

test('the estimate is never past, and never after the deadline', () => {
  const whole = batchOf({ counts: counts(1_000), countedAt: BEGAN + 10 * SECOND });
  expect(paceOf(whole, BEGAN + 11 * SECOND).doneAtMs).toBe(BEGAN + 11 * SECOND);
  const deadlineAtMs = BEGAN + 30 * SECOND;
  const slow = batchOf({ counts: counts(100), countedAt: BEGAN + 10 * SECOND, deadlineAtMs });
  expect(paceOf(slow, BEGAN + 11 * SECOND).doneAtMs).toBe(deadlineAtMs);
});

test('an ended batch has the pace of the lines that were sent, and no estimate', () => {
  const ended = batchOf({
    status: 'cancelled',
    counts: { ...counts(100), cancelled: 900 },
    countedAt: BEGAN + 20 * SECOND,
  });
  expect(paceOf(ended, BEGAN + 3_600 * SECOND)).toEqual({ linesPerSecond: 5, doneAtMs: null });
});
