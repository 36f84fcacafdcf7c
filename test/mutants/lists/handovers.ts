/** Bugs of lines that wait at their vendors for half the price. */
import type { Mutant } from '../mutant.ts';

const FLOW = 'test/workflows/vendor-batches.test.ts';
const STEPS = 'test/activities/batches/handover.test.ts';
const PARTS = 'test/engine/batches/handover.test.ts';
const STORE = 'test/engine/batches/redis-batch-store.test.ts';
const ORPHANS = 'test/api/generations/release-orphans.test.ts';

export const HANDOVER_MUTANTS: readonly Mutant[] = [
  {
    name: 'handover-created-without-a-look',
    breaks:
      'After a death while a batch was created, its vendor gets a second one, and all lines are paid twice.',
    file: 'activities/batches/submit-part.ts',
    find: 'if (await isFound(dependencies, vendor, { step, name, doubts: known?.doubts ?? [] })) return;',
    replace: '',
    caughtBy: { tests: [STEPS] },
  },
  {
    name: 'handover-second-batch-stays',
    breaks: 'Of two batches that two processes create at the same time, both run to their end.',
    file: 'activities/batches/submit-part.ts',
    find: 'if (kept.vendorId !== ref.vendorId) await vendor.cancel(ref, step.signal);',
    replace: '',
    caughtBy: { tests: [STEPS] },
  },
  {
    name: 'handover-fact-is-overwritten',
    breaks: 'A late process replaces the batch of a vendor that another one has noted.',
    file: 'engine/batches/redis-batch-store.ts',
    find: "redis.call(ask.replaces and 'HSET' or 'HSETNX', KEYS[1], ARGV[2], ARGV[3])",
    replace: "redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])",
    caughtBy: { tests: [STORE] },
  },
  {
    name: 'handover-interrupted-reading-is-booked',
    breaks: 'The user pays for an answer twice whose recording was interrupted.',
    file: 'activities/attempt/account-attempt.ts',
    find: 'if (provider?.isStored === true) return { usage: NO_USAGE, costMicroUsd: 0 };',
    replace: '',
    caughtBy: { tests: [STEPS] },
  },
  {
    name: 'handover-calls-while-the-vendor-runs',
    breaks: 'A line is called while its vendor may still answer it.',
    file: 'workflows/vendor-batches.ts',
    find: 'await awaitVendors({ ...step, cancels: true });',
    replace: '',
    caughtBy: { tests: [FLOW] },
  },
  {
    name: 'handover-answered-line-is-called',
    breaks: 'A line that its vendor has answered is called, too.',
    file: 'workflows/batch-shard.ts',
    find: 'if (this.#taken.has(line)) continue;',
    replace: '',
    caughtBy: { tests: [FLOW] },
  },
  {
    name: 'handover-unreadable-answer-is-called',
    breaks: 'A line whose answer cannot be read is paid again, by a call.',
    file: 'activities/batches/take-answers.ts',
    find: 'if (ASKED_AGAIN.has(code)) return null;',
    replace: 'return null;',
    caughtBy: { tests: [STEPS] },
  },
  {
    name: 'handover-cancelled-loses-answers',
    breaks: 'What a vendor had answered before its batch was cancelled is paid, and in no file.',
    file: 'workflows/batch.ts',
    find: 'const isStopped = this.#stop !== null && !this.#isHandedOver;',
    replace: 'const isStopped = this.#stop !== null;',
    caughtBy: { tests: [FLOW] },
  },
  {
    name: 'handover-prepared-line-stays-open',
    breaks:
      'A line that was prepared and is not called after all holds its reservation, and its batch never ends.',
    file: 'workflows/batch-shard.ts',
    find: 'if (mayBeOpen) await this.#takeAnswers({ closes: true });',
    replace: '',
    caughtBy: { tests: [FLOW] },
  },
  {
    name: 'handover-calls-before-all-answers-are-taken',
    breaks: 'A line is refused for a budget that the answers of other lines are about to free.',
    file: 'workflows/batch.ts',
    find: '...(this.#isHandedOver && again === undefined ? { onlyAnswers: true } : {}),',
    replace: '',
    caughtBy: { tests: [FLOW] },
  },
  {
    name: 'handover-calls-while-answers-are-taken',
    breaks: 'A line is refused for a budget that the answers of shards that still run are about to free.',
    file: 'workflows/batch.ts',
    find: 'if (nextShard === shards) await Promise.all(running);',
    replace: '',
    caughtBy: { tests: [FLOW] },
  },
  {
    name: 'handover-begins-again',
    breaks: 'A batch that continues as a new run is handed over a second time.',
    file: 'workflows/batch.ts',
    find: "mode === 'vendor' && done === undefined && this.#stop === null",
    replace: "mode === 'vendor' && this.#stop === null",
    caughtBy: { tests: [FLOW] },
  },
  {
    name: 'handover-reservation-is-an-orphan',
    breaks: 'The reservation of a line that waits is released, and its user spends the money a second time.',
    file: 'api/generations/release-orphans.ts',
    find: "(heldBy === null || (await runOf(heldBy))?.status.name !== 'RUNNING')",
    replace: 'true',
    caughtBy: { tests: [ORPHANS] },
  },
  {
    name: 'handover-answer-of-another-line',
    breaks: 'A line gets the answer to another one.',
    file: 'engine/batches/handover-objects.ts',
    find: 'places.set([at, at + bytes.byteLength], 2 * line);',
    replace: 'places.set([at, at + bytes.byteLength], 2 * answered.size);',
    caughtBy: { tests: [PARTS] },
  },
  {
    name: 'handover-part-of-two-groups',
    breaks: 'Lines of two models are in one batch, which OpenAI refuses as a whole.',
    file: 'engine/batches/handover.ts',
    find: 'const key = JSON.stringify([provider, group]);',
    replace: 'const key = JSON.stringify([provider, group.slice(0, 0)]);',
    caughtBy: { tests: [PARTS] },
  },
];
