/** Answers to a schema, with the official clients in every format, through kills. */
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { createClient, partialJson, type UnbrokenClient } from '../../clients/typescript/index.ts';
import { textOf } from '../../contracts/fold-events.ts';
import { faultsOf } from '../harness/check-events.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, streamingWorker } from '../harness/streaming-worker.ts';
import { waitFor } from '../harness/wait-for.ts';

const SCHEMA = {
  type: 'object',
  properties: { size: { type: 'integer' } },
  required: ['size'],
  additionalProperties: false,
};
const WRONG = '{"size":"large"}';
const MODEL = 'simulated/sim-large';

let stack: Stack;
let client: UnbrokenClient;
let openai: OpenAI;
let anthropic: Anthropic;
beforeAll(async () => {
  stack = await startStack({ workers: 2 });
  const { url: baseUrl, key: apiKey } = stack.api;
  client = createClient({ baseUrl, apiKey });
  openai = new OpenAI({ baseURL: `${baseUrl}/v1`, apiKey });
  anthropic = new Anthropic({ baseURL: baseUrl, apiKey });
});
afterEach(() => stack.sim.clearFaults());
afterAll(async () => {
  await closeTemporalClients();
  await stack?.stop();
});

let questions = 0;
const question = () => {
  questions += 1;
  return `How large is number ${questions}? [[sim delay_ms=1]]`;
};
const says = (content: string, times: number) =>
  stack.sim.fault({ kind: 'says', text: WRONG, match: content, times });

/** Asks in each format, with the headers. @returns the JSON text. */
const formats: Record<string, (content: string, headers: Record<string, string>) => Promise<string>> = {
  'chat completions': async (content, headers) => {
    const completion = await openai.chat.completions.create(
      {
        model: MODEL,
        messages: [{ role: 'user', content }],
        response_format: { type: 'json_schema', json_schema: { name: 'size', strict: true, schema: SCHEMA } },
      },
      { headers },
    );
    return completion.choices[0]?.message.content ?? '';
  },
  Responses: async (content, headers) => {
    const response = await openai.responses.create(
      {
        model: MODEL,
        input: content,
        text: { format: { type: 'json_schema', name: 'size', strict: true, schema: SCHEMA } },
      },
      { headers },
    );
    return response.output_text;
  },
  messages: async (content, headers) => {
    const message = await anthropic.messages.create(
      {
        model: MODEL,
        max_tokens: 1_000,
        messages: [{ role: 'user', content }],
        output_config: { format: { type: 'json_schema', schema: SCHEMA } },
      },
      { headers },
    );
    return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  },
};

describe.each(Object.entries(formats))('%s', (_format, ask) => {
  test('an answer that does not fit is asked for again', async () => {
    const content = question();
    await says(content, 1);
    expect(JSON.parse(await ask(content, {}))).toEqual({ size: expect.any(Number) });
    expect(await stack.sim.asked(content)).toHaveLength(2);
  });

  test('what remains invalid is an error with the path, and the client pays for no retry of it', async () => {
    const content = question();
    await says(content, 9);
    const error = await ask(content, { 'x-unbroken-output-check': '3' }).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({
      status: 422,
      message: expect.stringMatching(/does not fit the schema of the request: \/size must be integer/),
    });
    expect(JSON.stringify(error)).toContain('output_invalid');
    expect(await stack.sim.asked(content)).toHaveLength(3);
  });

  test('without a check it is returned as it is', async () => {
    const content = question();
    await says(content, 1);
    expect(await ask(content, { 'x-unbroken-output-check': 'off' })).toBe(WRONG);
  });
});

const output = { name: 'size', schema: SCHEMA };

test('a stream of Responses that fails says so in its last event', async () => {
  const content = question();
  await says(content, 9);
  const stream = await openai.responses.create({
    model: MODEL,
    input: content,
    stream: true,
    text: { format: { type: 'json_schema', ...output } },
  });
  const events: { type: string }[] = [];
  for await (const event of stream) events.push(event);
  expect(events.at(-1)).toMatchObject({
    type: 'response.failed',
    response: { status: 'failed', error: { message: expect.stringContaining('/size must be integer') } },
  });
});

test('the client shows the object while it grows; nothing wrong is kept for the next caller', async () => {
  const input = question();
  await says(input, 2);
  const request = { input, output, model: MODEL, outputCheck: { attempts: 1 } };
  for (const _ of [1, 2]) {
    const { id } = await client.submit(request);
    const events = await startReading(stack.api, id).whole;
    expect(events.at(-1)).toMatchObject({
      type: 'generation-error',
      error: { code: 'output_invalid', details: { path: '/size' } },
    });
  }
  const generation = await client.generate(request);
  let last: unknown;
  for await (const value of partialJson(generation)) last = value;
  expect(last).toEqual({ size: expect.any(Number) });
  expect(await stack.sim.asked(input)).toHaveLength(3);
});

test('a worker killed between two answers repeats neither, and the bill has both once', async () => {
  const input = `${question()} [[sim first_ms=1500]]`;
  await says(input, 1);
  const { id } = await client.submit({ input, output, model: MODEL, cache: 'off' });
  const reading = startReading(stack.api, id);
  await waitFor('the second call', async () => (await stack.sim.asked(input)).length === 2);
  const worker = await streamingWorker(stack, id);
  await worker?.kill();
  const events = await reading.whole;
  await worker?.restart();
  expect(faultsOf(events)).toEqual([]);
  expect(JSON.parse(textOf(events))).toEqual({ size: expect.any(Number) });
  const errors = events.flatMap((event) => (event.type === 'provider-error' ? [event.code] : []));
  expect(errors.filter((code) => code === 'output_invalid')).toHaveLength(1);
  const { usage } = await client.get(id);
  const generated = (await stack.sim.asked(input)).length;
  expect(generated).toBeLessThanOrEqual(3);
  expect(usage?.outputTokens).toBeGreaterThan(0);
});

test('a schema that cannot be checked is refused before anything is spent', async () => {
  const input = question();
  const refused = client.submit({ input, model: MODEL, output: { name: 'x', schema: { type: 'strng' } } });
  await expect(refused).rejects.toMatchObject({ status: 400, code: 'invalid_request' });
  expect(await stack.sim.asked(input)).toEqual([]);
});
