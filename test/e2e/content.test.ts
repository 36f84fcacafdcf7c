/**
 * Tools, thoughts, images and schemas through the running product, in every wire format; and what a cut does to them.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { GenerationEvent } from '../../contracts/events.ts';
import { textOf } from '../../contracts/fold-events.ts';
import { faultsOf } from '../harness/check-events.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';

const WIRES = [
  'simulated',
  'simulated-chat',
  'simulated-messages',
  'simulated-google',
  'simulated-cohere',
] as const;
const WEATHER = {
  name: 'get_weather',
  parameters: {
    type: 'object',
    properties: { town: { type: 'string' }, days: { type: 'integer' } },
    required: ['town', 'days'],
    additionalProperties: false,
  },
};
const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=';

let stack: Stack;
let count = 0;
beforeAll(async () => {
  stack = await startStack({
    config: {
      models: { 'simulated/blind': { capabilities: { vision: false, tools: false } } },
      // These tests break many calls, and are not about what that does to the next.
      breaker: { minCalls: 1_000 },
    },
  });
});
afterAll(() => stack?.stop());
beforeEach(() => stack.sim.forget());
afterEach(() => stack.sim.clearFaults());

function prompt(directive: string): string {
  count += 1;
  return `Question ${process.pid}-${Date.now()}-${count} [[sim ${directive}]]`;
}

/** The calls and the thoughts that a reader holds after these events. */
function heldOf(events: readonly GenerationEvent[]) {
  let calls: { name: string; arguments: string }[] = [];
  let thoughts = '';
  for (const event of events) {
    if (event.type === 'text-reset') [calls, thoughts] = [[], ''];
    if (event.type === 'reasoning-delta') thoughts += event.text;
    if (event.type !== 'tool-call-delta') continue;
    const written = (calls[event.index]?.arguments ?? '') + event.arguments;
    calls[event.index] = { name: event.name, arguments: written };
  }
  return { calls: calls.map((call) => ({ ...call, arguments: JSON.parse(call.arguments) })), thoughts };
}

async function answer(request: Parameters<Stack['api']['create']>[0]): Promise<readonly GenerationEvent[]> {
  const body = await stack.api.submit({ cache: 'off', ...request });
  const events = await startReading(stack.api, body.id).whole;
  expect(faultsOf(events)).toEqual([]);
  return events;
}

describe.each(WIRES)('%s', (provider) => {
  const model = `${provider}/sim-large`;

  test('calls a tool, and the generation ends for its result', async () => {
    const input = prompt('tool=get_weather calls=2 delay_ms=1');
    const events = await answer({ input, model, tools: [WEATHER] });
    expect(heldOf(events).calls).toEqual([
      { name: 'get_weather', arguments: { town: 'Lisbon', days: 3 } },
      { name: 'get_weather', arguments: { town: 'Lisbon', days: 3 } },
    ]);
    expect(events.at(-1)).toMatchObject({ type: 'generation-end', finishReason: 'tool-calls' });
  });

  test('answers an image, and in JSON', async () => {
    const content = [
      { type: 'text' as const, text: prompt('delay_ms=1') },
      { type: 'image' as const, url: PIXEL },
    ];
    const output = { name: 'answer', schema: WEATHER.parameters };
    const events = await answer({ input: [{ role: 'user', content }], model, output });
    expect(JSON.parse(textOf(events))).toEqual({ town: 'Lisbon', days: 3 });
  });

  test('thinks aloud, and the cut of a thought voids it before another is begun', async () => {
    await stack.sim.fault({ kind: 'cut', afterTokens: 5 });
    const input = prompt('tokens=20 reasoning=15 delay_ms=2');
    const events = await answer({ input, model, reasoning: { effort: 'low' } });
    const { text } = await stack.sim.text(input);
    expect(textOf(events)).toBe(text);
    const { thoughts } = heldOf(events);
    expect(thoughts.split(' ').length).toBeGreaterThan(10);
    expect(thoughts.slice(1)).not.toContain(thoughts.slice(0, 12));
    const resets = events.filter(({ type }) => type === 'text-reset');
    // A response that is resumed continues where it was.
    expect(resets).toHaveLength(provider === 'simulated' ? 0 : 1);
    expect(events.at(-1)).toMatchObject({ type: 'generation-end', finishReason: 'stop' });
  });

  test('a tool call that is cut is voided and repeated, or resumed', async () => {
    await stack.sim.fault({ kind: 'cut', afterTokens: 9 });
    const input = prompt('tool=get_weather calls=2 say=3 delay_ms=2');
    const events = await answer({ input, model, tools: [WEATHER] });
    expect(events.some(({ type }) => type === 'provider-error')).toBe(true);
    expect(heldOf(events).calls).toEqual([
      { name: 'get_weather', arguments: { town: 'Lisbon', days: 3 } },
      { name: 'get_weather', arguments: { town: 'Lisbon', days: 3 } },
    ]);
    const { text } = await stack.sim.text(input);
    expect(text).not.toBe('');
    expect(events.at(-1)).toMatchObject({ type: 'generation-end', finishReason: 'tool-calls' });
    const calls = await stack.sim.calls();
    expect(calls).toHaveLength(provider === 'simulated' ? 1 : 2);
  });

  test('every attempt is in the usage, the broken one as far as it came', async () => {
    await stack.sim.fault({ kind: 'in-band-error', afterTokens: 12 });
    const events = await answer({ input: prompt('tokens=40 delay_ms=2'), model });
    const end = events.at(-1);
    if (end?.type !== 'generation-end')
      throw new Error(`ended by ${JSON.stringify(events.filter((e) => !e.type.includes('delta')))}`);
    const errors = events.flatMap((event) => (event.type === 'provider-error' ? [event.usage] : []));
    expect(errors).toHaveLength(1);
    expect(errors[0]?.outputTokens).toBeGreaterThan(0);
    expect(end.usage.outputTokens).toBeGreaterThanOrEqual(40);
  });
});

