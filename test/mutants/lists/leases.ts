/** Bugs of the leases: a dead worker that is not missed, and a living one that loses its streams. */
import type { Mutant } from '../mutant.ts';

const LEASES = 'test/engine/leases/leases.test.ts';
const E2E = 'test/e2e/leases.test.ts';

export const LEASE_MUTANTS: readonly Mutant[] = [
  {
    name: 'lease-of-the-living-expires',
    breaks:
      'Every process takes the runs of the others, though they live: each answer is begun again and again.',
    file: 'engine/leases/lease-scripts.ts',
    find: 'local expiredBefore = now - args.silentMs',
    replace: 'local expiredBefore = now',
    caughtBy: { tests: [LEASES] },
  },
  {
    name: 'lease-never-renewed',
    breaks: 'A worker loses its streams half a second after it has started.',
    file: 'engine/leases/lease-thread.ts',
    find: 'return nowMs - seenAtMs < MAIN_STALL_MS;',
    replace: 'return false;',
    caughtBy: { tests: [LEASES] },
  },
  {
    name: 'lease-outlives-its-main-thread',
    breaks: 'The streams of a worker that hangs stand still for as long as it does.',
    file: 'engine/leases/lease-thread.ts',
    find: 'return nowMs - seenAtMs < MAIN_STALL_MS;',
    replace: 'return true;',
    caughtBy: { tests: [LEASES] },
  },
  {
    name: 'lease-judged-after-silence-of-redis',
    breaks: 'When the clock of Redis jumps, the first process takes the runs of all others.',
    file: 'engine/leases/lease-scripts.ts',
    find: "if latest and now - tonumber(latest) > args.gapMs then redis.call('SET', HOLD, '1', 'PX', args.graceMs) end\n",
    replace: '',
    caughtBy: { tests: [LEASES] },
  },
  {
    name: 'lease-taken-runs-not-recorded',
    breaks:
      'If the process that hands the runs of another on dies too, their streams stand still until a heartbeat.',
    file: 'engine/leases/lease-scripts.ts',
    find: "for index = 1, #runs, 2 do redis.call('HSET', RUNS, runs[index], runs[index + 1]) end\n",
    replace: '',
    caughtBy: { tests: [LEASES] },
  },
  {
    name: 'lease-runs-not-recorded-again',
    breaks: 'A worker that was only paused dies later, and its streams stand still until a heartbeat.',
    file: 'engine/leases/lease-keeper.ts',
    find: 'this.#isRecorded = wasKnown || isWhole;',
    replace: 'this.#isRecorded = true;',
    caughtBy: { tests: [LEASES] },
  },
  {
    name: 'lease-expired-and-nothing-failed',
    breaks: 'A stream whose worker died stands still until its heartbeat timeout.',
    file: 'engine/leases/fail-over.ts',
    find: '      await temporal.activity.fail({ workflowId, runId, activityId }, leaseExpired());\n',
    replace: '',
    caughtBy: { tests: [E2E] },
  },
  {
    name: 'lease-without-the-first-task',
    breaks: 'A worker that dies in the first second of an answer is missed only after four.',
    file: 'worker/take-runs.ts',
    find: '{ workflowTask: eagerTasks.take(runId) }',
    replace: '{}',
    caughtBy: { tests: [E2E] },
  },
  {
    name: 'heartbeat-each-second',
    breaks: 'Each stream costs Temporal a write of its state per second.',
    file: 'activities/stream-from-provider.ts',
    find: 'heartbeatTimeoutMs * HEARTBEAT)',
    replace: '1_000)',
    caughtBy: { tests: [E2E] },
  },
  {
    name: 'cancel-waits-for-a-heartbeat',
    breaks: 'A silent stream is cancelled seconds later, and is paid for meanwhile.',
    file: 'activities/attempt/running-streams.ts',
    find: "if (stream.generationId === generationId) stream.stop('cancel');",
    replace: '',
    caughtBy: { tests: [E2E] },
  },
];
