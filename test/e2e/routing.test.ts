import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { workflowId } from '../../contracts/names.ts';
import type { ProvidersView, RouteExplanation } from '../../contracts/routing.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, temporalClient } from '../harness/streaming-worker.ts';
import { waitFor } from '../harness/wait-for.ts';

const REQUESTS = 6;
const WINDOW_MS = 1_500;
const METERED = 'metered/sim-large';
const SECRETS = { METERED_KEY: 'sk-metered-0123456789' };

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    env: SECRETS,
    config: (simulatorUrl) => ({
      providers: {
        metered: {
          wire: 'openai-responses',
          baseUrl: `${simulatorUrl}/v1`,
          keys: [{ env: 'METERED_KEY', limits: { requests: REQUESTS, windowMs: WINDOW_MS } }],
        },
      },
      prices: {
        'simulated/cheap': { inputMicroUsdPerMillion: 100_000, outputMicroUsdPerMillion: 200_000 },
        'simulated/dear': { inputMicroUsdPerMillion: 3_000_000, outputMicroUsdPerMillion: 15_000_000 },
      },
      routes: {
        tasks: {
          candidates: ['simulated/cheap', 'simulated/dear'],
          tasks: { simple: ['simulated/cheap'], complex: ['simulated/dear'] },
        },
      },
    }),
  });
});
afterAll(async () => {
  await closeTemporalClients();
  await stack?.stop();
});
beforeEach(() => stack.sim.forget());

const post = (path: string, body: object) =>
  stack.api.send(path, { method: 'POST', body: JSON.stringify(body) });
const short = () => promptOf({ tokens: 5, delayMs: 1 });

async function submit(facts: { user: string; priority?: number; input?: string }): Promise<string> {
  return (await stack.api.submit({ input: short(), model: METERED, cache: 'off', ...facts })).id;
}

/** When the provider was asked for each of these, ms since 1970. */
async function startsOf(ids: readonly string[]): Promise<number[]> {
  return Promise.all(
    ids.map(async (id) => {
      const events = await startReading(stack.api, id).whole;
      expect(faultsOf(events)).toEqual([]);
      expect(events.at(-1)).toMatchObject({ type: 'generation-end' });
      const start = events.find(({ type }) => type === 'provider-start');
      if (start === undefined) throw new Error(`${id} was never begun`);
      return start.at;
    }),
  );
}

describe('POST /v1/routes/explain', () => {
  test('says which model is chosen, why, and what each other would cost, and generates nothing', async () => {
    const input = 'Prove that the square root of 2 is irrational, step by step.';
    const response = await post('/v1/routes/explain', { input, route: 'tasks', maxOutputTokens: 1_000 });
    const { task, models } = (await response.json()) as RouteExplanation;
    expect(task).toMatchObject({ task: 'complex', source: 'classifier' });
    expect(models.map(({ model, place }) => [model, place])).toEqual([
      ['dear', 1],
      ['cheap', 2],
    ]);
    expect(models[0]?.why).toContain('for complex tasks');
    expect(models.map((model) => model.maxCostMicroUsd ?? 0)).toEqual([
      expect.closeTo(15_200, -3),
      expect.closeTo(206, -1),
    ]);
    expect(await stack.sim.calls()).toEqual([]);
  });

  test('tells the routes that there are where the request names another', async () => {
    const response = await post('/v1/routes/explain', { input: 'Hi', route: 'fancy' });
    expect(response.status).toBe(404);
    expect(await response.text()).toContain('the routes are: default, tasks');
  });
});

test('the generation goes where the explanation says, and the run tells why', async () => {
  const input = `What is the capital of France? ${short()}`;
  const body = await stack.api.submit({ input, route: 'tasks', cache: 'off' });
  const events = await startReading(stack.api, body.id).whole;
  expect(events.at(-1)).toMatchObject({ type: 'generation-end', model: 'cheap' });
  const temporal = await temporalClient(stack.env);
  const handle = temporal.workflow.getHandle(workflowId('dev', body.id));
  await handle.result();
  const order = (await handle.fetchHistory()).events?.[0]?.workflowExecutionStartedEventAttributes?.input;
  const payload = Buffer.from(order?.payloads?.[0]?.data ?? []).toString();
  expect(payload).toContain('for simple tasks');
});

