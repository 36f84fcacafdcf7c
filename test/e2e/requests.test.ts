import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { countTokens } from '../../contracts/count-tokens.ts';
import { textOf } from '../../contracts/fold-events.ts';
import { workflowId } from '../../contracts/names.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, temporalClient } from '../harness/streaming-worker.ts';
import { connectApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

const DAILY_TOKENS = 2_000;
let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    config: { budgets: { limits: [{ per: 'user', window: 'day', amount: DAILY_TOKENS }] } },
  });
});
afterAll(() => stack?.stop());
beforeEach(() => stack.sim.forget());

const newUser = () => `user-${randomUUID()}`;

describe('a cancelled generation', () => {
  test.each(['simulated/sim-large', 'simulated-messages/sim-large'])(
    'stops the call at the provider and bills what was generated (%s)',
    async (model) => {
      const input = promptOf({ tokens: 1_500, delayMs: 10 });
      const body = await stack.api.submit({
        input,
        model,
        cache: 'off',
        user: newUser(),
        maxOutputTokens: 1_600,
      });
      const reading = startReading(stack.api, body.id);
      await reading.deltas(20);
      const cancelled = await stack.api.cancel(body.id);
      expect(cancelled.status).toBeLessThan(300);
      const events = await reading.whole;
      expect(faultsOf(events)).toEqual([]);
      const last = events.at(-1);
      expect(last?.type).toBe('generation-cancel');
      const { text } = await stack.sim.text(input);
      expect(text.startsWith(textOf(events))).toBe(true);
      const generated = async () =>
        (await stack.sim.calls()).reduce((sum, call) => sum + call.outputTokensGenerated, 0);
      const atCancel = await generated();
      expect(atCancel).toBeLessThan(1_000);
      if (last?.type !== 'generation-cancel') throw new Error('unreachable');
      // A call that reports no usage when it is cancelled is billed by our count of what readers received.
      const least = last.usage.estimated ? countTokens(textOf(events)) : 20;
      expect(last.usage.outputTokens).toBeGreaterThanOrEqual(least);
      const view = await waitFor('the status', async () => {
        const { body: shown } = await stack.api.view(body.id);
        return shown.status === 'cancelled' && shown;
      });
      expect(view.usage?.outputTokens).toBe(last.usage.outputTokens);
      expect(await generated()).toBeLessThanOrEqual(atCancel + 5);
    },
  );
});

test('the same Idempotency-Key sent 20 times at once is one generation and one call of the provider', async () => {
  const request = { input: promptOf({ tokens: 60, delayMs: 2 }), cache: 'off' as const, user: newUser() };
  const limited = { ...request, maxOutputTokens: 200 };
  const key = randomUUID();
  const answers = await Promise.all(Array.from({ length: 20 }, () => stack.api.create(limited, key)));
  expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([201]));
  const ids = new Set(answers.map((answer) => answer.body.id));
  expect(ids.size).toBe(1);
  const [id = ''] = ids;
  expect(faultsOf(await startReading(stack.api, id).whole)).toEqual([]);
  expect(await stack.sim.calls()).toHaveLength(1);
});

describe('a budget', () => {
  test('that is used up answers 429 as JSON before any stream', async () => {
    const user = newUser();
    const input = promptOf({ tokens: 300, delayMs: 0 });
    const temporal = await temporalClient(stack.env);
    const spend = async () => {
      const answer = await stack.api.create({ input, cache: 'off', user });
      // The run ends when its reservation is settled, a little after its reader has all of the text.
      if (answer.status === 201) {
        await temporal.workflow.getHandle(workflowId('dev', answer.body.id)).result();
      }
      return answer.status === 429;
    };
    await waitFor('the budget to be used up', spend);
    await closeTemporalClients();
    for (const stream of [true, false]) {
      const response = await stack.api.send('/v1/generations', {
        method: 'POST',
        body: JSON.stringify({ input, cache: 'off', user, stream }),
      });
      expect(response.status).toBe(429);
      expect(response.headers.get('content-type')).toContain('application/json');
      expect(await response.json()).toMatchObject({ error: { code: 'budget_exceeded' } });
    }
  });

  test('is never overspent by requests that come at once', async () => {
    const user = newUser();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        stack.api.create({
          input: promptOf({ tokens: 500, delayMs: 0 }),
          cache: 'off',
          user,
          maxOutputTokens: 500,
        }),
      ),
    );
    const accepted = answers.filter((answer) => answer.status === 201);
    const read = await Promise.all(accepted.map((answer) => startReading(stack.api, answer.body.id).whole));
    const ends = read.map((events) => events.at(-1));
    expect(ends.filter((end) => end?.type === 'generation-end').length).toBeGreaterThan(0);
    const refused = ends.filter(
      (end) => end?.type === 'generation-error' && end.error.code === 'budget_exceeded',
    );
    expect(refused.length + answers.length - accepted.length).toBeGreaterThan(0);
    const spent = (await stack.sim.calls()).reduce(
      (sum, call) => sum + call.inputTokens + call.outputTokensGenerated,
      0,
    );
    expect(spent).toBeLessThanOrEqual(DAILY_TOKENS);
  });
});

describe('a request that cannot be served', () => {
  test.each([
    ['no input', {}],
    ['an empty input', { input: '' }],
    ['an unknown field', { input: 'x', temprature: 1 }],
    ['a negative cap', { input: 'x', maxOutputTokens: -1 }],
  ])('with %s is a 400 that names the fault', async (_, body) => {
    const response = await stack.api.send('/v1/generations', { method: 'POST', body: JSON.stringify(body) });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'invalid_request' } });
  });

  test('that is no JSON is a 400', async () => {
    const response = await stack.api.send('/v1/generations', { method: 'POST', body: '{' });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'invalid_json' } });
  });

  test.each(['', '/events'])('for an unknown id is a 404 (%s)', async (suffix) => {
    const response = await stack.api.send(`/v1/generations/gen_unknown${suffix}`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'not_found' } });
  });

  test('without a key is a 401', async () => {
    const response = await fetch(`${stack.api.url}/v1/generations/gen_unknown`);
    expect(response.status).toBe(401);
  });

  test("for another tenant's id is a 404, as if it did not exist", async () => {
    const body = await stack.api.submit({
      input: promptOf({ tokens: 20, delayMs: 0 }),
      cache: 'off',
      user: newUser(),
    });
    await startReading(stack.api, body.id).whole;
    const other = connectApi(stack.api.url, await stack.addKey({ tenant: 'other', user: 'eve' }));
    for (const path of [`/v1/generations/${body.id}`, `/v1/generations/${body.id}/events`]) {
      expect((await other.send(path)).status).toBe(404);
    }
    expect((await other.cancel(body.id)).status).toBe(404);
    expect((await stack.api.view(body.id)).status).toBe(200);
  });
});
