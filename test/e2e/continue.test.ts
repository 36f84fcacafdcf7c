import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createClient, type UnbrokenClient } from '../../clients/typescript/index.ts';
import { textOf } from '../../contracts/fold-events.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, streamingWorker } from '../harness/streaming-worker.ts';
import { connectApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

const MODELS = ['simulated/sim-large', 'simulated-messages/sim-large'] as const;

let stack: Stack;
let client: UnbrokenClient;
beforeAll(async () => {
  const concise = 'Be brief, please.';
  stack = await startStack({
    workers: 2,
    config: {
      routes: { brief: ['simulated/sim-large'] },
      output: { routes: { brief: { maxOutputTokens: 40, concise } } },
    },
  });
  client = createClient({ baseUrl: stack.api.url, apiKey: stack.api.key });
});
afterAll(async () => {
  await closeTemporalClients();
  await stack?.stop();
});

const cutAnswer = async (model: string, tokens: number, cap: number, delayMs = 0) => {
  const input = promptOf({ tokens, delayMs });
  const { id } = await client.submit({ input, model, maxOutputTokens: cap, cache: 'off' });
  await startReading(stack.api, id).whole;
  return { id, whole: (await stack.sim.text(input)).text };
};

test.each(MODELS)(
  'an answer that was cut continues as one text, and only the new part is counted (%s)',
  async (model) => {
    const { id, whole } = await cutAnswer(model, 100, 40);
    const cut = await client.get(id);
    expect(cut).toMatchObject({ status: 'completed', finishReason: 'length' });
    const generation = await client.continue(id, { maxOutputTokens: 30 });
    const events = await startReading(stack.api, generation.id).whole;
    expect(faultsOf(events)).toEqual([]);
    expect(events[1]).toMatchObject({
      type: 'generation-continue',
      generationId: id,
      chars: cut.text?.length,
    });
    const text = textOf(events);
    expect(text.startsWith(cut.text ?? '?')).toBe(true);
    expect(whole.startsWith(text)).toBe(true);
    const second = await client.get(generation.id);
    expect(second).toMatchObject({ finishReason: 'length', continues: id, usage: { outputTokens: 30 } });
    const rest = await client.continue(generation.id, { maxOutputTokens: 40 });
    expect(textOf(await startReading(stack.api, rest.id).whole)).toBe(whole);
    const { finishReason, usage } = await client.get(rest.id);
    expect(finishReason).toBe('stop');
    // A prefill must not end in white space, so the model may generate that once more after each cut; a line break and
    // what indents the next line are several tokens.
    const repeated = [cut.text ?? '', text].reduce(
      (sum, part) => sum + part.length - part.trimEnd().length,
      0,
    );
    expect(usage?.outputTokens).toBeGreaterThanOrEqual(30);
    expect(usage?.outputTokens).toBeLessThanOrEqual(30 + repeated);
  },
);

test('asked for twice it is one continuation; with its own key it is another', async () => {
  const { id } = await cutAnswer(MODELS[0], 60, 20);
  const [first, second] = await Promise.all([client.continue(id), client.continue(id)]);
  expect(second.id).toBe(first.id);
  const other = await client.continue(id, {}, { idempotencyKey: `again ${id}` });
  expect(other.id).not.toBe(first.id);
  await startReading(stack.api, first.id).whole;
  expect((await client.continue(id)).id).toBe(first.id);
});

test.each(MODELS)('a worker killed in a continuation loses no text and breaks no cap (%s)', async (model) => {
  const slow = promptOf({ tokens: 400, delayMs: 30 });
  const source = await client.submit({ input: slow, model, maxOutputTokens: 60, cache: 'off' });
  await startReading(stack.api, source.id).whole;
  const generation = await client.continue(source.id, { maxOutputTokens: 250 });
  const reading = startReading(stack.api, generation.id);
  const cut = (await client.get(source.id)).text?.length ?? 0;
  await waitFor('new text', () => textOf(reading.events).length > cut + 20);
  const victim = await waitFor('the worker that streams', () => streamingWorker(stack, generation.id));
  await victim.kill();
  await victim.restart();
  const events = await reading.whole;
  expect(faultsOf(events)).toEqual([]);
  const expected = (await stack.sim.text(slow)).text;
  expect(expected.startsWith(textOf(events))).toBe(true);
  const { tokens } = await stack.sim.text(slow);
  expect(textOf(events).length).toBeGreaterThan((expected.length * 250) / tokens);
});

test('what did not end by its length cannot be continued, and says so', async () => {
  const { id } = await cutAnswer(MODELS[0], 20, 100);
  const refused = await stack.api.send(`/v1/generations/${id}/continue`, { method: 'POST', body: '{}' });
  expect(refused.status).toBe(409);
  expect(await refused.json()).toMatchObject({
    error: { code: 'not_continuable', message: expect.stringContaining('finishReason: stop') },
  });
  const other = connectApi(stack.api.url, await stack.addKey({ tenant: 'other', user: 'eve' }));
  const foreign = await other.send(`/v1/generations/${id}/continue`, { method: 'POST', body: '{}' });
  expect(foreign.status).toBe(404);
});

test('a route caps its answers and asks for brevity', async () => {
  const input = promptOf({ tokens: 100, delayMs: 0 });
  const { id } = await client.submit({ input, route: 'brief', system: 'You are kind.', cache: 'off' });
  const events = await startReading(stack.api, id).whole;
  expect(events.at(-1)).toMatchObject({ finishReason: 'length', usage: { outputTokens: 40 } });
  const whole = await stack.sim.text(input, 'You are kind.\n\nBe brief, please.');
  expect(whole.text.startsWith(textOf(events))).toBe(true);
});
