import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../activities/create-activities.ts';
import type { GenerationOrder } from '../../contracts/generation.ts';
import { SIGNALS, webhookRunId, workflowId } from '../../contracts/names.ts';
import type { BegunGeneration, GenerationOutcome } from '../../contracts/steps.ts';
import { FailOver } from '../../engine/leases/fail-over.ts';
import { warningOf } from '../harness/budget-warning.ts';
import { waitFor } from '../harness/wait-for.ts';
import { deliveryOf, endless, failsWhenCancelled, firstFails, runGeneration, silent } from './runs.ts';
import {
  FIRST,
  orderOf,
  outcomeWith,
  RESERVATION,
  SECOND,
  startGeneration,
  startWorkflowEnvironment,
  stubActivities,
  type WorkflowEnvironment,
} from './workflow-environment.ts';

let environment: WorkflowEnvironment;

beforeAll(async () => {
  environment = await startWorkflowEnvironment();
});

afterAll(async () => {
  await environment?.stop();
});

const ended =
  (facts: Partial<GenerationOutcome> = {}) =>
  async (): Promise<BegunGeneration> => ({
    next: 'ended',
    outcome: outcomeWith(facts),
  });

function workflowTasksOf({ history }: { history: { events?: unknown[] | null } }): number {
  return JSON.stringify(history.events).split('"workflowTaskCompletedEventAttributes":{').length - 1;
}

test('a short answer takes one step and one workflow task', async () => {
  const run = await runGeneration(environment, { beginGeneration: ended() }, { cache: 'on' });
  expect(run.outcome).toEqual(outcomeWith(FIRST));
  expect(run.calls).toEqual(['beginGeneration']);
  expect(workflowTasksOf(run)).toBe(1);
});

test('a long answer is adopted, settled and stored, in two workflow tasks', async () => {
  const run = await runGeneration(environment, {}, { cache: 'on' });
  expect(run.outcome).toEqual(outcomeWith(FIRST));
  expect(run.calls).toEqual([
    'beginGeneration',
    'streamFromProvider first',
    'settleBudget completed',
    'storeAnswer',
  ]);
  expect(workflowTasksOf(run)).toBe(2);
});

test('after an unavailable candidate the next one answers', async () => {
  const { outcome, calls } = await runGeneration(environment, firstFails('provider_unavailable'));
  expect(outcome).toEqual(outcomeWith(SECOND));
  expect(calls).toEqual([
    'beginGeneration',
    'streamFromProvider first',
    'streamFromProvider second',
    'settleBudget completed',
  ]);
});

test('a first candidate that failed at once is not called again', async () => {
  const failure = { code: 'provider_auth', message: 'refused' } as const;
  const { outcome, calls } = await runGeneration(environment, {
    beginGeneration: async () => ({ next: 'fall-back', reservation: RESERVATION, failure }),
  });
  expect(outcome).toEqual(outcomeWith(SECOND));
  expect(calls).toEqual(['beginGeneration', 'streamFromProvider second', 'settleBudget completed']);
});

test('a wait that the provider asked for is kept by a durable timer', async () => {
  const { outcome, history } = await runGeneration(environment, {
    beginGeneration: async () => ({ next: 'stream', reservation: RESERVATION, waitMs: 30 }),
  });
  expect(outcome).toEqual(outcomeWith(FIRST));
  expect(history.events?.some((event) => event.timerFiredEventAttributes)).toBe(true);
});

test('a refusal by content policy is not retried at another model', async () => {
  const { outcome, calls } = await runGeneration(environment, firstFails('content_filtered'));
  expect(outcome).toMatchObject({ status: 'failed', errorCode: 'content_filtered' });
  expect(calls.slice(1)).toEqual([
    'streamFromProvider first',
    'closeGeneration content_filtered',
    'settleBudget failed',
  ]);
});

test('a failed route names the errors of its candidates; one with a single candidate has the error of that one', async () => {
  const single = await runGeneration(environment, firstFails('provider_auth'), { candidates: [FIRST] });
  expect(single.outcome.errorCode).toBe('provider_auth');
  const candidates = [FIRST, { ...FIRST, model: 'other' }];
  const route = await runGeneration(environment, firstFails('provider_auth'), { candidates });
  expect(route.outcome.errorCode).toBe('all_candidates_failed');
});

