import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { endless, firstFails, runGeneration } from './runs.ts';
import {
  FIRST,
  outcomeWith,
  SECOND,
  startWorkflowEnvironment,
  type WorkflowEnvironment,
} from './workflow-environment.ts';

let environment: WorkflowEnvironment;

beforeAll(async () => {
  environment = await startWorkflowEnvironment();
});

afterAll(async () => {
  await environment?.stop();
});

test('a plain run reserves, streams, settles and stores, in this order', async () => {
  const { outcome, calls } = await runGeneration(environment, {}, { cache: 'on' });
  expect(outcome).toEqual(outcomeWith(FIRST));
  expect(calls.slice(0, 2).sort()).toEqual(['lookUpCache', 'reserveBudget']);
  expect(calls.slice(2)).toEqual(['streamFromProvider first', 'settleBudget completed', 'storeAnswer']);
});

test('a plain run without the cache takes two workflow tasks', async () => {
  const { calls, history } = await runGeneration(environment);
  expect(calls).toEqual(['reserveBudget', 'streamFromProvider first', 'settleBudget completed']);
  const tasks = history.events?.filter((event) => event.workflowTaskCompletedEventAttributes);
  expect(tasks).toHaveLength(2);
});

test('a cached answer ends the run without a provider, and is not stored again', async () => {
  const hit = outcomeWith({ cached: true });
  const lookUpCache = async () => ({ hit, unavailable: null });
  const { outcome, calls } = await runGeneration(environment, { lookUpCache }, { cache: 'on' });
  expect(outcome).toEqual(hit);
  expect(calls.slice(2)).toEqual(['settleBudget completed']);
});

test('a candidate that is unavailable gives way to the next', async () => {
  const { outcome, calls } = await runGeneration(environment, firstFails('provider_unavailable'));
  expect(outcome).toEqual(outcomeWith(SECOND));
  expect(calls).toEqual([
    'reserveBudget',
    'streamFromProvider first',
    'streamFromProvider second',
    'settleBudget completed',
  ]);
});

test('an answer that was declined by content policy is not asked of another model', async () => {
  const { outcome, calls } = await runGeneration(environment, firstFails('content_filtered'));
  expect(outcome).toMatchObject({ status: 'failed', errorCode: 'content_filtered' });
  expect(calls.slice(1)).toEqual([
    'streamFromProvider first',
    'closeGeneration content_filtered',
    'settleBudget failed',
  ]);
});

test('a route whose candidates have all failed says so; one of a single candidate says why', async () => {
  const single = await runGeneration(environment, firstFails('provider_auth'), { candidates: [FIRST] });
  expect(single.outcome.errorCode).toBe('provider_auth');
  const candidates = [FIRST, { ...FIRST, model: 'other' }];
  const route = await runGeneration(environment, firstFails('provider_auth'), { candidates });
  expect(route.outcome.errorCode).toBe('all_candidates_failed');
});

test('a spent budget closes the generation without a provider, and is settled', async () => {
  const budget = {
    per: 'user',
    id: 'ann',
    window: 'day',
    unit: 'tokens',
    limit: 10,
    spent: 9,
    resetsAtMs: 0,
  } as const;
  const refusal = { granted: false, budget, remaining: 1 } as const;
  const { outcome, calls } = await runGeneration(environment, { reserveBudget: async () => refusal });
  expect(outcome).toMatchObject({ status: 'failed', errorCode: 'budget_exceeded' });
  expect(calls).toEqual(['reserveBudget', 'closeGeneration budget_exceeded', 'settleBudget failed']);
});

test('a cancelled generation is closed and its budget settled', async () => {
  const { outcome, calls } = await runGeneration(environment, endless);
  expect(outcome).toMatchObject({ status: 'cancelled' });
  expect(calls.at(-1)).toBe('settleBudget cancelled');
  expect(calls.at(-2)).toMatch(/^closeGeneration /);
});
