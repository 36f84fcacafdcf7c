/** An id whose log is past its retention begins a second time, in a worker that still remembers the first. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { RunningStreams } from '../../activities/attempt/running-streams.ts';
import { BegunGenerations } from '../../activities/begin-generation.ts';
import type { Dependencies } from '../../activities/dependencies.ts';
import { reserveBudget } from '../../activities/reserve-budget.ts';
import { NO_USAGE } from '../../contracts/money.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { StreamStep } from '../../contracts/steps.ts';
import { UNKNOWN_END } from '../../engine/budget/ledger.ts';
import { waitFor } from '../harness/wait-for.ts';
import { type AttemptStand, startAttemptStand } from './attempt/attempt-stand.ts';

let stand: AttemptStand;
let dependencies: Dependencies;
let worker: BegunGenerations;
beforeAll(async () => {
  stand = await startAttemptStand(['openai-responses']);
});
afterAll(() => stand?.stop());
beforeEach(async () => {
  await stand.sim.forget();
  const compression = { compressOnce: async () => null, read: async () => null };
  dependencies = { ...stand.dependencies, compression };
  worker = new BegunGenerations(dependencies, new RunningStreams());
});

type Order = StreamStep['order'];
const messages = [{ role: 'user', content: 'Go. [[sim tokens=150 delay_ms=10]]' }] as const;
/** Far more than it takes; only a fault waits this long. */
const SOON_MS = 20_000;
const NOT_OVER = { deadlineAtMs: Number.MAX_SAFE_INTEGER };

const isEnded = async ({ generationId }: Order) =>
  (await stand.dependencies.log.head(generationId))?.status === 'completed';

/** As the API orders it where a key was sent. */
async function beginFirst(): Promise<Order> {
  const { order } = await stand.begin('openai-responses', { messages }, NOT_OVER);
  const head = await stand.dependencies.log.head(order.generationId);
  return head === null ? order : { ...order, logCreatedAtMs: head.createdAt };
}

/** As the API begins it where Temporal still knows the earlier run. */
async function beginAgain(order: Order): Promise<Order> {
  const { generationId } = order;
  await stand.redis.del([
    REDIS_KEYS.logMeta(generationId),
    REDIS_KEYS.logStream(generationId),
    REDIS_KEYS.logInput(generationId),
  ]);
  const { createdAt } = await stand.dependencies.log.create(stand.creationOf(order, { messages }));
  return { ...order, logCreatedAtMs: createdAt, againSinceMs: createdAt };
}

/** It must be written by a separate call, and paid again. */
async function expectWritten(order: Order) {
  const isCalled = async () => (await stand.sim.calls()).length === 2;
  await waitFor('the second call', isCalled, SOON_MS);
  await waitFor('the second answer', () => isEnded(order));
  const events = await stand.dependencies.log.read(order.generationId, -1);
  expect(events.filter(({ type }) => type === 'provider-start')).toHaveLength(1);
  expect(events.at(-1)).toMatchObject({ type: 'generation-end', finishReason: 'stop' });
  expect(await stand.sim.calls()).toHaveLength(2);
}

test('a stream that was not adopted, because its workflow task was lost, is not the answer of the next run', async () => {
  const first = await beginFirst();
  expect(await worker.beginGeneration({ order: first, epochMs: Date.now() })).toMatchObject({
    next: 'stream',
  });
  await waitFor('the first answer', () => isEnded(first));
  expect(await worker.beginGeneration({ order: first, epochMs: Date.now() })).toMatchObject({
    next: 'ended',
  });
  const order = await beginAgain(first);
  await worker.beginGeneration({ order, epochMs: Date.now() });
  await expectWritten(order);
});

test('a generation is not refused because the budgets remember an earlier one with its id that Temporal has forgotten', async () => {
  const first = await beginFirst();
  const { generationId, tenant, user, team, keyId } = first;
  await stand.dependencies.budget.settle({
    generationId,
    tenant,
    user,
    team,
    keyId,
    provider: null,
    model: null,
    usage: { ...NO_USAGE, outputTokens: 10 },
    costMicroUsd: 10,
    attempt: 1,
    counted: UNKNOWN_END,
  });
  const reserve = (order: Order) => reserveBudget(dependencies)(order, { messages, maxOutputTokens: 200 });
  const refused = { outcome: { granted: false } };
  expect(await reserve(first)).toMatchObject(refused);
  const fourDaysLater = Date.now() + 4 * 24 * 3_600_000;
  // A log of the same time may be that of the settled run, whose worker has a clock that is somewhat behind.
  expect(await reserve({ ...first, logCreatedAtMs: Date.now() })).toMatchObject(refused);
  expect(await reserve({ ...first, logCreatedAtMs: fourDaysLater })).toMatchObject({
    outcome: { granted: true },
  });
});

test('an early beginning of a run that another worker got is not used by the next run', async () => {
  const first = await beginFirst();
  worker.beginEarly({ order: first, runIsOurs: Promise.resolve(true), isLikelyOurs: false });
  await waitFor('the first answer', () => isEnded(first));
  const order = await beginAgain(first);
  await worker.beginGeneration({ order, epochMs: Date.now() });
  await expectWritten(order);
});