test('a spent budget closes the generation without a provider, and is settled', async () => {
  const window = { per: 'user', id: 'ann', window: 'day', unit: 'tokens' } as const;
  const budget = { ...window, limit: 10, spent: 9, resetsAtMs: 0 };
  const refusal = { budget, remaining: 1 };
  const { outcome, calls } = await runGeneration(environment, {
    beginGeneration: async () => ({ next: 'refuse', refusal }),
  });
  expect(outcome).toMatchObject({ status: 'failed', errorCode: 'budget_exceeded' });
  expect(calls).toEqual(['beginGeneration', 'closeGeneration budget_exceeded', 'settleBudget failed']);
});

/** As after the lease of the worker has expired that has its activity. */
async function failOver(handle: Awaited<ReturnType<typeof startGeneration>>): Promise<void> {
  const { client } = environment.temporal;
  const process = await waitFor('the worker that has the activity', async () => {
    const { raw } = await handle.describe();
    return raw.pendingActivities?.[0]?.lastWorkerIdentity;
  });
  const { workflowId, firstExecutionRunId: runId } = handle;
  const plan = { isBack: async () => false, onDone: () => undefined, report: () => undefined };
  await new FailOver({ temporal: client, ...plan }).take([{ process, workflowId, runId }]);
}

test('a cancelled generation is closed and its budget settled', async () => {
  const { outcome, calls } = await runGeneration(environment, endless);
  expect(outcome).toMatchObject({ status: 'cancelled' });
  // The stream may be silent, and its next heartbeat may be far.
  expect(calls.filter((call) => call === 'requestCancel')).toHaveLength(1);
  expect(calls.at(-1)).toBe('settleBudget cancelled');
  expect(calls.at(-2)).toMatch(/^closeGeneration /);
});

describe('a generation that is cancelled ends as cancelled', () => {
  const cancel = (handle: { cancel(): Promise<unknown> }) => handle.cancel();
  const alone = { candidates: [FIRST] };

  test('while its worker is dead', async () => {
    const { outcome, calls } = await runGeneration(environment, silent(), alone, async (handle) => {
      await handle.cancel();
      await failOver(handle);
    });
    expect(outcome).toMatchObject({ status: 'cancelled' });
    expect(calls.at(-1)).toBe('settleBudget cancelled');
  });

  test.each<[string, Partial<GenerationOrder>]>([
    ['its only candidate', alone],
    ['a candidate before others', {}],
  ])('in the moment of an error of %s, and asks no other', async (_, facts) => {
    const failing = failsWhenCancelled('provider_unavailable');
    const { outcome, calls } = await runGeneration(environment, failing, facts, cancel);
    expect(outcome).toMatchObject({ status: 'cancelled' });
    expect(calls.filter((call) => call.startsWith('streamFromProvider'))).toEqual([
      'streamFromProvider first',
    ]);
  });

  test('where it waits for room and the wait fails', async () => {
    const full = { code: 'provider_full', message: 'full', waitMs: 1 } as const;
    const { outcome } = await runGeneration(
      environment,
      {
        ...silent(),
        beginGeneration: async () => ({ next: 'fall-back', reservation: RESERVATION, failure: full }),
      },
      alone,
      cancel,
    );
    expect(outcome).toMatchObject({ status: 'cancelled' });
  });
});

test('a step that retries for long waits by timers, not by heartbeats of a workflow task', async () => {
  let attempts = 0;
  const { history, outcome } = await runGeneration(environment, {
    settleBudget: async () => {
      attempts += 1;
      if (attempts < 8) throw new Error('the service is unreachable');
      return { warnings: [] };
    },
  });
  expect(outcome).toEqual(outcomeWith(FIRST));
  // The sixth retry comes after 3.2 s, the seventh after 6.4 s.
  expect(history.events?.filter((event) => event.timerStartedEventAttributes)).toHaveLength(2);
});

