import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import type { ResponseStreamEvent } from 'openai/resources/responses/responses';
import { ResponsesWS } from 'openai/resources/responses/ws';
import { connectRedis } from '../../../platform/redis/redis-connection.ts';
import { promptOf } from '../../harness/prompt.ts';
import { type Stack, startStack } from '../../harness/stack.ts';
import { waitFor } from '../../harness/wait-for.ts';

let stack: Stack;
let client: OpenAI;
beforeAll(async () => {
  stack = await startStack({ apis: 2 });
  client = new OpenAI({ apiKey: stack.api.key, baseURL: `${stack.api.url}/v1` });
});
afterAll(() => stack?.stop());
afterEach(() => stack.sim.clearFaults());

const MODEL = 'simulated/sim-large';
/** Without it, the simulated model would take its own answer in the second turn for text to continue. */
const FIRST_ONLY = 'This is the first turn.';
const uncached = { headers: { 'x-unbroken-cache': 'off' } };
/** As the vendor says it: by all three of these, clients know that they must send the whole conversation. */
const gone = (id: string) => ({
  status: 400,
  type: 'invalid_request_error',
  code: 'previous_response_not_found',
  message: expect.stringContaining(`Previous response with id '${id}' not found.`),
});

async function collect(stream: AsyncIterable<ResponseStreamEvent>): Promise<ResponseStreamEvent[]> {
  const events: ResponseStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

function textIn(events: readonly ResponseStreamEvent[]): string {
  return events.map((event) => (event.type === 'response.output_text.delta' ? event.delta : '')).join('');
}

describe('the official client', () => {
  test('gets the whole answer at once, with usage and what it asked for', async () => {
    const input = promptOf({ tokens: 60, delayMs: 1 });
    const { data, response: http } = await client.responses
      .create({ model: MODEL, input, metadata: { team: 'blue' }, instructions: 'Be brief.' }, uncached)
      .withResponse();
    expect(data.status).toBe('completed');
    expect(data.output_text).toBe((await stack.sim.text(input, 'Be brief.')).text);
    expect(data.metadata).toEqual({ team: 'blue' });
    expect(data.instructions).toBe('Be brief.');
    expect(data.usage?.output_tokens).toBe(60);
    expect(http.headers.get('x-unbroken-generation-id')).toBe(data.id.replace('resp_', 'gen_'));
    expect(http.headers.get('x-unbroken-attempts')).toBe('1');
  });

  test('streams events in order, numbered from 0 without a gap, and its helper makes of them the answer', async () => {
    const input = promptOf({ tokens: 80, delayMs: 1 });
    const stream = client.responses.stream({ model: MODEL, input }, uncached);
    const events: ResponseStreamEvent[] = [];
    for await (const event of stream) events.push(event);
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
    const { text } = await stack.sim.text(input);
    expect(textIn(events)).toBe(text);
    expect((await stream.finalResponse()).output_text).toBe(text);
  });

  test('cut anywhere, continues at another API process with exactly the events that were left', async () => {
    const input = promptOf({ tokens: 120, delayMs: 4 });
    const stream = await client.responses.create(
      { model: MODEL, input, stream: true, background: true },
      uncached,
    );
    const before: ResponseStreamEvent[] = [];
    for await (const event of stream) {
      before.push(event);
      if (before.length === 30) break;
    }
    const [created] = before;
    if (created?.type !== 'response.created') throw new Error('no response.created');
    const { id } = created.response;
    const other = new OpenAI({ apiKey: stack.api.key, baseURL: `${stack.otherApis[0]}/v1` });
    const after = await collect(await other.responses.retrieve(id, { stream: true, starting_after: 29 }));
    const whole = await collect(await client.responses.retrieve(id, { stream: true }));
    expect([...before, ...after]).toEqual(whole);
    expect(textIn(whole)).toBe((await stack.sim.text(input)).text);
    for (const cursor of [0, 7, 60, whole.length - 2]) {
      const rest = await collect(
        await client.responses.retrieve(id, { stream: true, starting_after: cursor }),
      );
      expect(rest).toEqual(whole.slice(cursor + 1));
    }
  });

  test('polls a response in the background, which ends by itself', async () => {
    const input = promptOf({ tokens: 60, delayMs: 50 });
    const begun = await client.responses.create({ model: MODEL, input, background: true }, uncached);
    expect(begun.status).toBe('in_progress');
    const done = await waitFor('the end', async () => {
      const now = await client.responses.retrieve(begun.id);
      return now.status !== 'in_progress' && now;
    });
    expect(done.status).toBe('completed');
    expect(done.output_text).toBe((await stack.sim.text(input)).text);
  });

  test('cancels, again and again, with the same result', async () => {
    const input = promptOf({ tokens: 2_000, delayMs: 10 });
    const begun = await client.responses.create({ model: MODEL, input, background: true }, uncached);
    await waitFor('some text', async () => (await client.responses.retrieve(begun.id)).output_text !== '');
    const cancelled = await client.responses.cancel(begun.id);
    expect(cancelled.status).toBe('cancelled');
    expect(await client.responses.cancel(begun.id)).toEqual(cancelled);
    const events = await collect(await client.responses.retrieve(begun.id, { stream: true }));
    expect(events.at(-1)).toMatchObject({ type: 'response.incomplete', response: { status: 'cancelled' } });
  });

  test('continues from a response that it names, and lists the own input of each', async () => {
    const input = promptOf({ tokens: 20, delayMs: 0 });
    const first = await client.responses.create({ model: MODEL, input, instructions: FIRST_ONLY }, uncached);
    const again = promptOf({ tokens: 25, delayMs: 0 });
    const second = await client.responses.create(
      { model: MODEL, input: again, previous_response_id: first.id },
      uncached,
    );
    const conversation = [
      { role: 'user' as const, content: input },
      { role: 'assistant' as const, content: first.output_text },
      { role: 'user' as const, content: again },
    ];
    expect(second.output_text).toBe((await stack.sim.text(conversation)).text);
    expect(second.previous_response_id).toBe(first.id);
    const items = await client.responses.inputItems.list(second.id);
    expect(items.data).toMatchObject([{ role: 'user', content: [{ type: 'input_text', text: again }] }]);
  });

  test('deletes a response, which then is not found, nor continued from', async () => {
    const input = promptOf({ tokens: 20, delayMs: 0 });
    const made = await client.responses.create({ model: MODEL, input }, uncached);
    await client.responses.delete(made.id);
    await expect(client.responses.retrieve(made.id)).rejects.toMatchObject({ status: 404 });
    await expect(
      client.responses.create({ model: MODEL, input, previous_response_id: made.id }, uncached),
    ).rejects.toMatchObject(gone(made.id));
  });

  test('is asked for the whole conversation after the retention of the response before', async () => {
    const input = promptOf({ tokens: 20, delayMs: 0 });
    const made = await client.responses.create({ model: MODEL, input }, uncached);
    const redis = await connectRedis(stack.env['REDIS_URL'] ?? '', () => undefined);
    try {
      // As Redis does when the time is over.
      await redis.del(await redis.keys(`ub:log:{${made.id.replace('resp_', 'gen_')}}:*`));
    } finally {
      redis.destroy();
    }
    await expect(
      client.responses.create({ model: MODEL, input, previous_response_id: made.id }, uncached),
    ).rejects.toMatchObject(gone(made.id));
  });

  test('does not find what was not to be stored, nor what another tenant made', async () => {
    const input = promptOf({ tokens: 20, delayMs: 0 });
    const kept = await client.responses.create({ model: MODEL, input, store: false }, uncached);
    expect(kept.status).toBe('completed');
    await expect(client.responses.retrieve(kept.id)).rejects.toMatchObject({ status: 404 });
    const made = await client.responses.create({ model: MODEL, input: promptOf({ tokens: 5 }) }, uncached);
    const stranger = new OpenAI({
      apiKey: await stack.addKey({ tenant: 'other', user: 'eve' }),
      baseURL: `${stack.api.url}/v1`,
    });
    await expect(stranger.responses.retrieve(made.id)).rejects.toMatchObject({ status: 404 });
  });

  test('gets errors as its own, and sends none again by itself', async () => {
    await expect(client.responses.create({ model: 'nonsense-7b', input: 'x' })).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
      param: 'model',
    });
    const wrong = new OpenAI({ apiKey: 'wrong-key-000', baseURL: `${stack.api.url}/v1` });
    await expect(wrong.responses.create({ model: MODEL, input: 'x' })).rejects.toBeInstanceOf(
      OpenAI.AuthenticationError,
    );
    await stack.sim.forget();
    await stack.sim.fault({ kind: 'status', wire: 'openai-responses', status: 400, times: 5 });
    await expect(
      client.responses.create({ model: MODEL, input: promptOf({ tokens: 5 }) }, uncached),
    ).rejects.toMatchObject({ status: 400, code: 'provider_bad_request' });
    const failing = await client.responses.create(
      { model: MODEL, input: promptOf({ tokens: 5 }), background: true },
      uncached,
    );
    const failed = await waitFor('the failure', async () => {
      const now = await client.responses.retrieve(failing.id);
      return now.status === 'failed' && now;
    });
    expect(failed.error?.message).toContain('provider_bad_request');
  });
});

