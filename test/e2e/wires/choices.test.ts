/** Several choices, log probabilities and long seeds, by the official client: what arrives, whatever is killed. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import type { ChatCompletionChunk, ChatCompletionCreateParams } from 'openai/resources/chat/completions';
import { parseJson } from '../../../contracts/json.ts';
import { probabilitiesOf, withBytes } from '../../../tools/simulator/log-probabilities.ts';
import { joinTokens, scriptFor } from '../../../tools/simulator/true-text.ts';
import { promptOf } from '../../harness/prompt.ts';
import { type Seat, type Stack, startStack } from '../../harness/stack.ts';
import { waitFor } from '../../harness/wait-for.ts';

const MODEL = 'simulated-chat/sim-large';
const MOST = 4;
let stack: Stack;
let worker: Seat;
let client: OpenAI;
beforeAll(async () => {
  const limits = [{ per: 'user', id: 'thrifty', window: 'day', amount: 600 }];
  stack = await startStack({ config: { wires: { maxChoices: MOST }, budgets: { limits } } });
  const [first] = stack.workers;
  if (first === undefined) throw new Error('no worker');
  worker = first;
  client = new OpenAI({ apiKey: stack.api.key, baseURL: `${stack.api.url}/v1`, maxRetries: 0 });
});
afterAll(() => stack?.stop());

const user = (content: string) => ({ role: 'user' as const, content });
/** A prompt whose answer is another one for each seed. */
const seededPrompt = (plan: Parameters<typeof promptOf>[0]) => `${promptOf(plan)} [[sim seeded=1]]`;
const textFor = (prompt: string, seed: number) =>
  joinTokens(scriptFor({ messages: [user(prompt)] }, String(seed)).tokens, ({ kind }) => kind === 'text');

interface Choices {
  readonly chunks: readonly ChatCompletionChunk[];
  readonly texts: readonly string[];
  readonly usage: ChatCompletionChunk['usage'];
}

interface Listening {
  /** Called with each chunk. */
  readonly onChunk?: (chunk: ChatCompletionChunk) => void;
  readonly key?: string;
}

async function listen(
  request: Omit<ChatCompletionCreateParams, 'stream'>,
  { onChunk = () => undefined, key }: Listening = {},
): Promise<Choices> {
  const headers = key === undefined ? {} : { 'idempotency-key': key };
  const body = { ...request, stream: true as const, stream_options: { include_usage: true } };
  const chunks: ChatCompletionChunk[] = [];
  const texts: string[] = [];
  for await (const chunk of await client.chat.completions.create(body, { headers })) {
    chunks.push(chunk);
    for (const { index, delta } of chunk.choices) texts[index] = (texts[index] ?? '') + (delta.content ?? '');
    onChunk(chunk);
  }
  return { chunks, texts, usage: chunks.at(-1)?.usage };
}

async function killWorker(): Promise<void> {
  await worker.kill();
  await worker.restart();
}

/** Kills the worker at this chunk. */
function killAt(chunk: number) {
  let count = 0;
  let killed: Promise<void> = Promise.resolve();
  const onChunk = () => {
    count += 1;
    if (count === chunk) killed = killWorker();
  };
  return { onChunk, killed: () => killed };
}