describe('a run with a step that can never succeed', () => {
  const hopeless = async (): Promise<never> => {
    throw ApplicationFailure.create({ type: 'internal', message: 'no retry helps', nonRetryable: true });
  };
  const failed = (run: Promise<unknown>) =>
    expect(run).rejects.toMatchObject({ cause: { message: 'no retry helps' } });

  test('by its settlement fails, and its reservation is released by one that books nothing', async () => {
    const settled: number[] = [];
    await failed(
      runGeneration(environment, {
        settleBudget: async ({ outcome }) => {
          settled.push(outcome.costMicroUsd);
          return outcome.costMicroUsd > 0 ? hopeless() : { warnings: [] };
        },
      }),
    );
    expect(settled).toEqual([outcomeWith().costMicroUsd, 0]);
  });

  test('by its settlement and by its release fails all the same', async () => {
    await failed(runGeneration(environment, { settleBudget: hopeless }));
  });

  test('by the end of its log fails, and its budget is settled first', async () => {
    const settled: string[] = [];
    await failed(
      runGeneration(environment, {
        ...firstFails('content_filtered'),
        closeGeneration: hopeless,
        settleBudget: async ({ outcome }) => {
          settled.push(outcome.status);
          return { warnings: [] };
        },
      }),
    );
    expect(settled).toEqual(['failed']);
  });

  test('by its beginning is ended and settled', async () => {
    const { outcome, calls } = await runGeneration(environment, { beginGeneration: hopeless });
    expect(outcome.errorCode).toBe('internal');
    expect(calls.at(-1)).toBe('settleBudget failed');
  });
});

test('a webhook is delivered by a separate run, once however often its generation is settled', async () => {
  const delivery = deliveryOf(`msg_${crypto.randomUUID()}`);
  const outcome = outcomeWith();
  const sent: string[] = [];
  let attempts = 0;
  const { activities } = stubActivities({
    beginGeneration: async () => ({ next: 'ended', outcome, deliveries: [delivery] }),
    deliverWebhook: async ({ deliveryId }) => {
      attempts += 1;
      if (attempts === 1) throw ApplicationFailure.create({ message: 'busy', nextRetryDelay: 1 });
      sent.push(deliveryId);
    },
  });
  await environment.withWorker(activities, async (taskQueue) => {
    for (const _ of ['a generation', 'the same delivery again']) {
      const handle = await startGeneration(environment, taskQueue, orderOf());
      expect(await handle.result()).toEqual(outcome);
    }
    await environment.temporal.client.workflow.getHandle(webhookRunId(delivery)).result();
  });
  expect(sent).toEqual([delivery.deliveryId]);
});

test('a webhook whose receiver is gone is given up, and its run says so', async () => {
  const delivery = deliveryOf(`msg_${crypto.randomUUID()}`);
  const { activities, calls } = stubActivities({
    settleBudget: async () => ({ warnings: [], deliveries: [delivery] }),
    deliverWebhook: async () => {
      throw ApplicationFailure.create({ message: 'The webhook answered 410.', nonRetryable: true });
    },
  });
  await environment.withWorker(activities, async (taskQueue) => {
    const handle = await startGeneration(environment, taskQueue, orderOf());
    expect(await handle.result()).toMatchObject({ status: 'completed' });
    const run = environment.temporal.client.workflow.getHandle(webhookRunId(delivery));
    await expect(run.result()).rejects.toThrow('Workflow execution failed');
  });
  expect(calls).toContain('giveUpWebhook response.completed');
});

test('a warning is sent once, by a separate run, after the generation has ended', async () => {
  const warning = warningOf(`warn_${crypto.randomUUID()}`, 'acme');
  const outcome = outcomeWith(FIRST);
  const sent: string[] = [];
  const changed: Partial<Activities> = {
    beginGeneration: async () => ({ next: 'ended', outcome, warnings: [warning] }),
    sendBudgetWarning: async ({ warningId }) => {
      sent.push(warningId);
    },
  };
  const { activities } = stubActivities(changed);
  await environment.withWorker(activities, async (taskQueue) => {
    for (const _ of ['a generation', 'the same warning again']) {
      const handle = await startGeneration(environment, taskQueue, orderOf());
      expect(await handle.result()).toEqual(outcome);
    }
    await waitFor('the warning is sent', () => sent.length > 0);
    const { client } = environment.temporal;
    await client.workflow.getHandle(`acme/${warning.warningId}`).result();
  });
  expect(sent).toEqual([warning.warningId]);
});