test('what no candidate can do is refused by its own code, and no call leaves', async () => {
  const input = [{ role: 'user' as const, content: [{ type: 'image' as const, url: PIXEL }] }];
  const refused = await stack.api.create({ input, model: 'simulated/blind', tools: [WEATHER], cache: 'off' });
  expect(refused.status).toBe(400);
  expect(refused.body.error).toMatchObject({
    code: 'unsupported_by_model',
    message: expect.stringContaining('simulated/blind does not take tools, images.'),
    doc: '/docs/errors/unsupported_by_model',
  });
  expect(await stack.sim.keys()).toEqual({});
});

describe('GET /v1/models', () => {
  const list = async (query: string) => {
    const response = await stack.api.send(`/v1/models${query}`);
    return {
      status: response.status,
      body: (await response.json()) as { data: { id: string }[]; error?: object },
    };
  };

  test('lists over a hundred models, with windows, prices and abilities', async () => {
    const { body } = await list('?available=any');
    expect(body.data.length).toBeGreaterThan(100);
    expect(body.data.find(({ id }) => id === 'openai/gpt-4o-mini')).toMatchObject({
      object: 'model',
      owned_by: 'openai',
      available: false,
      contextWindow: 128_000,
      priceMicroUsdPerMillion: { input: 150_000, output: 600_000, cachedInput: 75_000 },
      capabilities: { tools: true, vision: true, reattach: true, prefill: false, reasoning: false },
    });
  });

  test('is narrowed by provider, name and ability', async () => {
    const { body } = await list('?available=any&provider=anthropic&prefill=true&reasoning=true');
    const ids = body.data.map(({ id }) => id);
    expect(ids).toContain('anthropic/claude-sonnet-4-5');
    expect(ids).not.toContain('anthropic/claude-opus-4-6');
    expect(ids.every((id) => id.startsWith('anthropic/'))).toBe(true);
    expect((await list('')).body.data.every(({ id }) => !id.startsWith('openai/'))).toBe(true);
  });

  test('tells of one model, and refuses an unknown availability or provider', async () => {
    const model = await stack.api.send('/v1/models/openrouter/anthropic/claude-sonnet-4.5');
    expect(await model.json()).toMatchObject({ id: 'openrouter/anthropic/claude-sonnet-4.5' });
    expect((await list('?available=maybe')).status).toBe(400);
    expect((await stack.api.send('/v1/models/nobody/x')).status).toBe(404);
  });
});

test('half a tool call is no part of the next response, though that is cut as soon as it is accepted', async () => {
  await stack.sim.fault({ kind: 'in-band-error', afterTokens: 5 });
  await stack.sim.fault({ kind: 'cut', afterTokens: 0 });
  const input = prompt('tool=get_weather calls=2 say=3 delay_ms=2');
  const events = await answer({ input, model: 'simulated/sim-large', tools: [WEATHER] });
  const strategies = events.flatMap((event) => (event.type === 'provider-start' ? [event.strategy] : []));
  expect(strategies).toEqual(['start', 'restart', 'reattach']);
  expect(heldOf(events).calls.map((call) => call.arguments)).toEqual([
    { town: 'Lisbon', days: 3 },
    { town: 'Lisbon', days: 3 },
  ]);
});

test.each(WIRES)(
  'a model that ignores the request to continue gives no text twice (%s)',
  async (provider) => {
    const input = prompt('tokens=60 delay_ms=2');
    await stack.sim.fault({ kind: 'malformed-chunk', afterTokens: 30 });
    await stack.sim.fault({ kind: 'ignore-continuation', times: 5 });
    const events = await answer({ input, model: `${provider}/sim-large` });
    expect(textOf(events)).toBe((await stack.sim.text(input)).text);
    expect(events.filter(({ type }) => type === 'text-reset')).toEqual([]);
    expect(events.at(-1)).toMatchObject({ type: 'generation-end', finishReason: 'stop' });
  },
);

/** One turn of a conversation in a caller's format: what is sent, and where the answer's text is. */
const FORMATS = {
  '/v1/chat/completions': (model: string, messages: readonly object[]) => ({ model, messages }),
  '/v1/messages': (model: string, messages: readonly object[]) => ({ model, messages, max_tokens: 500 }),
  '/v1/responses': (model: string, input: readonly object[]) => ({ model, input }),
} as const;

function textIn(body: {
  choices?: { message: { content: string } }[];
  content?: { text: string }[];
  output?: { content: { text: string }[] }[];
}): string | undefined {
  return (
    body.choices?.[0]?.message.content ?? body.content?.[0]?.text ?? body.output?.at(-1)?.content[0]?.text
  );
}

describe.each(Object.entries(FORMATS))('a conversation over %s', (path, bodyOf) => {
  test.each(WIRES)('gets its own whole answer in each of three turns (%s)', async (provider) => {
    const messages: { role: 'user' | 'assistant'; content: string }[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      messages.push({ role: 'user', content: prompt('tokens=25 delay_ms=0') });
      const response = await stack.api.send(path, {
        method: 'POST',
        body: JSON.stringify(bodyOf(`${provider}/sim-large`, messages)),
      });
      expect(response.status).toBe(200);
      const text = textIn((await response.json()) as Parameters<typeof textIn>[0]) ?? '';
      expect(text).toBe((await stack.sim.text(messages)).text);
      messages.push({ role: 'assistant', content: text });
    }
  });
});
