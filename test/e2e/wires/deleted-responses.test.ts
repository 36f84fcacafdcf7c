/** What its owner deleted, or never wanted stored, is found by nobody and given to nobody. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { REDIS_KEYS, workflowId } from '../../../contracts/names.ts';
import { connectRedis, type RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { promptOf } from '../../harness/prompt.ts';
import { type Stack, startStack } from '../../harness/stack.ts';
import { closeTemporalClients, temporalClient } from '../../harness/streaming-worker.ts';
import { connectApi, type UnbrokenApi } from '../../harness/unbroken-api.ts';
import { waitFor } from '../../harness/wait-for.ts';

const MODEL = 'simulated/sim-large';
let stack: Stack;
let redis: RedisConnection;
let ann: UnbrokenApi;
let others: UnbrokenApi;
beforeAll(async () => {
  stack = await startStack();
  redis = await connectRedis(stack.env['REDIS_URL'] ?? '', () => undefined);
  const keyOf = async (user: string, scopes: ['generate'] | ['generate', 'any-user'] = ['generate']) =>
    connectApi(stack.api.url, await stack.addKey({ tenant: 'dev', user, scopes }));
  [ann, others] = [await keyOf('ann'), await keyOf('ops', ['generate', 'any-user'])];
});
afterAll(async () => {
  redis?.destroy();
  await closeTemporalClients();
  await stack?.stop();
});

const clientOf = (api: UnbrokenApi) =>
  new OpenAI({
    apiKey: api.key,
    baseURL: `${api.url}/v1`,
    maxRetries: 0,
    defaultHeaders: { 'x-unbroken-cache': 'on' },
  });
const generationOf = (id: string) => id.replace('resp_', 'gen_');
const runOf = async (id: string) =>
  (await temporalClient(stack.env)).workflow.getHandle(workflowId('dev', generationOf(id)));

/** Asks, waits until its run is over (and its answer stored), and says how the cache took it. */
async function ask(api: UnbrokenApi, input: string, more: { store?: boolean } = {}) {
  const { data, response } = await clientOf(api)
    .responses.create({ model: MODEL, input, ...more })
    .withResponse();
  await (await runOf(data.id)).result();
  return { id: data.id, cache: response.headers.get('x-unbroken-cache') };
}

const statusOf = async (api: UnbrokenApi, path: string, init?: RequestInit) =>
  (await api.send(path, init)).status;

test('an answer that was deleted is not given to the next who asks; one that was not, is', async () => {
  const [kept, deleted] = [promptOf({ tokens: 20, delayMs: 0 }), promptOf({ tokens: 20, delayMs: 0 })];
  await ask(ann, kept);
  const { id } = await ask(ann, deleted);
  await clientOf(ann).responses.delete(id);
  const cached = [await ask(ann, kept), await ask(ann, deleted)].map(({ cache }) => cache);
  expect(cached[0]).toBe('hit');
  expect(cached[1]).not.toBe('hit');
});

test('an answer that was not to be stored is not given to the next who asks', async () => {
  const input = promptOf({ tokens: 20, delayMs: 0 });
  await ask(ann, input, { store: false });
  expect((await ask(ann, input)).cache).not.toBe('hit');
});

test('a chat completion that was not to be stored is given to nobody, and found under no id', async () => {
  const messages = [{ role: 'user' as const, content: promptOf({ tokens: 20, delayMs: 0 }) }];
  const complete = async (more: { store?: boolean } = {}) => {
    const { response } = await clientOf(ann)
      .chat.completions.create({ model: MODEL, messages, ...more })
      .withResponse();
    const id = response.headers.get('x-unbroken-generation-id') ?? '';
    await (await runOf(id)).result();
    return { id, cache: response.headers.get('x-unbroken-cache') };
  };
  const { id } = await complete({ store: false });
  expect(await statusOf(ann, `/v1/generations/${id}`)).toBe(404);
  expect(await statusOf(others, `/v1/generations/${id}`)).toBe(404);
  expect((await complete()).cache).not.toBe('hit');
  expect((await complete()).cache).toBe('hit');
});

test('an answer that was not to be stored is found under no id, by no key', async () => {
  const { id } = await ask(ann, promptOf({ tokens: 20, delayMs: 0 }), { store: false });
  const generationId = generationOf(id);
  for (const api of [ann, others]) {
    for (const path of ['', '/events', '/log']) {
      expect(await statusOf(api, `/v1/generations/${generationId}${path}`)).toBe(404);
    }
    const again = await statusOf(api, '/v1/responses', {
      method: 'POST',
      body: JSON.stringify({ model: MODEL, input: 'x' }),
      headers: { 'x-unbroken-generation-id': generationId },
    });
    expect(again).toBe(404);
    expect(await (await api.send('/v1/generations?limit=100')).text()).not.toContain(generationId);
  }
});

test('a response that is deleted while its worker is dead is not found, and leaves no text when it ends', async () => {
  const input = promptOf({ tokens: 2_000, delayMs: 10 });
  const { id } = await clientOf(ann).responses.create({ model: MODEL, input, background: true });
  const generationId = generationOf(id);
  const view = async () => (await ann.view(generationId)).body;
  await waitFor('some text', async () => ((await view()).text ?? '').length > 0);
  const [worker] = stack.workers;
  await worker?.kill();
  await clientOf(ann).responses.delete(id);
  expect(await statusOf(ann, `/v1/responses/${id}`)).toBe(404);
  expect(await statusOf(ann, `/v1/generations/${generationId}`)).toBe(404);
  await worker?.restart();
  const outcome = await (await runOf(id)).result();
  expect(outcome).toMatchObject({ status: 'cancelled' });
  expect(outcome.usage.outputTokens).toBeGreaterThan(0);
  expect(await redis.keys(`ub:log:{${generationId}}:*`)).toEqual([REDIS_KEYS.logMeta(generationId)]);
});
