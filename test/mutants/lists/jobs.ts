/** Bugs of pipelines, jobs and schedules. */
import type { Mutant } from '../mutant.ts';

const JOBS = 'test/e2e/jobs.test.ts';
const FLOW = 'test/workflows/job.test.ts';
const CHECKS = 'test/engine/jobs/check-pipeline.test.ts';
const SCHEDULES = 'test/e2e/schedules.test.ts';
const KEPT_SCHEDULES = 'test/api/jobs/schedules.test.ts';
const BATCH_FLOW = 'test/workflows/batch.test.ts';

export const JOB_MUTANTS: readonly Mutant[] = [
  {
    name: 'job-item-begins-again-after-continue-as-new',
    breaks: 'A job that continues as a new run pays for its items a second time.',
    file: 'workflows/job-board.ts',
    find: 'next: known?.next ?? 0,',
    replace: 'next: 0,',
    caughtBy: { tests: [FLOW] },
  },
  {
    name: 'job-items-spend-the-same',
    breaks: 'Two generations that run at once spend the same money of their job.',
    file: 'workflows/job-board.ts',
    find: '  return spentMicroUsd + heldMicroUsd;',
    replace: '  return spentMicroUsd;',
    caughtBy: { tests: [FLOW] },
  },
  {
    name: 'job-continues-although-it-was-cancelled',
    breaks: 'A job that is cancelled while it becomes a new run continues, and pays for all its other steps.',
    file: 'workflows/job.ts',
    find: ' && board.failure === null && !isCancelled) {',
    replace: ' && board.failure === null) {',
    caughtBy: { tests: [FLOW] },
  },
  {
    name: 'refused-item-leaves-its-generation',
    breaks: 'An item that is refused when its worker has died leaves a generation that never ends.',
    file: 'activities/jobs/prepare-item.ts',
    find: '      await endStranded(generationIdOf(item));',
    replace: '',
    caughtBy: { tests: ['test/e2e/stranded.test.ts'] },
  },
  {
    name: 'job-runs-after-its-end',
    breaks: 'A job that was ended before it had a run calls and pays for its steps once that run is started.',
    file: 'activities/jobs/begin-step.ts',
    find: "if (outcome === 'ended')",
    replace: 'if (outcome === undefined)',
    caughtBy: { tests: ['test/e2e/stranded.test.ts'] },
  },
  {
    name: 'job-ends-before-what-it-runs',
    breaks: 'A cancelled job ends while its generations still run, and their cost is missing.',
    file: 'workflows/job.ts',
    find: '  const results = [...started, ...(await Promise.allSettled(running))];',
    replace: '  const results = [...started];',
    caughtBy: { tests: [FLOW] },
  },
  {
    name: 'cron-line-of-every-second',
    breaks: 'A schedule of a cron line with seconds starts a generation each second.',
    file: 'contracts/schedules.ts',
    find: "  .regex(CRON, 'expected",
    replace: "  .regex(/./, 'expected",
    caughtBy: { tests: ['test/contracts/schedules.test.ts'] },
  },
  {
    name: 'schedule-without-a-tick',
    breaks: 'A schedule of February 30 is made, looks like any other, and never starts anything.',
    file: 'api/jobs/schedules.ts',
    find: 'if (info === null || info.nextActionTimes.length > 0 || info.numActionsTaken > 0) return;',
    replace: 'if (info !== undefined) return;',
    caughtBy: { tests: [SCHEDULES] },
  },
  {
    name: 'retry-after-of-a-receiver-ignored',
    breaks: 'A receiver that asks for two minutes gets the next attempts after 2, 6 and 18 seconds.',
    file: 'activities/deliver-webhook.ts',
    find: 'Math.max(wantedMs, usualMs)',
    replace: 'usualMs',
    caughtBy: { tests: ['test/engine/webhooks/redis-webhooks.test.ts'] },
  },
  {
    name: 'job-webhook-never-started',
    breaks: 'A job ends, and nobody is notified.',
    file: 'workflows/job.ts',
    find: '  await sendDeliveries(deliveries);',
    replace: '',
    caughtBy: { tests: [FLOW] },
  },
  {
    name: 'schedule-webhook-unsealed',
    breaks: 'The secret of a webhook stands in Redis for as long as its schedule does.',
    file: 'api/jobs/schedules.ts',
    find: '    request: stored,',
    replace: '    request,',
    caughtBy: { tests: ['test/e2e/webhooks.test.ts'] },
  },
  {
    name: 'job-append-not-once',
    breaks: 'A step of a job that is repeated after a crash is in its events twice.',
    file: 'engine/jobs/redis-job-store.ts',
    find: "if redis.call('HEXISTS', KEYS[5], ask.name) == 1 then return {'known'} end",
    replace: '',
    caughtBy: { tests: [JOBS] },
  },
  {
    name: 'job-stream-closes-a-generation-early',
    breaks: 'A reader of a job that reconnects misses the end of a text.',
    file: 'api/jobs/relay-job.ts',
    find: '      await running?.done;',
    replace: '',
    caughtBy: { tests: [JOBS] },
  },
  {
    name: 'job-cursor-forgets-the-generations',
    breaks: 'A reader of a job that reconnects gets text again that it has.',
    file: 'api/jobs/relay-job.ts',
    find: 'this.#sent = new Map(stream.cursor.generations);',
    replace: 'this.#sent = new Map();',
    caughtBy: { tests: [JOBS] },
  },
  {
    name: 'job-of-another-tenant',
    breaks: 'A tenant reads the jobs of another one.',
    file: 'api/jobs/find-job.ts',
    find: 'mayRead(caller, head)',
    replace: 'mayRead({ ...caller, tenant: head.tenant }, head)',
    caughtBy: { tests: ['test/e2e/tenants.test.ts'] },
  },
  {
    name: 'pipeline-circle-is-taken',
    breaks: 'A job whose steps need each other never ends.',
    file: 'engine/jobs/check-pipeline.ts',
    find: 'return ordered.length === steps.length ? ordered : null;',
    replace: 'return ordered;',
    caughtBy: { tests: [CHECKS] },
  },
  {
    name: 'schedule-of-a-revoked-key',
    breaks: 'A key that was revoked still spends.',
    file: 'activities/jobs/open-tick.ts',
    find: 'if (!(await schedules.mayPay(schedule)))',
    replace: 'if (false)',
    caughtBy: { tests: [SCHEDULES] },
  },
  {
    name: 'schedule-forgotten-when-an-answer-is-lost',
    breaks: 'A schedule runs in Temporal, and its ticks find nothing to start.',
    file: 'api/jobs/schedules.ts',
    find: `    if (!(error instanceof TypeError)) throw error;
    await forget(dependencies, schedule);
`,
    replace: `    await forget(dependencies, schedule);
    if (!(error instanceof TypeError)) throw error;
`,
    caughtBy: { tests: [KEPT_SCHEDULES] },
  },
  {
    name: 'schedule-list-fails-with-one',
    breaks: 'The list of schedules is an error while one of them is being created or deleted.',
    file: 'api/jobs/schedules.ts',
    find: "if (error instanceof UnbrokenError && error.code === 'not_found') return null;",
    replace: '',
    caughtBy: { tests: [KEPT_SCHEDULES] },
  },
  {
    name: 'tick-succeeds-where-its-run-failed',
    breaks: 'A schedule is not paused when what it started has failed.',
    file: 'workflows/scheduled-run.ts',
    find: "if (status === 'failed') throw failed(errorCode ?? 'internal');",
    replace: '',
    caughtBy: { tests: [BATCH_FLOW] },
  },
  {
    name: 'file-of-a-schedule-expires',
    breaks: 'A schedule of batches fails after the days for which its file is kept.',
    file: 'api/batches/scheduled-input.ts',
    find: 'if (file.expiresAt < expiresAt) await',
    replace: 'if (file.expiresAt > expiresAt) await',
    caughtBy: { tests: [SCHEDULES] },
  },
];