describe('several choices', () => {
  test('stream under one id, each under its own index, with one usage for all', async () => {
    const prompt = seededPrompt({ tokens: 30, delayMs: 2 });
    const request = { model: MODEL, messages: [user(prompt)], seed: 7, n: 3 };
    const { chunks, texts, usage } = await listen(request);
    expect(texts).toEqual([7, 8, 9].map((seed) => textFor(prompt, seed)));
    expect(new Set(texts).size).toBe(3);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    const ends = chunks.flatMap(({ choices }) => choices.filter((choice) => choice.finish_reason !== null));
    expect(ends.map(({ index, finish_reason: reason }) => [index, reason]).sort()).toEqual([
      [0, 'stop'],
      [1, 'stop'],
      [2, 'stop'],
    ]);
    expect(chunks.filter((chunk) => chunk.usage)).toHaveLength(1);
    expect(usage?.completion_tokens).toBe(90);
    const received = await stack.sim.received(prompt);
    expect(received.map(({ body }) => [body['seed'], body['n']]).sort()).toEqual([
      [7, undefined],
      [8, undefined],
      [9, undefined],
    ]);
  });

  test('are whole in their order; asked again with the key, they come again and are not paid again', async () => {
    const prompt = seededPrompt({ tokens: 12, delayMs: 0 });
    const request = { model: MODEL, messages: [user(prompt)], seed: 1, n: 2 };
    const key = randomUUID();
    const headers = { 'idempotency-key': key };
    const { data: first, response } = await client.chat.completions
      .create(request, { headers })
      .withResponse();
    expect(first.choices.map(({ index, message }) => [index, message.content])).toEqual([
      [0, textFor(prompt, 1)],
      [1, textFor(prompt, 2)],
    ]);
    expect(first.usage?.completion_tokens).toBe(24);
    expect(response.headers.get('x-unbroken-attempts')).toBe('2');
    const again = await listen(request, { key });
    expect(again.texts).toEqual(first.choices.map(({ message }) => message.content));
    expect(again.usage).toEqual(first.usage);
    const id = response.headers.get('x-unbroken-generation-id') ?? '';
    const followed = await client.chat.completions.create(
      { model: MODEL, messages: [user('ignored')] },
      { headers: { 'x-unbroken-generation-id': id } },
    );
    expect(followed.choices).toEqual(first.choices);
    expect(await stack.sim.received(prompt)).toHaveLength(2);
    await expect(client.chat.completions.create({ ...request, n: 3 }, { headers })).rejects.toMatchObject({
      status: 409,
      code: 'idempotency_conflict',
    });
  });

  test('lose and repeat no token when the worker is killed', async () => {
    const prompt = seededPrompt({ tokens: 120, delayMs: 10 });
    const { onChunk, killed } = killAt(100);
    const request = { model: MODEL, messages: [user(prompt)], seed: 3, n: 3 };
    const { texts } = await listen(request, { onChunk });
    await killed();
    expect(texts).toEqual([3, 4, 5].map((seed) => textFor(prompt, seed)));
  });

  test('have one outcome: if one is refused, the others are cancelled, and the client gets the error', async () => {
    const prompt = seededPrompt({ tokens: 2_000, delayMs: 20 });
    await stack.sim.fault({ match: '"seed":42', status: 400, times: 5 });
    const request = { model: MODEL, messages: [user(prompt)], seed: 40, n: 3 };
    await expect(client.chat.completions.create(request)).rejects.toMatchObject({ status: 400 });
    await waitFor('no call continues', async () => {
      const calls = await stack.sim.asked(prompt);
      return calls.length === 2 && calls.every(({ state }) => state === 'cancelled');
    });
    await stack.sim.clearFaults();
  });

  test('do not use the cache, which would give all of them the same answer', async () => {
    const prompt = promptOf({ tokens: 10, delayMs: 0 });
    const request = { model: MODEL, messages: [user(prompt)], n: 2 };
    const headers = { 'x-unbroken-cache': 'on' };
    await client.chat.completions.create({ ...request, n: 1 }, { headers });
    await client.chat.completions.create(request, { headers });
    expect(await stack.sim.received(prompt)).toHaveLength(3);
  });

  test.each([MOST + 1, 0, 1.5])('are not %d, and the refusal names the field', async (n) => {
    const request = { model: MODEL, messages: [user('Tell me.')], n };
    await expect(client.chat.completions.create(request)).rejects.toMatchObject({
      status: 400,
      param: 'n',
      message: expect.stringContaining(n > MOST ? 'wires.maxChoices' : 'n'),
    });
  });

  test('are refused together if the budget of the user cannot hold them all', async () => {
    const apiKey = await stack.addKey({ user: 'thrifty', scopes: ['generate'] });
    const small = new OpenAI({ apiKey, baseURL: `${stack.api.url}/v1`, maxRetries: 0 });
    const prompt = `${promptOf({ tokens: 10, delayMs: 0 })} ${'word '.repeat(180)}`;
    const request = { model: MODEL, messages: [user(prompt)], max_tokens: 20 };
    await expect(small.chat.completions.create({ ...request, n: 4 })).rejects.toMatchObject({ status: 429 });
    expect(await stack.sim.received(prompt)).toEqual([]);
    await small.chat.completions.create({ ...request, n: 1 });
  });
});

const tokensOf = (content: readonly { readonly token: string }[]) =>
  content.map(({ token }) => token).join('');

