/** What `unbroken batches submit` shows while it waits. */
import { expect, test } from '@jest/globals';
import { progressText, type ShownBatch } from '../../bin/commands/batch-progress.ts';

const NOW_MS = 1_000_000_000;

function batchOf(facts: Partial<ShownBatch> = {}): ShownBatch {
  return {
    status: 'in_progress',
    request_counts: { total: 1_000, completed: 240, failed: 10 },
    requests_per_second: 12.5,
    estimated_completion_at: NOW_MS / 1_000 + 60,
    ...facts,
  };
}

test('a bar, the counts, the rate and the time that is left', () => {
  expect(progressText(batchOf(), NOW_MS)).toBe(
    '[#####...............] 250/1000 in_progress, 10 failed, 12.5 lines/s, about 60 s left',
  );
});

test('without a terminal, nothing that changes with time alone', () => {
  const text = progressText(batchOf(), null);
  expect(text).toBe('[#####...............] 250/1000 in_progress, 10 failed, 12.5 lines/s');
});

test.each([
  [5_000, '83 min'],
  [7_500, '2 h 5 min'],
  [-5, '0 s'],
])('%i s are about %s', (seconds, left) => {
  const batch = batchOf({ estimated_completion_at: NOW_MS / 1_000 + seconds });
  expect(progressText(batch, NOW_MS)).toContain(`, about ${left} left`);
});

test('lines that wait at their vendors, and how many of them are answered', () => {
  const handover = { status: 'waiting', reason: null, live_at: 1_800_000_000, batches: [] } as const;
  const request_counts = { total: 12, completed: 0, failed: 0 };
  const waiting = {
    status: 'in_progress',
    request_counts,
    handover: { ...handover, lines: 10, answered: 4 },
  } as const;
  expect(progressText(waiting, null)).toBe(
    '[....................] 0/12 in_progress, 0 failed, 10 wait at their vendors until 2027-01-15T08:00Z, 4 of them answered',
  );
});

test('a batch whose file is being checked, and one of an API without these fields', () => {
  const unknown = { requests_per_second: null, estimated_completion_at: null };
  const request_counts = { total: 0, completed: 0, failed: 0 };
  expect(progressText({ status: 'validating', request_counts, ...unknown }, NOW_MS)).toBe(
    '[....................] 0/0 validating, 0 failed',
  );
  expect(progressText({ status: 'completed', request_counts }, NOW_MS)).toBe(
    '[....................] 0/0 completed, 0 failed',
  );
});
