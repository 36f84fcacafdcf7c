/** The vendors' prompt caches through the whole product: marks, keys, usage in every format, and what is booked. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { billOf, VENDOR_KEYS, vendorsAt } from '../../../tools/bench/prompt-caching.ts';
import { type Stack, startStack } from '../../harness/stack.ts';

const MODEL = 'anthropic/claude-sonnet-4-5';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    config: (simulatorUrl: string) => ({
      ...vendorsAt(simulatorUrl),
      routes: { plain: [MODEL] },
      promptCaching: { routes: { plain: 'off' } },
    }),
    env: VENDOR_KEYS,
  });
});
afterAll(() => stack.stop());

let conversations = 0;
/** About 2,500 tokens that no other test has. */
function longText(): string {
  conversations += 1;
  return `Conversation ${conversations}. ${'A rule for the agent. '.repeat(450)}`;
}
const QUESTION = 'Say a word. [[sim tokens=3 delay_ms=0]]';

interface Sent {
  readonly status: number;
  readonly headers: Headers;
  readonly body: { usage: Record<string, unknown> } & Record<string, unknown>;
  /** The newest request that the vendor received. */
  readonly upstream: Record<string, unknown>;
}

/** @param mark a text of the request that no other has. */
async function send(
  path: string,
  body: object,
  mark: string,
  headers: Record<string, string> = {},
): Promise<Sent> {
  const response = await fetch(`${stack.api.url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${stack.api.key}`,
      'content-type': 'application/json',
      'x-unbroken-cache': 'off',
      ...headers,
    },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as Sent['body'];
  const upstream = (await stack.sim.received(mark)).at(-1)?.body ?? {};
  return { status: response.status, headers: response.headers, body: answer, upstream: { ...upstream } };
}

const marksOf = (upstream: object) => JSON.stringify(upstream).split('"cache_control"').length - 1;
const nameOf = (text: string) => text.slice(0, text.indexOf('.') + 1);

describe('messages', () => {
  test('case 19: marks stay where they are, blocks stay apart, and the second call reads the cache', async () => {
    const mark = { cache_control: { type: 'ephemeral' } };
    const hour = { cache_control: { type: 'ephemeral', ttl: '1h' } };
    const text = longText();
    const body = {
      model: MODEL,
      max_tokens: 50,
      system: [
        { type: 'text', text, ...hour },
        { type: 'text', text: 'Be brief.', ...mark },
      ],
      messages: [{ role: 'user', content: [{ type: 'text', text: QUESTION, ...mark }] }],
      tools: [{ name: 't', input_schema: { type: 'object' }, ...hour }],
    };
    const first = await send('/v1/messages', body, nameOf(text));
    expect(first.upstream).toMatchObject({
      system: body.system,
      messages: body.messages,
      tools: body.tools,
    });
    expect(marksOf(first.upstream)).toBe(4);
    const written = Number(first.body.usage['cache_creation_input_tokens']);
    const { ephemeral_1h_input_tokens: forHour, ephemeral_5m_input_tokens: forMinutes } = first.body.usage[
      'cache_creation'
    ] as Record<string, number>;
    expect(first.body.usage).toMatchObject({ cache_read_input_tokens: 0 });
    expect([written > 2_000, Number(forHour) > 2_000, Number(forMinutes) > 0]).toEqual([true, true, true]);
    expect(Number(forHour) + Number(forMinutes)).toBe(written);
    const second = await send('/v1/messages', body, nameOf(text));
    expect(second.body.usage).toMatchObject({
      cache_read_input_tokens: written,
      cache_creation_input_tokens: 0,
    });
    const cost = (sent: Sent) => Number(sent.headers.get('x-unbroken-cost-micro-usd'));
    // Claude Sonnet 4.5 in micro-USD: 3 a token, 3.75 and 6 to write, 0.3 to read, 15 out.
    const { input_tokens: plain } = first.body.usage as { input_tokens: number };
    const expected = plain * 3 + Number(forMinutes) * 3.75 + Number(forHour) * 6 + 3 * 15;
    expect(cost(first)).toBe(Math.ceil(expected - 1e-6));
    expect(cost(second)).toBe(Math.ceil(plain * 3 + written * 0.3 + 3 * 15 - 1e-6));
  });

  // https://github.com/stdapi-ai/stdapi.ai/issues/266
  test('a request for no tokens writes the cache, and is answered with none', async () => {
    const system = longText();
    const marked = [{ type: 'text', text: system, cache_control: { type: 'ephemeral' } }];
    const messages = [{ role: 'user', content: QUESTION }];
    const request = { model: MODEL, max_tokens: 0, system: marked, messages };
    const { status, body, upstream } = await send('/v1/messages', request, nameOf(system));
    expect([status, body['content'], body['stop_reason']]).toEqual([200, [], 'max_tokens']);
    expect(body.usage['cache_creation_input_tokens']).toBeGreaterThan(1_000);
    expect(upstream).toMatchObject({ max_tokens: 1, system: marked });
    const next = { ...request, max_tokens: 100 };
    const { body: second } = await send('/v1/messages', next, nameOf(system));
    expect(second.usage['cache_read_input_tokens']).toBeGreaterThan(1_000);
    expect((await send('/v1/messages', { ...request, stream: true }, nameOf(system))).status).toBe(400);
  });

  test('a long prompt without a mark is cached by itself, a short one is sent as it is', async () => {
    const text = longText();
    const ask = (system: string, headers = {}) =>
      send(
        '/v1/messages',
        { model: MODEL, max_tokens: 50, system, messages: [{ role: 'user', content: QUESTION }] },
        nameOf(system),
        headers,
      );
    expect(marksOf((await ask('Conversation short.')).upstream)).toBe(0);
    const { upstream } = await ask(text);
    expect(upstream['system']).toEqual([{ type: 'text', text, cache_control: { type: 'ephemeral' } }]);
    const again = await ask(text);
    expect(again.body.usage['cache_read_input_tokens']).toBeGreaterThan(2_000);
    const off = await ask(text, { 'x-unbroken-prompt-caching': 'off' });
    expect(marksOf(off.upstream)).toBe(0);
    expect(off.body.usage).toMatchObject({ cache_read_input_tokens: 0, cache_creation_input_tokens: 0 });
    const wrong = await ask(text, { 'x-unbroken-prompt-caching': 'forever' });
    expect([wrong.status, JSON.stringify(wrong.body).includes('promptCaching')]).toEqual([400, true]);
  });
});

