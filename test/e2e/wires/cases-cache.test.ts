/** Reported cases about stored answers and about clients that send a request again, each by its number. */
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { promptOf } from '../../harness/prompt.ts';
import { type Stack, startStack } from '../../harness/stack.ts';
import { connectApi, type UnbrokenApi } from '../../harness/unbroken-api.ts';
import { waitFor } from '../../harness/wait-for.ts';

const MODEL = 'simulated/sim-large';
const PATHS = { chat: '/v1/chat/completions', responses: '/v1/responses', messages: '/v1/messages' } as const;
type Format = keyof typeof PATHS;
const FORMATS = ['chat', 'responses', 'messages'] as const;

let stack: Stack;
let other: UnbrokenApi;
beforeAll(async () => {
  stack = await startStack({
    config: {
      routes: { default: [MODEL], faq: [MODEL], chain: ['simulated/chain-a', 'simulated-messages/chain-b'] },
      cache: { routes: { faq: { vendorFormats: 'on' } } },
    },
  });
  const scopes = ['generate', 'any-user'] as const;
  other = connectApi(stack.api.url, await stack.addKey({ tenant: 'dev', user: 'dev', scopes: [...scopes] }));
});
afterAll(() => stack?.stop());

interface Seen {
  readonly status: number;
  readonly id: string;
  readonly text: string;
  readonly cache: string | null;
  readonly generationId: string;
  readonly degraded: boolean;
}

const bodyOf = (format: Format, input: string, more: object = {}) => ({
  model: MODEL,
  ...(format === 'responses' ? { input } : { messages: [{ role: 'user', content: input }] }),
  ...(format === 'messages' ? { max_tokens: 4_000 } : {}),
  ...more,
});

interface Extras {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly api?: UnbrokenApi;
  readonly signal?: AbortSignal;
}

async function send(format: Format, input: string, extras: Extras = {}): Promise<Seen> {
  const { headers = {}, body = {}, api = stack.api, signal } = extras;
  const response = await api.send(PATHS[format], {
    method: 'POST',
    body: JSON.stringify(bodyOf(format, input, body)),
    headers,
    ...(signal === undefined ? {} : { signal }),
  });
  const text = await response.text();
  return {
    status: response.status,
    id: /"id":"([^"]+)"/.exec(text)?.[1] ?? '',
    text,
    cache: response.headers.get('x-unbroken-cache'),
    generationId: response.headers.get('x-unbroken-generation-id') ?? '',
    degraded: response.headers.get('x-unbroken-degraded') === 'true',
  };
}

const callsFor = (input: string) => stack.sim.asked(input);
const short = () => promptOf({ tokens: 10, delayMs: 0 });
const ON = { 'x-unbroken-cache': 'on' };

describe('a stored answer', () => {
  test.each(FORMATS)('%s: is used only where the route or a header asks for it', async (format) => {
    const input = short();
    const first = await send(format, input);
    const second = await send(format, input);
    expect([first.cache, second.cache]).toEqual(['miss', 'miss']);
    expect(await callsFor(input)).toHaveLength(2);
    // Neither of the two was stored.
    expect((await send(format, input, { headers: ON })).cache).toBe('miss');
    const ofRoute = short();
    await waitFor(
      'a hit of the route',
      async () => (await send(format, ofRoute, { body: { model: 'unbroken/faq' } })).cache === 'hit',
    );
    expect(
      (
        await send(format, ofRoute, {
          body: { model: 'unbroken/faq' },
          headers: { 'x-unbroken-cache': 'off' },
        })
      ).cache,
    ).toBe('miss');
  });

  test('requests of a vendor format at the same time do not share a call', async () => {
    const input = promptOf({ tokens: 40, delayMs: 5 });
    await Promise.all([send('chat', input), send('chat', input)]);
    expect(await callsFor(input)).toHaveLength(2);
  });

  test('our own API uses the cache as its documentation says', async () => {
    const input = short();
    const generate = async () => {
      const body = await stack.api.submit({ input });
      const response = await stack.api.send(`/v1/generations/${body.id}/events`);
      return response.text();
    };
    await generate();
    await waitFor('a hit', async () => (await generate()).includes('cache-hit'));
  });

  test.each(FORMATS)('case 43: %s: a hit has a new id, and an error is never stored', async (format) => {
    const input = short();
    await stack.sim.fault({ kind: 'status', status: 400, match: input, times: 1 });
    expect((await send(format, input, { headers: ON })).status).toBe(400);
    const answered = await send(format, input, { headers: ON });
    expect([answered.status, answered.cache]).toEqual([200, 'miss']);
    const hit = await waitFor('a hit', async () => {
      const seen = await send(format, input, { headers: ON });
      return seen.cache === 'hit' ? seen : null;
    });
    expect(hit.id).not.toBe(answered.id);
    const streamed = await send(format, input, { headers: ON, body: { stream: true } });
    expect(streamed.text).toContain('cache=hit');
  });

  test('stands in for a whole route in an outage, but hides no other error, and is given for no named model', async () => {
    const input = short();
    const ask = (model: string, more: object = {}) =>
      send('chat', input, { headers: ON, body: { model, ...more } });
    await waitFor('a stored answer', async () => (await ask('unbroken/chain')).cache === 'hit');
    const outcomes: Record<string, boolean> = {};
    // Another temperature is another question, which only an old answer could answer.
    for (const status of [400, 404, 503]) {
      await stack.sim.fault({ kind: 'status', status, match: input, times: 1_000 });
      const seen = await ask('unbroken/chain', { temperature: 0.31 });
      expect(seen.degraded).toBe(seen.status === 200);
      outcomes[`route ${status}`] = seen.degraded;
      outcomes[`model ${status}`] = (await ask('simulated/chain-c')).status === 200;
      await stack.sim.clearFaults();
    }
    expect(outcomes).toEqual({
      'route 400': false,
      'model 400': false,
      'route 404': false,
      'model 404': false,
      'route 503': true,
      'model 503': false,
    });
  });
});