test('the stop signal ends a running generation like a cancellation', async () => {
  const { outcome, calls } = await runGeneration(environment, endless, {}, (handle) =>
    handle.signal(SIGNALS.stop),
  );
  expect(outcome).toMatchObject({ status: 'cancelled' });
  expect(calls.at(-1)).toBe('settleBudget cancelled');
});

test('a raised cap reaches the ledger while the answer runs; nonsense does not', async () => {
  const { calls } = await runGeneration(environment, endless, {}, async (handle) => {
    await handle.signal(SIGNALS.raiseCap, { maxOutputTokens: 900 });
    await handle.signal(SIGNALS.raiseCap, { maxOutputTokens: -1 });
    await handle.cancel();
  });
  expect(calls.filter((call) => call.startsWith('raiseOutputCap'))).toEqual(['raiseOutputCap 900']);
});

describe('a generation whose older turns are to be summarised', () => {
  const withSummary = () => ({ compaction: orderOf(), cache: 'on' as const });
  const ofSummary = ['beginGeneration', 'streamFromProvider first', 'settleBudget completed'];
  const ofAnswer = [...ofSummary, 'storeAnswer'];

  test('begins after another generation has written the summary, and it was noted', async () => {
    const order = withSummary();
    const run = await runGeneration(environment, {}, order);
    expect(run.outcome).toEqual(outcomeWith(FIRST));
    expect(run.calls).toEqual([...ofSummary, 'noteCompaction', ...ofAnswer]);
    const child = workflowId(order.compaction.tenant, order.compaction.generationId);
    const summary = environment.temporal.client.workflow.getHandle<() => Promise<GenerationOutcome>>(child);
    expect(await summary.result()).toEqual(outcomeWith(FIRST));
  });

  test('continues with the whole conversation where that generation fails', async () => {
    let begun = 0;
    const beginGeneration = async (): Promise<BegunGeneration> => {
      begun += 1;
      return begun === 1
        ? { next: 'refuse', refusal: { budget: null, remaining: 0 } }
        : { next: 'ended', outcome: outcomeWith() };
    };
    const { outcome, calls } = await runGeneration(environment, { beginGeneration }, withSummary());
    expect(outcome).toEqual(outcomeWith(FIRST));
    expect(calls).not.toContain('noteCompaction');
    expect(calls.filter((call) => call === 'beginGeneration')).toHaveLength(2);
  });

  test('is cancelled while that generation runs, and so is that one', async () => {
    const order = withSummary();
    const child = workflowId(order.compaction.tenant, order.compaction.generationId);
    const { outcome, calls } = await runGeneration(environment, endless, order);
    expect(outcome).toMatchObject({ status: 'cancelled' });
    const summary = environment.temporal.client.workflow.getHandle<() => Promise<GenerationOutcome>>(child);
    expect(await summary.result()).toMatchObject({ status: 'cancelled' });
    expect(calls).not.toContain('noteCompaction');
    expect(calls.filter((call) => call === 'beginGeneration')).toHaveLength(1);
  });

  test('is cancelled before that generation has begun, and ends that one too', async () => {
    const order = orderOf(withSummary());
    const { activities, calls } = stubActivities();
    await environment.withWorker(activities, async (taskQueue) => {
      const handle = await startGeneration(environment, taskQueue, order, { startDelay: '1s' });
      await handle.cancel();
      expect(await handle.result()).toMatchObject({ status: 'cancelled' });
    });
    const [ends, settles] = ['closeGeneration', 'settleBudget'].map((step) =>
      calls.filter((call) => call.startsWith(step)),
    );
    expect(ends).toHaveLength(2);
    expect(settles).toEqual(['settleBudget cancelled', 'settleBudget cancelled']);
  });
});
