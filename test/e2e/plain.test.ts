import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { textOf } from '../../contracts/fold-events.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { chooseSeed, createRandom } from '../harness/random.ts';
import { deltasOf, startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { eventsOf } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

let stack: Stack;
const compiled = mkdtempSync(join(tmpdir(), 'unbroken-compiled-'));
beforeAll(async () => {
  stack = await startStack({ env: { NODE_COMPILE_CACHE: compiled } });
});
afterAll(async () => {
  await stack?.stop();
  rmSync(compiled, { recursive: true, force: true });
});

test('once a process is ready, what Node has compiled is kept, as a kill would leave it', async () => {
  const isKept = () =>
    readdirSync(compiled, { recursive: true, withFileTypes: true }).some((entry) => entry.isFile());
  await waitFor('the compiled modules', isKept);
});

describe('a generation that nothing disturbs', () => {
  test('gives the reader every token of the provider, once and in order', async () => {
    const input = promptOf({ tokens: 200, delayMs: 2 });
    const expected = await stack.sim.text(input);
    await stack.sim.forget();
    const created = await stack.api.create({ input, cache: 'off' });
    expect(created.status).toBe(201);
    const events = await startReading(stack.api, created.body.id).whole;
    expect(faultsOf(events)).toEqual([]);
    expect(textOf(events)).toBe(expected.text);
    expect(events.at(-1)).toMatchObject({
      type: 'generation-end',
      finishReason: 'stop',
      attempts: 1,
      cached: false,
      usage: { outputTokens: expected.tokens, estimated: false },
    });
    const calls = await stack.sim.calls();
    expect(calls.map((call) => call.outputTokensGenerated)).toEqual([expected.tokens]);
  });

  test('is shown whole by GET after its end', async () => {
    const input = promptOf({ tokens: 50, delayMs: 0 });
    const expected = await stack.sim.text(input);
    const { body } = await stack.api.create({ input, cache: 'off' });
    const events = await startReading(stack.api, body.id).whole;
    const view = await stack.api.view(body.id);
    expect(view.status).toBe(200);
    expect(view.body).toMatchObject({
      id: body.id,
      status: 'completed',
      text: expected.text,
      lastSeq: events.at(-1)?.seq,
      attempts: 1,
    });
  });

  test('streams in the answer to the POST where that is asked', async () => {
    const input = promptOf({ tokens: 50, delayMs: 2 });
    const expected = await stack.sim.text(input);
    const response = await stack.api.send('/v1/generations', {
      method: 'POST',
      body: JSON.stringify({ input, cache: 'off', stream: true }),
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const events = [];
    for await (const event of eventsOf(response)) events.push(event);
    expect(faultsOf(events)).toEqual([]);
    expect(textOf(events)).toBe(expected.text);
  });
});

describe('a reader whose connection breaks', () => {
  test('gets with Last-Event-ID exactly the events that an unbroken reader got', async () => {
    const random = createRandom(chooseSeed());
    const input = promptOf({ tokens: 200, delayMs: 4 });
    const body = await stack.api.submit({ input, cache: 'off' });
    const unbroken = startReading(stack.api, body.id);
    const cutAfter = random.between(1, 80);
    console.info(`seed ${random.seed}: cut after ${cutAfter} deltas`);
    const before = await stack.api.readOnce(body.id, -1, (events) => deltasOf(events) >= cutAfter);
    const after = await stack.api.readOnce(body.id, before.at(-1)?.seq ?? -1);
    const joined = [...before, ...after];
    const whole = await unbroken.whole;
    expect(faultsOf(joined)).toEqual([]);
    expect(textOf(joined)).toBe((await stack.sim.text(input)).text);
    // The finished log may give several deltas as one, so texts are compared up to each number that both have.
    expect(textOf(joined)).toBe(textOf(whole));
    expect(joined.at(-1)).toEqual(whole.at(-1));
  });

  test('gets the same remaining events from every cursor of a finished log', async () => {
    const body = await stack.api.submit({ input: promptOf({ tokens: 60, delayMs: 2 }), cache: 'off' });
    const live = await startReading(stack.api, body.id).whole;
    for (const event of live.slice(0, -1)) {
      const rest = await stack.api.readOnce(body.id, event.seq);
      const text = textOf(live.filter(({ seq }) => seq > event.seq));
      expect(textOf(rest)).toBe(text);
      expect(rest[0]?.from ?? rest[0]?.seq).toBe(event.seq + 1);
    }
  });
});