const retry = (count: number) => ({ 'x-stainless-retry-count': String(count) });

/** Sends a first try whose client gives up once the model is asked. */
async function abandon(format: Format, input: string, body: object = {}): Promise<void> {
  const gone = new AbortController();
  const sent = send(format, input, { headers: retry(0), body, signal: gone.signal }).catch(() => null);
  await waitFor('the model is asked', async () => (await callsFor(input)).length > 0);
  gone.abort();
  await sent;
}

const tools = {
  chat: { tools: [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }] },
  responses: { tools: [{ type: 'function', name: 'weather', parameters: { type: 'object' } }] },
  messages: { tools: [{ name: 'weather', input_schema: { type: 'object' } }] },
} as const;

describe("case 35: a client's retry after its timeout", () => {
  test.each(FORMATS)('%s: joins the running generation, whole and streamed', async (format) => {
    for (const stream of [false, true]) {
      const input = promptOf({ tokens: 60, delayMs: 10 });
      const body = { ...tools[format], stream };
      await abandon(format, input, body);
      const joined = await send(format, input, { headers: retry(1), body });
      expect(joined.status).toBe(200);
      expect(await callsFor(input)).toHaveLength(1);
      // It gets the answer of a generation that has just ended, too.
      const again = await send(format, input, { headers: retry(2), body });
      expect(again.generationId).toBe(joined.generationId);
      expect(await callsFor(input)).toHaveLength(1);
    }
  });

  test("OpenAI's and Anthropic's clients: one call, one bill, and the answer", async () => {
    const settings = { apiKey: stack.api.key, timeout: 700, maxRetries: 12 };
    const openai = new OpenAI({ ...settings, baseURL: `${stack.api.url}/v1` });
    const anthropic = new Anthropic({ ...settings, baseURL: stack.api.url });
    const [chat, messages] = [0, 1].map(() => promptOf({ tokens: 150, delayMs: 10 }));
    const ask = (content = '') => ({ model: MODEL, messages: [{ role: 'user' as const, content }] });
    const [completion, message] = await Promise.all([
      openai.chat.completions.create({ ...ask(chat), tools: [...tools.chat.tools] as never }),
      anthropic.messages.create({
        ...ask(messages),
        max_tokens: 4_000,
        tools: [...tools.messages.tools] as never,
      }),
    ]);
    expect(completion.usage?.completion_tokens).toBe(150);
    expect(message.usage.output_tokens).toBe(150);
    for (const input of [chat, messages]) expect(await callsFor(input ?? '')).toHaveLength(1);
  });

  test('an equal first request starts another generation, and so does its retry', async () => {
    const input = promptOf({ tokens: 60, delayMs: 10 });
    const pair = await Promise.all([0, 1].map(() => send('chat', input, { headers: retry(0) })));
    expect(new Set(pair.map(({ generationId }) => generationId)).size).toBe(2);
    const retries = await Promise.all([0, 1].map(() => send('chat', input, { headers: retry(1) })));
    expect(new Set(retries.map(({ generationId }) => generationId))).toEqual(
      new Set(pair.map(({ generationId }) => generationId)),
    );
    expect(await callsFor(input)).toHaveLength(2);
  });

  test('of another key, another user, another body, or without a first try starts its own', async () => {
    const input = promptOf({ tokens: 60, delayMs: 10 });
    const body = { user: 'ann' };
    await abandon('chat', input, body);
    const strangers = [
      await send('chat', input, { headers: retry(1), body, api: other }),
      await send('chat', input, { headers: retry(1), body: { user: 'bob' } }),
      await send('chat', input, { headers: retry(1), body: { ...body, temperature: 0.5 } }),
    ];
    const own = await send('chat', input, { headers: retry(1), body });
    expect(new Set([...strangers, own].map(({ generationId }) => generationId)).size).toBe(4);
    expect(await callsFor(input)).toHaveLength(4);
  });

  test('after a cancelled or failed generation asks the model again', async () => {
    const input = short();
    await stack.sim.fault({ kind: 'status', status: 400, match: input, times: 1 });
    const failed = await send('chat', input, { headers: retry(0) });
    const second = await send('chat', input, { headers: retry(1) });
    expect([failed.status, second.status]).toEqual([400, 200]);
  });
});

test('the same last words after another response, or alone, are another question', async () => {
  const last = `Cancel it. ${promptOf({ tokens: 10, delayMs: 0 })}`;
  const [first, second] = [
    await send('responses', promptOf({ tokens: 10, delayMs: 0 })),
    await send('responses', promptOf({ tokens: 10, delayMs: 0 })),
  ];
  const after = async (previous?: Seen) => {
    const body = previous === undefined ? {} : { previous_response_id: previous.id };
    return (await send('responses', last, { headers: { 'x-unbroken-cache': 'on' }, body })).cache;
  };
  expect(await after(first)).toBe('miss');
  await waitFor('the same conversation is a hit', async () => (await after(first)) === 'hit' || undefined);
  expect(await after(second)).toBe('miss');
  expect(await after()).toBe('miss');
});