describe('other formats', () => {
  test('chat completions carry marks to Claude, and see what was cached', async () => {
    const text = longText();
    const mark = { cache_control: { type: 'ephemeral' } };
    const body = {
      model: MODEL,
      messages: [
        { role: 'system', content: text, ...mark },
        { role: 'user', content: [{ type: 'text', text: QUESTION }] },
      ],
    };
    const first = await send('/v1/chat/completions', body, nameOf(text));
    expect(first.headers.get('x-unbroken-dropped')).toBeNull();
    expect(first.upstream['system']).toEqual([{ type: 'text', text, ...mark }]);
    expect(marksOf(first.upstream)).toBe(1);
    const second = await send('/v1/chat/completions', body, nameOf(text));
    const details = second.body.usage['prompt_tokens_details'] as Record<string, number>;
    expect(details['cached_tokens']).toBeGreaterThan(2_000);
  });

  test('Responses pass on the key of the client, or get that of the conversation', async () => {
    const text = longText();
    const body = { model: 'openai/gpt-5.1', instructions: text, input: QUESTION };
    const first = await send('/v1/responses', body, nameOf(text));
    expect(first.upstream['prompt_cache_key']).toMatch(/^[0-9a-f]{32}$/);
    const second = await send('/v1/responses', body, nameOf(text));
    expect(second.upstream['prompt_cache_key']).toBe(first.upstream['prompt_cache_key']);
    const details = second.body.usage['input_tokens_details'] as Record<string, number>;
    expect(details['cached_tokens']).toBeGreaterThan(2_000);
    const own = { ...body, prompt_cache_key: 'mine', prompt_cache_retention: '24h' };
    expect((await send('/v1/responses', own, nameOf(text))).upstream).toMatchObject({
      prompt_cache_key: 'mine',
      prompt_cache_retention: '24h',
    });
  });

  test('another tenant with the same words has another key', async () => {
    const text = longText();
    const body = { model: 'openai/gpt-5.1', instructions: text, input: QUESTION };
    const ours = await send('/v1/responses', body, nameOf(text));
    const key = await stack.addKey({ tenant: 'another', user: 'u', scopes: ['generate'] } as never);
    const theirs = await send('/v1/responses', body, nameOf(text), { authorization: `Bearer ${key}` });
    expect(theirs.upstream['prompt_cache_key']).toMatch(/^[0-9a-f]{32}$/);
    expect(theirs.upstream['prompt_cache_key']).not.toBe(ours.upstream['prompt_cache_key']);
  });

  test('our own format has the field, and a route can be without', async () => {
    const text = longText();
    const ask = (more: object) =>
      send('/v1/generations', { system: text, input: QUESTION, cache: 'off', ...more }, nameOf(text));
    const run = async (more: object) => {
      const { body } = await ask(more);
      await stack.api.readOnce(String(body['id']), -1);
      const upstream = (await stack.sim.received(nameOf(text))).at(-1)?.body ?? {};
      return { marks: marksOf(upstream), view: (await stack.api.view(String(body['id']))).body };
    };
    expect((await run({ route: 'plain' })).marks).toBe(0);
    expect((await run({ route: 'plain', promptCaching: '1h' })).marks).toBe(2);
    const { marks, view } = await run({ model: MODEL });
    expect(marks).toBe(2);
    expect(view.usage?.cachedInputTokens).toBeGreaterThan(2_000);
  });
});

test('a session stays at one key; where that is refused, another answers at once', async () => {
  const bill = await billOf(stack, { vendor: 'anthropic', mode: '5m', turns: 4 });
  const without = await billOf(stack, { vendor: 'anthropic', mode: 'off', turns: 4 });
  expect([bill.keys.size, without.cached]).toEqual([1, 0]);
  expect(bill.cached).toBeGreaterThan(3 * 10_000);
  expect(bill.costMicroUsd).toBeLessThan(without.costMicroUsd / 2);
  const [sticky = ''] = bill.keys;
  await stack.sim.fault({ kind: 'status', status: 401, key: sticky });
  const moved = await billOf(stack, { vendor: 'anthropic', mode: '5m', turns: 2 });
  expect(moved.keys).not.toContain(sticky);
  expect(moved.keys.size).toBe(1);
});
