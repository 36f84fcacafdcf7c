import { randomUUID } from 'node:crypto';
import { createOpenAI } from '@ai-sdk/openai';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { embedMany } from 'ai';
import OpenAI from 'openai';
import { type Stack, startStack } from '../../harness/stack.ts';

const MODEL = 'simulated/sim-embed';
/** All suites share the services, and so the users. */
const POOR = `user-${randomUUID()}`;
let stack: Stack;
let client: OpenAI;
beforeAll(async () => {
  stack = await startStack({
    workers: 0,
    config: { budgets: { limits: [{ per: 'user', id: POOR, window: 'day', amount: 300 }] } },
  });
  client = new OpenAI({ apiKey: stack.api.key, baseURL: `${stack.api.url}/v1` });
});
afterAll(() => stack?.stop());

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
