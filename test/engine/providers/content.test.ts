/** What a message and an answer may hold, through every wire: the simulated provider reads it back out of the wire. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Message, Tool } from '../../../contracts/content.ts';
import type { Provider } from '../../../engine/providers/provider.ts';
import type { WireFamily } from '../../../platform/config/schema.ts';
import {
  createSimulatedProvider,
  type SimulatedProvider,
} from '../../../tools/simulator/create-simulated-provider.ts';
import { scriptFor, trueText } from '../../../tools/simulator/true-text.ts';
import { connectSimulator, type Simulator } from '../../harness/simulator.ts';
import { adapterFor, KEY, simulatedConfig, simulatedWire, WIRES } from './adapter-for.ts';
import { callOf, errorOf, finishOf, hear } from './hear.ts';

const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=';
const WEATHER: Tool = {
  name: 'get_weather',
  description: 'The weather of a town.',
  parameters: {
    type: 'object',
    properties: { town: { type: 'string' }, days: { type: 'integer' } },
    required: ['town', 'days'],
    additionalProperties: false,
  },
};
const CLOCK: Tool = { name: 'get_time', parameters: { type: 'object', properties: {} } };

let server: SimulatedProvider;
let sim: Simulator;
const adapters = new Map<WireFamily, Provider>();

beforeAll(async () => {
  server = await createSimulatedProvider();
  sim = connectSimulator(server.url);
  for (const wire of WIRES) adapters.set(wire, adapterFor(wire, simulatedConfig(wire, server.url)));
});
afterAll(() => server.stop());
afterEach(async () => {
  await sim.clearFaults();
  await sim.clearLimits();
  await sim.forget();
});

function adapter(wire: WireFamily): Provider {
  const found = adapters.get(wire);
  if (found === undefined) throw new Error(wire);
  return found;
}

const ask = (content: string): Message[] => [{ role: 'user', content }];

describe.each(WIRES)('%s', (wire) => {
  test('a tool is called with arguments that are whole JSON, and the answer ends for it', async () => {
    const input = { messages: ask('Rain? [[sim tool=get_weather delay_ms=1]]'), tools: [CLOCK, WEATHER] };
    const heard = await hear(adapter(wire), callOf(input));
    expect(heard.error).toBeUndefined();
    expect(heard.calls).toHaveLength(1);
    expect(heard.calls[0]).toMatchObject({ name: 'get_weather', id: expect.stringMatching(/\S/) });
    expect(JSON.parse(heard.calls[0]?.arguments ?? '')).toEqual({ town: 'Lisbon', days: 3 });
    expect(finishOf(heard)).toMatchObject({ reason: 'tool-calls', usage: expect.anything() });
  });

  test('two calls at once keep their places, and text before them is text', async () => {
    const input = {
      messages: ask('Rain? [[sim tool=get_weather calls=2 say=7 delay_ms=1]]'),
      tools: [WEATHER],
    };
    const heard = await hear(adapter(wire), callOf(input));
    expect(heard.text).toBe(trueText(input));
    expect(heard.calls.map(({ name }) => name)).toEqual(['get_weather', 'get_weather']);
    expect(new Set(heard.calls.map(({ id }) => id)).size).toBe(2);
    for (const call of heard.calls) expect(JSON.parse(call.arguments)).toEqual({ town: 'Lisbon', days: 3 });
  });

  test.each([
    ['required', 'required', 1],
    ['by its name', { name: 'get_weather' }, 1],
    ['none', 'none', 0],
  ] as const)('a tool choice (%s) reaches the model', async (_name, toolChoice, calls) => {
    const content =
      toolChoice === 'none' ? 'Rain? [[sim tool=get_weather tokens=9]]' : 'Rain? [[sim tokens=9]]';
    const heard = await hear(adapter(wire), callOf({ messages: ask(content), tools: [WEATHER], toolChoice }));
    expect(heard.error).toBeUndefined();
    expect(heard.calls.map(({ name }) => name)).toEqual(Array.from({ length: calls }, () => 'get_weather'));
  });

  test('a conversation with images, calls and results arrives as it was given', async () => {
    const messages: Message[] = [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this? [[sim tokens=40 delay_ms=1]]' },
          { type: 'image', url: PIXEL },
          { type: 'image', url: 'https://example.com/harbour.png' },
        ],
      },
      { role: 'assistant', content: 'Let me look.' },
      { role: 'user', content: 'Do.' },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'I ask both.' },
          {
            type: 'tool-call',
            id: 'call_one',
            name: 'get_weather',
            arguments: '{"town": "Hamburg", "days": 2}',
          },
          { type: 'tool-call', id: 'call_two', name: 'get_time', arguments: '{}' },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool-result', id: 'call_one', content: 'rain "and" wind' },
          { type: 'tool-result', id: 'call_two', content: 'failed at noon', isError: true },
          { type: 'text', text: 'And now?' },
        ],
      },
    ];
    const input = { system: 'Be brief.', messages, tools: [WEATHER, CLOCK] };
    const heard = await hear(adapter(wire), callOf(input));
    expect(heard.error).toBeUndefined();
    // The true text depends on every word, image, call and result; the wire's own ids and order do not matter.
    expect(heard.text).toBe(trueText(input));
    const other = { ...input, messages: messages.with(0, { role: 'user', content: 'What is this?' }) };
    expect(trueText(other)).not.toBe(heard.text);
  });

  test('a schema of the output is what the answer fits', async () => {
    const schema = { ...WEATHER.parameters };
    const input = { messages: ask('Rain? [[sim delay_ms=1]]'), output: { name: 'answer', schema } };
    const heard = await hear(adapter(wire), callOf(input));
    expect(heard.error).toBeUndefined();
    expect(JSON.parse(heard.text)).toEqual({ town: 'Lisbon', days: 3 });
  });

  test('thoughts are separate from the text', async () => {
    const input = { messages: ask('Think [[sim tokens=30 reasoning=20 delay_ms=1]]') };
    const heard = await hear(adapter(wire), callOf({ ...input, reasoning: { effort: 'low' } }));
    expect(heard.error).toBeUndefined();
    expect(heard.text).toBe(trueText(input));
    const thoughts = scriptFor(input).tokens.filter(({ kind }) => kind === 'reasoning');
    expect(heard.reasoning).toBe(thoughts.map(({ text }) => text).join(''));
    const { usage } = finishOf(heard) ?? {};
    // Cohere tells no reasoning apart.
    expect(usage).toMatchObject(
      wire === 'cohere' ? { outputTokens: 50 } : { outputTokens: 30, reasoningTokens: 20 },
    );
  });

  test('the parts of the input are disjoint, and add up to the whole input', async () => {
    const input = { messages: ask('Cached [[sim tokens=10 cached=300 delay_ms=1]]') };
    const { usage } = finishOf(await hear(adapter(wire), callOf(input))) ?? {};
    expect(usage).toMatchObject({ cachedInputTokens: 300, estimated: false });
    expect(usage?.inputTokens).toBeGreaterThan(0);
    expect(usage?.inputTokens).toBeLessThan(100);
  });

  test('a wrong usage is cut to what can be, never negative or more than its total', async () => {
    await sim.fault({ kind: 'wrong-usage', wire: simulatedWire(wire) });
    const { usage } =
      finishOf(await hear(adapter(wire), callOf({ messages: ask('x [[sim tokens=5]]') }))) ?? {};
    const { estimated, ...parts } = usage ?? { estimated: false };
    for (const part of Object.values(parts)) expect(part).toBeGreaterThanOrEqual(0);
    expect(estimated).toBe(false);
  });

  test.each(['refusal', 'content-filter'] as const)(
    'a %s is the end of an answer, with its usage',
    async (kind) => {
      await sim.fault({ kind, wire: simulatedWire(wire) });
      const heard = await hear(adapter(wire), callOf({ messages: ask('x [[sim tokens=5 delay_ms=1]]') }));
      // The AI SDK's packages do not pass on a refusal in words.
      if (wire === 'ai-sdk' && kind === 'refusal') return;
      expect(heard.error).toBeUndefined();
      expect(finishOf(heard)?.reason).toMatch(/^(refusal|content-filter)$/);
      if (wire !== 'ai-sdk') {
        expect(heard.events.findLast(({ type }) => type === 'usage')).toMatchObject({
          usage: { outputTokens: 5, estimated: false },
        });
      }
    },
  );

  test('the key of a call is the one that is sent, and the head of an answer sets limits, that of a refusal its own wait', async () => {
    await sim.limit({ key: 'sk-other-9876543210', requests: 1 });
    const heads: [number, string | null][] = [];
    const onHeaders = (headers: Headers, status: number) =>
      heads.push([status, headers.get('x-ratelimit-remaining-requests')]);
    const call = () =>
      callOf(
        { messages: ask('x [[sim tokens=5 delay_ms=1]]') },
        { apiKey: 'sk-other-9876543210', onHeaders },
      );
    expect((await hear(adapter(wire), call())).error).toBeUndefined();
    const refused = errorOf(await hear(adapter(wire), call()));
    expect(refused?.code).toBe('provider_rate_limited');
    expect(refused?.retryAfterMs).toBeGreaterThan(1_000);
    expect(heads).toEqual([[200, '0']]);
    expect(
      (await hear(adapter(wire), callOf({ messages: ask('x [[sim tokens=5]]') }))).error,
    ).toBeUndefined();
    expect(await sim.keys()).toEqual({
      'sk-other-9876543210': { requests: 2, refused: 1, outputTokensGenerated: 5 },
      [KEY]: { requests: 1, refused: 0, outputTokensGenerated: 5 },
    });
  });

  test('a fault of one key leaves the others alone', async () => {
    await sim.fault({ status: 401, key: 'sk-bad-9876543210', times: 5 });
    const call = (apiKey?: string) => callOf({ messages: ask('x [[sim tokens=5]]') }, { apiKey });
    expect(errorOf(await hear(adapter(wire), call('sk-bad-9876543210')))?.code).toBe('provider_auth');
    expect((await hear(adapter(wire), call())).error).toBeUndefined();
  });

  test('a tool call that is cut in the middle is no finished answer', async () => {
    // Google sends a call whole, at the end.
    const wireName = simulatedWire(wire);
    await sim.fault({ kind: 'cut', afterTokens: 3, wire: wireName });
    const input = { messages: ask('Rain? [[sim tool=get_weather delay_ms=1]]'), tools: [WEATHER] };
    const heard = await hear(adapter(wire), callOf(input));
    expect(errorOf(heard)?.code).toBe('provider_stream_cut');
    expect(finishOf(heard)).toBeUndefined();
  });
});

test.each(['reattached', 'polled'])('a tool call of Responses that is cut and %s is exact', async (way) => {
  await sim.fault({ kind: 'cut', afterTokens: 9, wire: 'openai-responses' });
  const messages = ask('Rain? [[sim tool=get_weather calls=2 say=3 reasoning=2 delay_ms=3]]');
  const call = callOf({ messages, tools: [WEATHER], reasoning: { effort: 'high' } });
  const first = await hear(adapter('openai-responses'), call);
  expect(errorOf(first)?.code).toBe('provider_stream_cut');
  const { cursor } = first;
  if (cursor === undefined) throw new Error('no cursor');
  if (way === 'polled') await sim.fault({ kind: 'refuse-stream' });
  const rest = await hear(adapter('openai-responses'), {
    ...call,
    resume: { strategy: 'reattach', cursor },
  });
  expect(rest.error).toBeUndefined();
  const whole = [0, 1].map((index) =>
    [first, rest]
      .flatMap(({ events }) => events)
      .map((event) => (event.type === 'tool-call' && event.index === index ? event.arguments : ''))
      .join(''),
  );
  expect(whole.map((json) => JSON.parse(json))).toEqual([
    { town: 'Lisbon', days: 3 },
    { town: 'Lisbon', days: 3 },
  ]);
  expect(first.text + rest.text).toBe(trueText({ messages, tools: [WEATHER] }));
  expect(finishOf(rest)).toMatchObject({ reason: 'tool-calls' });
  expect(await sim.calls()).toHaveLength(1);
});
