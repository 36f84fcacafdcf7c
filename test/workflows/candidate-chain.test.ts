import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../activities/create-activities.ts';
import type { ErrorCode } from '../../contracts/errors.ts';
import type { RoutingPlan } from '../../contracts/generation.ts';
import { runGeneration } from './runs.ts';
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
afterAll(() => environment?.stop());

const LARGE = { provider: 'second', model: 'large' };

function planOf(facts: Partial<RoutingPlan> = {}): RoutingPlan {
  return {
    task: null,
    reasons: [],
    contextTokens: [null, null],
    onContextLength: [],
    maxWaitMs: 10_000,
    onContentPolicy: 'tell',
    whenFull: 'next',
    cachedAnswer: false,
    ...facts,
  };
}

/** Each model fails by its next code until it has none left; then it answers. A code with `:ms` has that wait. */
function failing(codes: Readonly<Record<string, readonly string[]>>): Partial<Activities> {
  const left = new Map(Object.entries(codes).map(([model, list]) => [model, [...list]]));
  return {
    streamFromProvider: async ({ candidate }) => {
      const [type, waitMs] = (left.get(candidate.model)?.shift() ?? '').split(':');
      if (!type) return outcomeWith(candidate);
      const details = [{ waitMs: Number(waitMs ?? 0) }];
      throw ApplicationFailure.create({ type, message: type, nonRetryable: true, details });
    },
  };
}

const FULL = 'provider_full:50' satisfies `${ErrorCode}:50`;

describe('a candidate without room', () => {
  test('is passed over while there is another, and is no failure of the route', async () => {
    const { outcome, calls } = await runGeneration(environment, failing({ m1: [FULL] }), {
      routing: planOf(),
    });
    expect(outcome).toEqual(outcomeWith(SECOND));
    expect(calls).toContain('streamFromProvider second');
    expect(calls.some((call) => call.startsWith('waitForRoom'))).toBe(false);
  });

  test('is waited for when no other has room, and is then called with the key that had room', async () => {
    const rooms: unknown[] = [];
    const answers = failing({ m1: [FULL], m2: [FULL] });
    const { outcome, calls } = await runGeneration(
      environment,
      {
        streamFromProvider: async (step) => {
          if (step.room !== undefined) rooms.push(step.room);
          return answers.streamFromProvider?.(step) ?? outcomeWith(step.candidate);
        },
      },
      { routing: planOf() },
    );
    expect(outcome).toEqual(outcomeWith(FIRST));
    expect(calls.filter((call) => call.startsWith('waitForRoom'))).toEqual(['waitForRoom first']);
    expect(rooms).toEqual([{ keyId: 'key', slot: 1 }]);
  });

  test('is waited for at once if the route says so', async () => {
    const { outcome, calls } = await runGeneration(environment, failing({ m1: [FULL] }), {
      routing: planOf({ whenFull: 'wait' }),
    });
    expect(outcome).toEqual(outcomeWith(FIRST));
    expect(calls).not.toContain('streamFromProvider second');
  });

  test('and with a Retry-After is waited for by a durable timer', async () => {
    let looks = 0;
    const { outcome, history } = await runGeneration(
      environment,
      {
        ...failing({ m1: [FULL] }),
        waitForRoom: async () => {
          looks += 1;
          return looks === 1 ? { restMs: 40 } : { keyId: 'key', slot: 1 };
        },
      },
      { candidates: [FIRST], routing: planOf() },
    );
    expect(outcome).toEqual(outcomeWith(FIRST));
    expect(history.events?.some((event) => event.timerFiredEventAttributes)).toBe(true);
  });

  test('is not waited for where the wait would be longer than the route allows', async () => {
    const { outcome, calls } = await runGeneration(environment, failing({ m1: ['provider_full:60000'] }), {
      candidates: [FIRST],
      routing: planOf({ maxWaitMs: 1_000 }),
    });
    expect(outcome.errorCode).toBe('provider_full');
    expect(calls.some((call) => call.startsWith('waitForRoom'))).toBe(false);
  });
});

describe('an input that is too long', () => {
  test('is never sent to a model whose window is as small', async () => {
    const { outcome, calls } = await runGeneration(
      environment,
      failing({ m1: ['context_length_exceeded'] }),
      { routing: planOf({ contextTokens: [8_000, 4_000] }) },
    );
    expect(outcome.errorCode).toBe('context_length_exceeded');
    expect(calls).not.toContain('streamFromProvider second');
  });

  test('goes to the model that the route keeps for it, before all others', async () => {
    const onContextLength = [{ ...LARGE, contextTokens: 1_000_000 }];
    const { outcome } = await runGeneration(environment, failing({ m1: ['context_length_exceeded'] }), {
      routing: planOf({ contextTokens: [8_000, 16_000], onContextLength }),
    });
    expect(outcome).toEqual(outcomeWith(LARGE));
  });

  test('leaves the model for long inputs alone after any other error', async () => {
    const onContextLength = [{ ...LARGE, contextTokens: 1_000_000 }];
    const { outcome } = await runGeneration(environment, failing({ m1: ['provider_unavailable'] }), {
      routing: planOf({ onContextLength }),
    });
    expect(outcome).toEqual(outcomeWith(SECOND));
  });
});

test('a refusal by content policy goes to the next model only where the route says so', async () => {
  const { outcome } = await runGeneration(environment, failing({ m1: ['content_filtered'] }), {
    routing: planOf({ onContentPolicy: 'fall-back' }),
  });
  expect(outcome).toEqual(outcomeWith(SECOND));
});

describe('the end of the chain', () => {
  const allFail = failing({ m1: ['provider_unavailable'], m2: ['provider_circuit_open:9000'] });
  const stored = outcomeWith({ cached: true, degraded: true });

  test('is an old stored answer where the route and the request allow it', async () => {
    const { outcome, calls } = await runGeneration(
      environment,
      { ...allFail, answerFromCache: async () => stored },
      { cache: 'on', routing: planOf({ cachedAnswer: true }) },
    );
    expect(outcome).toEqual(stored);
    // An answer from the cache is not stored again.
    expect(calls).not.toContain('storeAnswer');
  });

  test('is the error of every candidate where nothing is stored or the cache is off', async () => {
    const codes = { m1: ['provider_unavailable'], m2: ['provider_circuit_open:9000'] };
    const facts = { routing: planOf({ cachedAnswer: true }) };
    const off = await runGeneration(environment, failing(codes), { ...facts, cache: 'off' });
    expect(off.outcome.errorCode).toBe('all_candidates_failed');
    expect(off.calls).not.toContain('answerFromCache');
    const none = await runGeneration(environment, failing(codes), { ...facts, cache: 'on' });
    expect(none.outcome.errorCode).toBe('all_candidates_failed');
    expect(none.calls).toContain('answerFromCache');
  });
});

test('no candidate is called after the deadline of the generation', async () => {
  const { outcome, calls } = await runGeneration(environment, {}, { deadlineAtMs: Date.now() - 1 });
  expect(outcome.errorCode).toBe('generation_timeout');
  expect(calls.some((call) => call.startsWith('streamFromProvider'))).toBe(false);
});