describe('log probabilities', () => {
  const wanted = { logprobs: true, top_logprobs: 2 } as const;

  test.each([MODEL, 'simulated-google/sim-large'])(
    'of %s come with the text of their chunk',
    async (model) => {
      const prompt = promptOf({ tokens: 20, delayMs: 5 });
      const { chunks, texts } = await listen({ model, messages: [user(prompt)], ...wanted });
      const deltas = chunks.flatMap(({ choices }) => choices.filter(({ delta }) => Boolean(delta.content)));
      for (const { delta, logprobs } of deltas) expect(tokensOf(logprobs?.content ?? [])).toBe(delta.content);
      const content = deltas.flatMap(({ logprobs }) => logprobs?.content ?? []);
      expect(content).toEqual(content.map(({ token }) => withBytes(probabilitiesOf(token, 2))));
      expect(texts[0]).toBe((await stack.sim.text(prompt)).text);
      const whole = await client.chat.completions.create({ model, messages: [user(prompt)], ...wanted });
      expect(whole.choices[0]?.logprobs).toEqual({ content, refusal: null });
    },
  );

  test('come once for each token, though the worker is killed', async () => {
    const prompt = promptOf({ tokens: 120, delayMs: 10 });
    const { onChunk, killed } = killAt(40);
    const request = { model: MODEL, messages: [user(prompt)], logprobs: true };
    const { chunks, texts } = await listen(request, { onChunk });
    await killed();
    const content = chunks.flatMap(({ choices }) =>
      choices.flatMap(({ logprobs }) => logprobs?.content ?? []),
    );
    expect(texts[0]).toBe((await stack.sim.text(prompt)).text);
    expect(tokensOf(content)).toBe(texts[0]);
  });

  test('of Responses come in the deltas and in the whole text, though the worker is killed', async () => {
    const prompt = promptOf({ tokens: 120, delayMs: 10 });
    const { onChunk, killed } = killAt(40);
    const stream = await client.responses.create({
      model: 'simulated/sim-large',
      input: prompt,
      include: ['message.output_text.logprobs'],
      top_logprobs: 1,
      stream: true,
    });
    const inDeltas: string[] = [];
    let id = '';
    for await (const event of stream) {
      onChunk();
      if (event.type === 'response.created') id = event.response.id;
      if (event.type !== 'response.output_text.delta') continue;
      expect(tokensOf(event.logprobs)).toBe(event.delta);
      inDeltas.push(...event.logprobs.map(({ token }) => token));
    }
    await killed();
    const { text } = await stack.sim.text(prompt);
    expect(inDeltas.join('')).toBe(text);
    const response = await client.responses.retrieve(id);
    const [item] = response.output;
    const part = item?.type === 'message' ? item.content[0] : undefined;
    const logprobs = part?.type === 'output_text' ? (part.logprobs ?? []) : [];
    expect(logprobs.map(({ token }) => token)).toEqual(inDeltas);
    expect(logprobs).toEqual(inDeltas.map((token) => withBytes(probabilitiesOf(token, 1))));
    expect((response as { top_logprobs?: number }).top_logprobs).toBe(1);
  });

  test('come from no stored answer', async () => {
    const prompt = promptOf({ tokens: 10, delayMs: 0 });
    const request = { model: MODEL, messages: [user(prompt)] };
    const headers = { 'x-unbroken-cache': 'on' };
    await client.chat.completions.create(request, { headers });
    const second = await client.chat.completions.create({ ...request, logprobs: true }, { headers });
    expect(tokensOf(second.choices[0]?.logprobs?.content ?? [])).toBe(second.choices[0]?.message.content);
    expect(await stack.sim.received(prompt)).toHaveLength(2);
  });

  test.each(['simulated-messages/sim-large', 'simulated-cohere/sim-large'])(
    'of %s are refused by name',
    async (model) => {
      const request = { model, messages: [user('Tell me.')], logprobs: true };
      await expect(client.chat.completions.create(request)).rejects.toMatchObject({
        status: 400,
        message: expect.stringContaining('logprobs'),
      });
    },
  );

  test('of alternatives alone are refused as the vendor refuses them', async () => {
    const request = { model: MODEL, messages: [user('Tell me.')], top_logprobs: 2 };
    await expect(client.chat.completions.create(request)).rejects.toMatchObject({
      status: 400,
      param: 'top_logprobs',
    });
  });
});

describe('a seed of 64 bits', () => {
  const seed = parseJson('9223372036854775807') as number;

  test.each([MODEL, 'simulated/sim-large'])('reaches %s with all its digits', async (model) => {
    const prompt = promptOf({ tokens: 5, delayMs: 0 });
    await client.chat.completions.create({ model, messages: [user(prompt)], seed });
    const [received] = await stack.sim.received(prompt);
    expect(JSON.stringify(received?.body['seed'])).toBe('9223372036854775807');
  });

  test.each(['simulated-google/sim-large', 'simulated-cohere/sim-large'])(
    'is refused by name for %s, which takes fewer bits',
    async (model) => {
      const request = { model, messages: [user('Tell me.')], seed };
      await expect(client.chat.completions.create(request)).rejects.toMatchObject({
        status: 400,
        message: expect.stringContaining('seed'),
      });
    },
  );
});
