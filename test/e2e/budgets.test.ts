import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { textOf } from '../../contracts/fold-events.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { EMBEDDINGS_ID_PREFIX, REDIS_KEYS, workflowId } from '../../contracts/names.ts';
import { DAY_MS } from '../../contracts/time.ts';
import { RedisBudgetLedger } from '../../engine/budget/redis-budget-ledger.ts';
import { connectRedis, type RedisConnection } from '../../platform/redis/redis-connection.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { runCli } from '../harness/run-cli.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, temporalClient } from '../harness/streaming-worker.ts';
import { connectApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

const PREFILL = 'simulated-messages/sim-large';
const FREE = 'simulated/sim-free';
const SECRET_VARIABLE = 'BUDGET_WEBHOOK_TEST_SECRET';
const newUser = () => `user-${randomUUID()}`;

let stack: Stack;
let receiver: Server;
let failures = 1;
const received: { id: string; body: string }[] = [];

beforeAll(async () => {
  receiver = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    // The first attempt is not taken: it must come again.
    if (failures > 0) {
      failures -= 1;
      response.writeHead(503).end();
      return;
    }
    received.push({ id: String(request.headers['webhook-id']), body });
    response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const address = receiver.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`;
  process.env[SECRET_VARIABLE] = 'a-secret-of-enough-characters';
  stack = await startStack({
    config: {
      prices: {
        [PREFILL]: { inputMicroUsdPerMillion: 1_000_000, outputMicroUsdPerMillion: 1_000_000 },
        [FREE]: { inputMicroUsdPerMillion: 0, outputMicroUsdPerMillion: 0 },
      },
      budgets: { webhook: { url, secretEnv: SECRET_VARIABLE, allowPrivateNetwork: true } },
    },
  });
});

afterAll(async () => {
  await closeTemporalClients();
  await stack?.stop();
  receiver?.close();
  receiver?.closeAllConnections();
});

async function resultOf(id: string): Promise<{ finishReason: string; attempts: number }> {
  return (await temporalClient(stack.env)).workflow.getHandle(workflowId('dev', id)).result();
}

const send = async (method: string, path: string, body?: object) => {
  const response = await stack.api.send(path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: response.status === 204 ? null : await response.json() };
};

const rowsSchema = z.object({
  data: z.array(
    z.looseObject({
      kind: z.string().optional(),
      reservedTokens: z.number(),
      spentTokens: z.number(),
    }),
  ),
});
const rowsOf = async (path: string) => rowsSchema.parse((await send('GET', path)).body).data;

const setLimit = (limit: object) =>
  send('PUT', '/v1/budgets/limits', { per: 'user', window: 'day', ...limit });

describe('a limit that is set by the API', () => {
  test('is refused with what is left and when it resets, before any stream', async () => {
    const user = newUser();
    expect(await setLimit({ id: user, amount: 60 })).toMatchObject({ status: 200, body: { source: 'set' } });
    await waitFor('the API looks by the new limit', async () => {
      const response = await stack.api.send('/v1/generations', {
        method: 'POST',
        body: JSON.stringify({ input: promptOf({ tokens: 300 }), user, stream: true, cache: 'off' }),
      });
      const body = response.status === 429 ? await response.json() : await response.text();
      if (response.status !== 429) return false;
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(body).toMatchObject({
        error: { code: 'budget_exceeded', details: { per: 'user', id: user, window: 'day', limit: 60 } },
      });
      return true;
    });
  });

  test('in money leaves models that cost nothing', async () => {
    const user = newUser();
    await setLimit({ id: user, unit: 'micro-usd', amount: 0 });
    const request = { input: promptOf({ tokens: 5, delayMs: 0 }), user, cache: 'off' as const };
    await waitFor('the API looks by the new limit', async () => {
      return (await send('POST', '/v1/generations', { ...request, model: PREFILL })).status === 429;
    });
    const { id } = await stack.api.submit({ ...request, model: FREE });
    expect(await resultOf(id)).toMatchObject({ finishReason: 'stop' });
  });

  test('warns in the log of the next generation, and tells the webhook once, however often it must try', async () => {
    const user = newUser();
    await setLimit({ id: user, amount: 1_000, mode: 'soft', warnAt: 0.2 });
    const generate = async () => {
      const body = await stack.api.submit({
        input: promptOf({ tokens: 250, delayMs: 0 }),
        user,
        cache: 'off',
        maxOutputTokens: 300,
      });
      const events = await startReading(stack.api, body.id).whole;
      await resultOf(body.id);
      return events;
    };
    expect((await generate()).some(({ type }) => type === 'budget-warn')).toBe(false);
    const events = await generate();
    expect(events.find(({ type }) => type === 'budget-warn')).toMatchObject({
      per: 'user',
      id: user,
      window: 'day',
      unit: 'tokens',
      limit: 1_000,
    });
    const { id, body } = await waitFor('the webhook is called', () =>
      received.find((delivery) => delivery.body.includes(user)),
    );
    expect(JSON.parse(body)).toMatchObject({
      type: 'budget.warning',
      data: { tenant: 'dev', level: 'near' },
    });
    expect(received.filter((delivery) => delivery.id === id)).toHaveLength(1);
  });

  test('is not for keys without the scope admin', async () => {
    const plain = connectApi(stack.api.url, await stack.addKey({ tenant: 'dev', user: 'eve' }));
    for (const [method, path] of [
      ['PUT', '/v1/budgets/limits'],
      ['GET', '/v1/budgets/entries'],
      ['POST', '/v1/budgets/reconcile'],
      ['POST', '/v1/generations/gen_x/cap'],
      ['POST', '/v1/generations/gen_x/stop'],
    ] as const) {
      expect((await plain.send(path, { method, ...(method === 'GET' ? {} : { body: '{}' }) })).status).toBe(
        403,
      );
    }
  });

  test.each([
    ['PUT', '/v1/budgets/limits', { per: 'user', window: 'week', amount: 1 }],
    ['PUT', '/v1/budgets/limits', { per: 'user', window: 'day', amount: 1, timeZone: 'Nowhere/City' }],
    ['GET', '/v1/budgets/balances?per=user', undefined],
    ['GET', '/v1/budgets/entries?from=2026-01-01&until=2025-01-01', undefined],
    ['GET', '/v1/budgets/entries?after=x', undefined],
    ['POST', '/v1/budgets/reconcile', { repair: 'yes' }],
  ])('is refused where it cannot be: %s %s', async (method, path, body) => {
    expect(await send(method, path, body)).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid_request' } },
    });
  });
});

describe('a running generation', () => {
  test('continues beyond a cap that was raised meanwhile, as one text', async () => {
    const user = newUser();
    await setLimit({ id: user, amount: 10_000 });
    const input = promptOf({ tokens: 200, delayMs: 10 });
    const { text } = await stack.sim.text(input);
    const body = await stack.api.submit({
      input,
      user,
      model: PREFILL,
      cache: 'off',
      maxOutputTokens: 100,
    });
    const reading = startReading(stack.api, body.id);
    await reading.deltas(3);
    expect((await send('POST', `/v1/generations/${body.id}/cap`, { maxOutputTokens: 90_000 })).status).toBe(
      429,
    );
    expect((await send('POST', `/v1/generations/${body.id}/cap`, { maxOutputTokens: 400 })).status).toBe(202);
    const events = await reading.whole;
    expect(faultsOf(events)).toEqual([]);
    expect(events.find(({ type }) => type === 'cap-raise')).toMatchObject({
      maxOutputTokens: 400,
      attempt: 1,
    });
    expect(events.at(-1)).toMatchObject({ type: 'generation-end', finishReason: 'stop', attempts: 2 });
    expect(textOf(events)).toBe(text);
    await resultOf(body.id);
    const entries = await rowsOf(`/v1/budgets/entries?generation=${body.id}`);
    expect(entries.map(({ kind }) => kind)).toEqual([
      'reserve',
      'raise',
      'debit',
      'extend',
      'debit',
      'release',
    ]);
  });

  test('that is stopped bills what it has generated and gives the rest back', async () => {
    const user = newUser();
    const input = promptOf({ tokens: 1_500, delayMs: 10 });
    const body = await stack.api.submit({ input, user, cache: 'off', maxOutputTokens: 1_600 });
    const reading = startReading(stack.api, body.id);
    await reading.deltas(3);
    const stopped = await runCli(stack.api, ['budgets', 'stop', body.id]);
    expect(stopped).toMatchObject({ code: 0, error: `Stopping ${body.id}.` });
    const last = (await reading.whole).at(-1);
    expect(last?.type).toBe('generation-cancel');
    await resultOf(body.id);
    const [day] = await rowsOf(`/v1/budgets/balances?per=user&id=${user}`);
    expect(day?.reservedTokens).toBe(0);
    expect(day?.spentTokens).toBeGreaterThan(0);
    expect(day?.spentTokens).toBeLessThan(1_500);
  });

  test('whose run was terminated by hand leaves a reservation that a repair settles', async () => {
    const user = newUser();
    const input = promptOf({ tokens: 900, delayMs: 10 });
    const { body } = await stack.api.create({ input, user, cache: 'off', maxOutputTokens: 1_000 });
    const reading = startReading(stack.api, body.id);
    await reading.deltas(3);
    await (await temporalClient(stack.env)).workflow
      .getHandle(workflowId('dev', body.id))
      .terminate('by hand');
    const found = await runCli(stack.api, ['budgets', 'reconcile']);
    expect(found).toMatchObject({ code: 1, out: expect.stringContaining(body.id) });
    const repaired = await send('POST', '/v1/budgets/reconcile', { repair: true });
    expect(repaired.body).toMatchObject({ repaired: true, differences: 0, orphans: [body.id] });
    expect((await reading.whole).at(-1)).toMatchObject({ type: 'generation-error' });
    const balances = await rowsOf(`/v1/budgets/balances?per=user&id=${user}`);
    expect(balances.map(({ reservedTokens }) => reservedTokens)).toEqual([0, 0]);
    expect((await runCli(stack.api, ['budgets', 'reconcile'])).code).toBe(0);
  });
});

describe('a repair', () => {
  let redis: RedisConnection;
  beforeAll(async () => {
    redis = await connectRedis(stack.env['REDIS_URL'] ?? '', () => undefined);
  });
  afterAll(() => redis?.destroy());

  const TENANT = 'dev';
  const OPEN = REDIS_KEYS.budget(TENANT, 'open');

  /** Reserves as a process does that has not got as far as a run. @param ageMs how long ago. */
  async function reserve(generationId: string, ageMs = 0): Promise<string> {
    const user = newUser();
    const clock = () => Date.now() - ageMs;
    const settings = {
      limits: [],
      timeZone: 'UTC',
      keepEntriesMs: 100 * 24 * 3_600_000,
      keepUsageMs: 100 * 24 * 3_600_000,
    };
    const ledger = new RedisBudgetLedger({ redis, ...settings, clock });
    const granted = await ledger.reserve({
      tenant: TENANT,
      user,
      team: null,
      keyId: 'key_1',
      generationId,
      inputTokens: 10,
      maxOutputTokens: 90,
      minOutputTokens: 1,
      price: { fixedMicroUsd: 5, outputMicroUsdPerMillion: 0 },
    });
    expect(granted).toMatchObject({ granted: true });
    return user;
  }

  const repair = async () => {
    const { body } = await send('POST', '/v1/budgets/reconcile', { repair: true });
    return z.object({ orphans: z.array(z.string()), differences: z.literal(0) }).parse(body).orphans;
  };
  const sumsOf = async (user: string) => {
    // Soon after midnight, what is old is of the day before.
    const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
    const days = `from=${day(Date.now() - DAY_MS)}&until=${day(Date.now())}`;
    const entries = await rowsOf(`/v1/budgets/entries?per=user&id=${user}&${days}`);
    const spent = entries.reduce((sum, { spentTokens }) => sum + spentTokens, 0);
    return { spent, reserved: entries.reduce((sum, { reservedTokens }) => sum + reservedTokens, 0) };
  };

  test('does not touch a reservation whose run Temporal has not written down yet', async () => {
    const generationId = `gen_${randomUUID()}`;
    const user = await reserve(generationId);
    expect(await repair()).not.toContain(generationId);
    expect(await sumsOf(user)).toEqual({ spent: 0, reserved: 100 });
    await redis.zRem(OPEN, generationId);
  });

  test('does not touch one whose key an earlier run had, which has ended', async () => {
    const body = await stack.api.submit({ input: promptOf({ tokens: 5, delayMs: 0 }), cache: 'off' });
    await resultOf(body.id);
    // What the ledger knew of the earlier run has expired.
    await redis.del(REDIS_KEYS.budget(TENANT, 'reservation', body.id));
    const user = await reserve(body.id);
    expect(await repair()).not.toContain(body.id);
    expect(await sumsOf(user)).toEqual({ spent: 0, reserved: 100 });
    await redis.zRem(OPEN, body.id);
  });

  test('settles old ones that no run answers for: a generation by its log, a call for embeddings as billed', async () => {
    const old = LIMITS.orphanAfterMs + 60_000;
    const [generation, embedding] = [`gen_${randomUUID()}`, `${EMBEDDINGS_ID_PREFIX}${randomUUID()}`];
    const users = [await reserve(generation, old), await reserve(embedding, old)];
    expect(await repair()).toEqual(expect.arrayContaining([generation, embedding]));
    const [ofGeneration, ofEmbedding] = await Promise.all(users.map(sumsOf));
    expect(ofGeneration).toEqual({ spent: 0, reserved: 0 });
    expect(ofEmbedding).toEqual({ spent: 100, reserved: 0 });
    expect(await repair()).toEqual([]);
  });

  test('finds an orphan behind any number of reservations that have expired, and forgets those', async () => {
    const dead = Array.from({ length: 2_500 }, (_, index) => ({ score: index, value: `gen_dead_${index}` }));
    await redis.zAdd(OPEN, dead);
    const generationId = `gen_${randomUUID()}`;
    await reserve(generationId, LIMITS.orphanAfterMs + 60_000);
    expect(await repair()).toEqual([generationId]);
    expect(await redis.zScore(OPEN, 'gen_dead_0')).toBe(null);
    expect(await redis.zCard(OPEN)).toBeLessThan(100);
  });
});

test('the CLI sets, shows and removes limits, lists entries and reconciles', async () => {
  const user = newUser();
  const key = ['--per', 'user', '--id', user, '--window', '24h', '--unit', 'micro-usd'];
  expect(await runCli(stack.api, ['budgets', 'set', ...key, '--amount', '5000'])).toMatchObject({ code: 0 });
  const body = await stack.api.submit({
    input: promptOf({ tokens: 30, delayMs: 0 }),
    user,
    model: PREFILL,
    cache: 'off',
  });
  await resultOf(body.id);
  const list = await runCli(stack.api, ['budgets', 'list']);
  expect(list.out).toContain(`user/${user}/24h/micro-usd\t$0.005000\thard\twarns at 0.8\tset`);
  const show = await runCli(stack.api, ['budgets', 'show', 'user', user]);
  expect(show.out).toMatch(
    /^24h\tspent \d+ tokens, \$0\.0000\d+\treserved 0 tokens.*hard: \$0\.004\d+ of \$0\.005000 left/m,
  );
  const entries = await runCli(stack.api, ['budgets', 'entries', '--per', 'user', '--id', user, '--json']);
  const kinds = entries.out.split('\n').map((line) => JSON.parse(line).kind);
  expect(kinds).toEqual(['reserve', 'debit', 'release']);
  expect(await runCli(stack.api, ['budgets', 'remove', ...key])).toMatchObject({ code: 0 });
  expect(await runCli(stack.api, ['budgets', 'remove', ...key])).toMatchObject({ code: 1 });
  const reconciled = await runCli(stack.api, ['budgets', 'reconcile']);
  expect(reconciled.error).toMatch(/^\d+ entries, \d+ subjects, 0 differences, 0 orphans\.$/);
  expect(reconciled.code).toBe(0);
});
