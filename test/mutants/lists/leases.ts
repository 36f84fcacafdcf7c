/** Bugs of the leases: a dead worker that is not missed, and a living one that loses its streams. */
import type { Mutant } from '../mutant.ts';

const LEASES = 'test/engine/leases/leases.test.ts';
const E2E = 'test/e2e/leases.test.ts';
const FULL = 'test/e2e/full-worker.test.ts';
const SIMULATION = { simulation: 20_000 };

export const LEASE_MUTANTS: readonly Mutant[] = [
  {
    name: 'response-left-without-a-name',
    breaks: 'A stream that leaves its worker just after its call has left is paid twice.',
    file: 'activities/attempt/call-signal.ts',
    find: "!this.#isNamed && this.#control.stopped() === 'leave';",
    replace: 'false;',
    caughtBy: SIMULATION,
  },
  {
    name: 'named-response-paid-again',
    breaks: 'A response that the log names is given up when its worker dies, and another one is paid.',
    file: 'activities/attempt/resume-plan.ts',
    find: "    return { strategy: 'reattach', cursor: checkpoint.cursor };\n",
    replace: "    return { strategy: record.text === '' ? 'start' : 'restart' };\n",
    caughtBy: SIMULATION,
  },
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
    name: 'full-worker-takes-more',
    breaks: 'A worker that runs as many streams as it may takes further runs, past the order of the queue.',
    file: 'worker/take-runs.ts',
    find: 'return this.#starts.size >= this.#parts.freeStreams();',
    replace: 'return false;',
    caughtBy: { tests: [FULL] },
  },
  {
    name: 'full-worker-begins-more',
    breaks:
      'A stream that a full worker begins is given to another worker after a second, and may be paid twice.',
    file: 'activities/attempt/running-streams.ts',
    find: 'return this.count() >= this.#most;',
    replace: 'return false;',
    caughtBy: { tests: [FULL] },
  },
  {
    name: 'lease-taken-and-never-told',
    breaks: 'A process that takes over runs and loses the reply hands none of them on.',
    file: 'engine/leases/lease-keeper.ts',
    find: '      if (this.#mayHaveTaken) await this.#adoptTaken();\n',
    replace: '',
    caughtBy: { tests: [LEASES] },
  },
  {
    name: 'lease-lost-and-never-told',
    breaks: 'A worker that was paused, and loses the reply that says so, is not missed when it dies.',
    file: 'engine/leases/lease-keeper.ts',
    find: `      // The lost reply may have said that Redis did not know this process; the next one would not say so again.
      this.#isRecorded = false;
`,
    replace: '',
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
    breaks: 'A worker that dies in the first task of a run is missed only after the timeout of that task.',
    file: 'worker/take-runs.ts',
    find: '{ workflowTask: eagerTasks.take(runId) }',
    replace: '{}',
    caughtBy: { tests: [E2E] },
  },
  {
    name: 'first-task-held-without-a-lease',
    breaks: 'A worker that dies while it holds a task that no lease has is missed only after its timeout.',
    file: 'activities/begin-generation.ts',
    find: 'runIsOurs: YES, isLeased: false',
    replace: 'runIsOurs: YES, isLeased: true',
    caughtBy: { tests: ['test/activities/second-life.test.ts'] },
  },
  {
    name: 'worker-leaves-with-a-held-task',
    breaks:
      'A stream in the first task of its run is taken from a worker that leaves, and its call is paid twice.',
    file: 'worker/create-worker.ts',
    find: '    await streams.leave();\n',
    replace: '',
    caughtBy: { tests: ['test/e2e/scale-in.test.ts'] },
  },
  {
    name: 'heartbeat-each-second',
    breaks: 'Each stream costs Temporal a write of its state per second.',
    file: 'activities/heartbeats.ts',
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