describe('WebSocket mode', () => {
  async function turn(socket: ResponsesWS, frame: Parameters<ResponsesWS['send']>[0]) {
    const events: { type?: string; sequence_number?: number }[] = [];
    const done = new Promise<void>((resolve, reject) => {
      const onEvent = (event: { type?: string; sequence_number?: number }) => {
        events.push(event);
        if (!/^response\.(completed|incomplete|failed)$/.test(event.type ?? '')) return;
        socket.off('event', onEvent);
        resolve();
      };
      socket.on('event', onEvent);
      socket.once('error', reject);
    });
    socket.send(frame);
    await done;
    return events as ResponseStreamEvent[];
  }

  test('runs turns one after the other on one socket, each chained to the one before, unstored', async () => {
    const socket = new ResponsesWS(client);
    const input = promptOf({ tokens: 40, delayMs: 1 });
    const first = await turn(socket, {
      type: 'response.create',
      model: MODEL,
      input,
      store: false,
      instructions: FIRST_ONLY,
    });
    expect(first.map((event) => event.sequence_number)).toEqual(first.map((_, index) => index));
    const end = first.at(-1);
    if (end?.type !== 'response.completed') throw new Error('not completed');
    const again = promptOf({ tokens: 30, delayMs: 1 });
    const second = await turn(socket, {
      type: 'response.create',
      model: MODEL,
      input: again,
      store: false,
      previous_response_id: end.response.id,
    });
    const conversation = [
      { role: 'user' as const, content: input },
      { role: 'assistant' as const, content: textIn(first) },
      { role: 'user' as const, content: again },
    ];
    expect(textIn(second)).toBe((await stack.sim.text(conversation)).text);
    socket.close();
  });

  // https://github.com/router-for-me/CLIProxyAPI/issues/6006 (what the vendor answered)
  test('answers what was prepared in a turn that adds nothing to it', async () => {
    const socket = new ResponsesWS(client);
    const input = promptOf({ tokens: 10, delayMs: 0 });
    const create = { type: 'response.create', model: MODEL } as const;
    const ready = (await turn(socket, { ...create, input, generate: false })).at(-1);
    if (ready?.type !== 'response.completed') throw new Error('not completed');
    expect(ready.response.output).toEqual([]);
    const previous = { previous_response_id: ready.response.id };
    const answer = await turn(socket, { ...create, input: [], ...previous });
    expect(textIn(answer)).toBe((await stack.sim.text(input)).text);
    socket.close();
    const nothing = client.responses.create({ model: MODEL, input: [] });
    await expect(nothing).rejects.toMatchObject({ status: 400, param: 'input' });
  });

  test('prepares a turn without an answer, and says what it cannot find', async () => {
    const socket = new ResponsesWS(client);
    const ready = await turn(socket, {
      type: 'response.create',
      model: MODEL,
      input: 'Prepare.',
      generate: false,
    });
    const end = ready.at(-1);
    if (end?.type !== 'response.completed') throw new Error('not completed');
    const input = promptOf({ tokens: 10, delayMs: 0 });
    const answer = await turn(socket, {
      type: 'response.create',
      model: MODEL,
      input,
      previous_response_id: end.response.id,
    });
    expect(answer.at(-1)).toMatchObject({ type: 'response.completed' });
    const failure = new Promise<unknown>((resolve) => socket.once('error', ({ error }) => resolve(error)));
    socket.send({
      type: 'response.create',
      model: MODEL,
      input,
      previous_response_id: `resp_${'0'.repeat(32)}`,
    });
    expect(await failure).toMatchObject({ status: 400, error: { code: 'previous_response_not_found' } });
    socket.close();
  });
});