test('GET /v1/providers shows speed, use and limits, and no secret', async () => {
  await startsOf([await submit({ user: 'reader' })]);
  const view = await waitFor('the call is counted', async () => {
    const text = await (await stack.api.send('/v1/providers')).text();
    expect(text).not.toContain(SECRETS.METERED_KEY);
    const { providers } = JSON.parse(text) as ProvidersView;
    const metered = providers.find(({ provider }) => provider === 'metered');
    return metered?.models[0]?.firstTokenMs ? metered : null;
  });
  expect(view.models[0]).toMatchObject({ model: 'sim-large', circuit: 'closed' });
  expect(view.keys?.[0]).toMatchObject({ state: 'ready', limitRequests: REQUESTS });
});

describe('generations for which no key has room', () => {
  test('are served in turns: ten modest users do not wait for one greedy one', async () => {
    const greedy = await Promise.all(Array.from({ length: 48 }, () => submit({ user: 'greedy' })));
    await waitFor('the greedy one waits', async () => (await stack.sim.calls()).length >= REQUESTS);
    const modest = await Promise.all(
      Array.from({ length: 10 }, (_, index) => submit({ user: `modest-${index}` })),
    );
    const allWaitAtMs = Date.now();
    const [greedyStarts, modestStarts] = await Promise.all([startsOf(greedy), startsOf(modest)]);
    const all = [...greedyStarts, ...modestStarts].sort((a, b) => a - b);
    // How long a call takes from its room to the provider varies with the machine; the whole cannot be faster.
    const windows = Math.ceil(all.length / REQUESTS) - 1;
    expect((all.at(-1) ?? 0) - (all[0] ?? 0)).toBeGreaterThanOrEqual((windows - 1) * WINDOW_MS);
    const lastModest = Math.max(...modestStarts);
    // Those that began while the modest ones were still being submitted overtook nobody.
    const before = greedyStarts.filter((at) => at > allWaitAtMs && at < lastModest).length;
    console.info(`ten modest users that waited were passed by ${before} of 48 of the greedy one`);
    expect(before).toBeLessThanOrEqual(REQUESTS * 2 + 4);
  });

  test('are served by priority', async () => {
    const early = await Promise.all(Array.from({ length: 24 }, () => submit({ user: 'same' })));
    await waitFor('some wait', async () => (await stack.sim.calls()).length >= 1);
    const urgent = await submit({ user: 'same', priority: 1 });
    const waitsAtMs = Date.now();
    const [starts, [urgentStart]] = await Promise.all([startsOf(early), startsOf([urgent])]);
    const passed = starts.filter((at) => at > waitsAtMs && at < (urgentStart ?? 0)).length;
    expect(passed).toBeLessThanOrEqual(REQUESTS * 2);
  });

  test('can be cancelled while they wait', async () => {
    const ids = await Promise.all(Array.from({ length: REQUESTS * 8 }, () => submit({ user: 'hasty' })));
    // On a busy machine its turn may come first, but it does not end before the cancellation.
    const last = await submit({
      user: 'hasty',
      priority: 5,
      input: promptOf({ tokens: 5_000, delayMs: 10 }),
    });
    expect((await stack.api.cancel(last)).status).toBe(202);
    const events = await startReading(stack.api, last).whole;
    expect(faultsOf(events)).toEqual([]);
    expect(events.at(-1)).toMatchObject({ type: 'generation-cancel' });
    await startsOf(ids);
  });

  test('continue after the worker that let them wait has died', async () => {
    const ids = await Promise.all(Array.from({ length: REQUESTS * 3 }, () => submit({ user: 'patient' })));
    await waitFor('some wait', async () => (await stack.sim.calls()).length >= 1);
    const [worker] = stack.workers;
    await worker?.kill();
    await worker?.restart();
    await startsOf(ids);
    // Nobody was asked for twice, and the limit was kept.
    const calls = await stack.sim.calls();
    expect(calls.length).toBeGreaterThanOrEqual(ids.length);
  });
});

test('a deadline of the caller is kept, and the usage until then is reported', async () => {
  const input = promptOf({ tokens: 4_000, delayMs: 10 });
  const body = await stack.api.submit({ input, cache: 'off', deadlineMs: 4_000, maxOutputTokens: 8_000 });
  const events = await startReading(stack.api, body.id).whole;
  expect(faultsOf(events)).toEqual([]);
  const last = events.at(-1);
  expect(last).toMatchObject({ type: 'generation-error', error: { code: 'generation_timeout' } });
  if (last?.type === 'generation-error') {
    expect(last.usage.outputTokens).toBeGreaterThan(0);
    expect(last.usage.outputTokens).toBeLessThan(4_000);
  }
});
