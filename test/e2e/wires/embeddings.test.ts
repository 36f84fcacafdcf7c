import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { createOpenAI } from '@ai-sdk/openai';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { embedMany } from 'ai';
import OpenAI from 'openai';
import { z } from 'zod';
import { findFreePort } from '../../../tools/services/ports.ts';
import { type Stack, startStack } from '../../harness/stack.ts';
import { waitFor } from '../../harness/wait-for.ts';

const MODEL = 'simulated/sim-embed';
/** All suites share the services, and so the users. */
const POOR = `user-${randomUUID()}`;
let stack: Stack;
let client: OpenAI;
let vendor: Server;
/** What the vendor does with the next call; null: it never answers. */
let answer: ((response: ServerResponse) => void) | null = null;
let requests = 0;
const waiting: ServerResponse[] = [];

beforeAll(async () => {
  vendor = createServer(async (request, response) => {
    for await (const chunk of request) void chunk;
    requests += 1;
    if (answer === null) waiting.push(response);
    else answer(response);
  }).listen(0, '127.0.0.1');
  await once(vendor, 'listening');
  const address = vendor.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/v1`;
  const closed = `http://127.0.0.1:${await findFreePort()}/v1`;
  stack = await startStack({
    workers: 0,
    env: { VENDOR_KEY: 'a-key' },
    config: {
      providers: {
        odd: { wire: 'openai-chat', baseUrl: url, apiKeyEnv: 'VENDOR_KEY' },
        closed: { wire: 'openai-chat', baseUrl: closed, apiKeyEnv: 'VENDOR_KEY' },
      },
      budgets: { limits: [{ per: 'user', id: POOR, window: 'day', amount: 300 }] },
    },
  });
  client = new OpenAI({ apiKey: stack.api.key, baseURL: `${stack.api.url}/v1` });
});
afterAll(async () => {
  await stack?.stop();
  vendor?.closeAllConnections();
  vendor?.close();
});

const entrySchema = z.object({ spentTokens: z.int(), reservedTokens: z.int(), estimated: z.boolean() });

/** All that was booked for a user. */
async function bookedFor(user: string) {
  const response = await stack.api.send(`/v1/budgets/entries?per=user&id=${user}`);
  const { data } = z.object({ data: z.array(entrySchema) }).parse(await response.json());
  return {
    spent: data.reduce((sum, entry) => sum + entry.spentTokens, 0),
    reserved: data.reduce((sum, entry) => sum + entry.reservedTokens, 0),
    isEstimated: data.some((entry) => entry.estimated),
  };
}

const repair = async () => {
  const request = { method: 'POST', body: JSON.stringify({ repair: true }) };
  return (await stack.api.send('/v1/budgets/reconcile', request)).json();
};

const embed = (model: string, user: string) =>
  stack.api.send('/v1/embeddings', {
    method: 'POST',
    body: JSON.stringify({ model, input: 'word '.repeat(50), user }),
  });

describe('a call that the provider may bill is booked, as estimated', () => {
  test.each<readonly [string, (response: ServerResponse) => void]>([
    ['where the connection breaks before an answer', (response) => response.destroy()],
    [
      'where it breaks in the answer',
      (response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{"object"', () => response.destroy());
      },
    ],
    ['where the answer cannot be read', (response) => response.end('{"object":"list"}')],
  ])('%s', async (_, how) => {
    const user = `user-${randomUUID()}`;
    answer = how;
    expect((await embed('odd/embed', user)).ok).toBe(false);
    const booked = await bookedFor(user);
    expect(booked).toMatchObject({ reserved: 0, isEstimated: true });
    expect(booked.spent).toBeGreaterThanOrEqual(50);
  });

  test.each<readonly [string, string, (response: ServerResponse) => void]>([
    ['that was refused', 'odd/embed', (response) => response.writeHead(400).end('{}')],
    ['that could not connect', 'closed/embed', () => undefined],
  ])('but not one %s', async (_, model, how) => {
    const user = `user-${randomUUID()}`;
    answer = how;
    expect((await embed(model, user)).ok).toBe(false);
    expect(await bookedFor(user)).toEqual({ spent: 0, reserved: 0, isEstimated: false });
  });
});

test('a call that runs is not touched by a repair', async () => {
  const user = `user-${randomUUID()}`;
  const before = requests;
  answer = null;
  const embedding = embed('odd/embed', user);
  await waitFor('the vendor has the call', () => requests > before);
  expect(await repair()).toMatchObject({ orphans: [] });
  const usage = { prompt_tokens: 77, total_tokens: 77 };
  const body = JSON.stringify({
    object: 'list',
    model: 'embed',
    data: [{ index: 0, embedding: [1] }],
    usage,
  });
  waiting.pop()?.writeHead(200, { 'content-type': 'application/json' }).end(body);
  expect((await embedding).status).toBe(200);
  expect(await bookedFor(user)).toEqual({ spent: 77, reserved: 0, isEstimated: false });
});

test('the official clients get a vector for each text, in order, with usage', async () => {
  const made = await client.embeddings.create({ model: MODEL, input: ['one', 'two'], dimensions: 32 });
  expect(made.data.map(({ index, embedding }) => [index, embedding.length])).toEqual([
    [0, 32],
    [1, 32],
  ]);
  expect(made.usage.prompt_tokens).toBe(2);
  const again = await client.embeddings.create({ model: MODEL, input: 'two', dimensions: 32 });
  expect(again.data[0]?.embedding).toEqual(made.data[1]?.embedding);
  const provider = createOpenAI({ apiKey: stack.api.key, baseURL: `${stack.api.url}/v1` });
  const { embeddings } = await embedMany({ model: provider.embedding(MODEL), values: ['one', 'two'] });
  expect(embeddings).toHaveLength(2);
});

test('a model that has none is said to have none', async () => {
  await expect(
    client.embeddings.create({ model: 'simulated-messages/x', input: 'one' }),
  ).rejects.toMatchObject({
    status: 404,
    param: 'model',
  });
  await expect(
    client.embeddings.create({ model: 'text-embedding-3-small', input: 'one' }),
  ).rejects.toMatchObject({
    code: 'model_not_found',
  });
});

test('tokens are debited, and a spent budget is an error', async () => {
  const input = 'word '.repeat(100);
  const outcomes: string[] = [];
  for (const _ of [1, 2, 3, 4]) {
    await client.embeddings.create({ model: MODEL, input, user: POOR }).then(
      () => outcomes.push('made'),
      (error: unknown) =>
        outcomes.push(error instanceof OpenAI.RateLimitError ? String(error.code) : 'other'),
    );
  }
  expect(outcomes).toEqual(['made', 'made', 'budget_exceeded', 'budget_exceeded']);
});
