/** Files and batches on real services, by the official clients: kills, refusals, ends of every kind, both formats. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { BATCH_MODEL, BatchClient, chatLine } from '../harness/batches.ts';
import { promptOf } from '../harness/prompt.ts';
import { type Seat, type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients } from '../harness/streaming-worker.ts';
import { waitFor } from '../harness/wait-for.ts';
import { joinsTheFirst } from './batch-books/at-the-limit.ts';
import { type CommandLineDesk, resumesItsBatch, sendsPrompts } from './batch-books/command-line.ts';
import { joinsItsBatch, namesNoOtherBatch } from './batch-books/key-again.ts';

const MOST_OPEN = 6;
const folder = mkdtempSync(join(tmpdir(), 'unbroken-batches-'));
let stack: Stack;
let batches: BatchClient;
let openai: OpenAI;
let anthropic: Anthropic;

beforeAll(async () => {
  stack = await startStack({
    workers: 2,
    config: {
      objectStore: { folder: join(folder, 'objects') },
      webhooks: { allowPrivateNetwork: true },
      batches: { linesAtOnce: 16, perUser: MOST_OPEN },
    },
  });
  batches = new BatchClient(stack.api.url, stack.api.key);
  openai = batches.openai;
  anthropic = new Anthropic({ baseURL: stack.api.url, apiKey: stack.api.key });
});
afterAll(async () => {
  await closeTemporalClients();
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('a batch of chat completions', () => {
  test('whose workers and API are killed has each line once, in order, with its whole answer, paid once', async () => {
    await stack.sim.forget();
    const prompts = Array.from({ length: 48 }, () => promptOf({ tokens: 12, delayMs: 20 }));
    const batch = await batches.create(prompts.map((prompt, index) => chatLine(`line ${index}`, prompt)));
    expect(batch).toMatchObject({ object: 'batch', status: 'validating', endpoint: '/v1/chat/completions' });
    const [worker, other] = stack.workers as [Seat, Seat];
    const called = (count: number) =>
      waitFor(`${count} calls`, async () => (await stack.sim.calls()).length >= count);
    await called(6);
    await worker.kill();
    const back = worker.restart();
    await called(16);
    await stack.apis[0]?.kill();
    await stack.apis[0]?.restart();
    await back;
    await called(30);
    await other.kill();
    const also = other.restart();
    const ended = await batches.endOf(batch.id);
    await also;
    expect(ended).toMatchObject({
      status: 'completed',
      request_counts: { total: 48, completed: 48, failed: 0 },
      error_file_id: null,
      errors: null,
    });
    const { output } = await batches.resultsOf(ended);
    expect(output.map((line) => line.custom_id)).toEqual(prompts.map((_, index) => `line ${index}`));
    for (const [index, { response }] of output.entries()) {
      const { text } = await stack.sim.text(prompts[index] ?? '');
      expect(response).toMatchObject({ status_code: 200, body: { object: 'chat.completion' } });
      expect(response?.body.choices[0].message.content).toBe(text);
    }
    // A call is repeated only where its worker died before it learned the call's id: those that ran at a kill.
    const calls = (await stack.sim.calls()).length;
    expect(calls).toBeGreaterThanOrEqual(48);
    expect(calls).toBeLessThanOrEqual(48 + 2 * 16);
    const usage = ended.usage?.output_tokens ?? 0;
    const sum = output.reduce((total, { response }) => total + response?.body.usage.completion_tokens, 0);
    expect(usage).toBe(sum);
    const stored = await openai.files.retrieve(ended.output_file_id ?? '');
    expect(stored).toMatchObject({ purpose: 'batch_output', filename: `${batch.id}_output.jsonl` });
  });

  test('is refused with the faults of its lines, and nothing is sent', async () => {
    await stack.sim.forget();
    const good = chatLine('a', promptOf({ tokens: 2 }));
    const ended = await batches.endOf(
      (await batches.create([good, '{', good, { ...good, custom_id: 'b', url: '/v1/x' }])).id,
    );
    expect(ended).toMatchObject({
      status: 'failed',
      output_file_id: null,
      errors: {
        object: 'list',
        data: [
          { code: 'invalid_json_line', line: 2 },
          { code: 'duplicate_custom_id', line: 3, param: 'custom_id' },
          { code: 'url_mismatch', line: 4, param: 'url' },
        ],
      },
    });
    expect(await stack.sim.calls()).toEqual([]);
  });

  test('has what a request alone would have got for each line that fails, and several choices', async () => {
    const failing = 'This line fails at its provider.';
    await stack.sim.fault({ kind: 'status', status: 400, match: failing, times: 9 });
    const lines = [
      chatLine('two choices', promptOf({ tokens: 3 }), { n: 2 }),
      chatLine('no model', 'x', { model: 'unknown/model' }),
      chatLine('a stream', 'x', { stream: true }),
      chatLine('no messages', 'x', { messages: [] }),
      chatLine('refused', failing),
      chatLine('good', promptOf({ tokens: 3 })),
    ];
    const ended = await batches.endOf((await batches.create(lines, { metadata: { night: '1' } })).id);
    await stack.sim.clearFaults();
    expect(ended).toMatchObject({
      status: 'completed',
      metadata: { night: '1' },
      request_counts: { total: 6, completed: 2, failed: 4 },
    });
    const { output, errors } = await batches.resultsOf(ended);
    expect(output.map((line) => line.custom_id)).toEqual(['two choices', 'good']);
    expect(output[0]?.response?.body.choices).toHaveLength(2);
    expect(errors.map((line) => [line.custom_id, line.response?.status_code])).toEqual([
      ['no model', 404],
      ['a stream', 400],
      ['no messages', 400],
      ['refused', 400],
    ]);
    const alone = await openai.chat.completions
      .create({ model: 'unknown/model', messages: [{ role: 'user', content: 'x' }] })
      .catch((error: InstanceType<typeof OpenAI.APIError>) => error.error);
    expect(errors[0]?.response?.body.error).toEqual(alone);
    expect(errors.every(({ error }) => error === null)).toBe(true);
    await expect(openai.batches.cancel(ended.id)).rejects.toMatchObject({
      status: 409,
      code: 'batch_conflict',
    });
  });

  test('that is cancelled keeps what has ended, and has every other line as cancelled', async () => {
    // A shard is counted when it is recorded: the first one has ended long before the others can have.
    const lines = Array.from({ length: 60 }, (_, index) =>
      chatLine(`${index}`, promptOf(index < 15 ? { tokens: 1 } : { tokens: 25, delayMs: 100 })),
    );
    const { id, input_file_id } = await batches.create(lines);
    await waitFor(
      'some lines',
      async () => ((await openai.batches.retrieve(id)).request_counts?.completed ?? 0) > 0,
    );
    await expect(openai.files.delete(input_file_id)).rejects.toMatchObject({
      status: 409,
      code: 'batch_conflict',
    });
    expect(await openai.batches.cancel(id)).toMatchObject({ status: 'cancelling' });
    const ended = await batches.endOf(id);
    expect(ended).toMatchObject({ status: 'cancelled', request_counts: { total: 60 } });
    // A repeated request to cancel changes nothing, as at OpenAI: https://github.com/BerriAI/litellm/pull/36034
    expect(await openai.batches.cancel(id)).toEqual(await openai.batches.retrieve(id));
    const { output, errors, ids } = await batches.resultsOf(ended);
    expect(ids.sort()).toEqual(lines.map((line) => line.custom_id).sort());
    expect(output.length).toBeGreaterThan(0);
    expect(errors.length).toBeGreaterThan(0);
    expect(new Set(errors.map(({ error }) => error?.code))).toEqual(new Set(['batch_cancelled']));
    await openai.files.delete(input_file_id);
    await expect(openai.files.retrieve(input_file_id)).rejects.toMatchObject({ status: 404 });
  });

  test('whose time is over keeps what has ended, and has every other line as expired', async () => {
    const lines = [
      chatLine('short', promptOf({ tokens: 2 })),
      ...Array.from({ length: 30 }, (_, index) =>
        chatLine(`${index}`, promptOf({ tokens: 400, delayMs: 100 })),
      ),
    ];
    const ended = await batches.endOf((await batches.create(lines, { completion_window: '3s' as '24h' })).id);
    expect(ended).toMatchObject({ status: 'expired' });
    const { output, errors, ids } = await batches.resultsOf(ended);
    expect(ids.sort()).toEqual(lines.map((line) => line.custom_id).sort());
    expect(output.filter((line) => line.custom_id !== 'short')).toEqual([]);
    expect(new Set(errors.map(({ error }) => error?.code))).toEqual(new Set(['batch_expired']));
  });

  test('notifies its end once, in the format that the official client reads', async () => {
    const received: { body: string; headers: IncomingHttpHeaders }[] = [];
    const receiver = createServer(async (request, response) => {
      let body = '';
      for await (const part of request) body += part;
      received.push({ body, headers: request.headers });
      response.end();
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    try {
      const address = receiver.address();
      const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`;
      const secret = `whsec_${Buffer.from('a secret of one batch, long enough').toString('base64')}`;
      const body = { webhook: { url, secret } } as object;
      const batch = await batches.create([chatLine('a', promptOf({ tokens: 2 }))], body);
      await batches.endOf(batch.id);
      const first = await waitFor('the delivery', () => received[0]);
      const event = await openai.webhooks.unwrap(first.body, first.headers as Record<string, string>, secret);
      expect(event).toMatchObject({ type: 'batch.completed', data: { id: batch.id } });
    } finally {
      receiver.closeAllConnections();
      receiver.close();
    }
  });
});

test('a batch of Responses has response objects, and one of embeddings has vectors', async () => {
  const input = promptOf({ tokens: 4 });
  const responses = ['one', 'two'].map((id) => ({
    custom_id: id,
    method: 'POST',
    url: '/v1/responses',
    body: id === 'one' ? { model: BATCH_MODEL, input } : { model: BATCH_MODEL, input, background: true },
  }));
  const ended = await batches.endOf((await batches.create(responses, { endpoint: '/v1/responses' })).id);
  const { output, errors } = await batches.resultsOf(ended);
  expect(output[0]?.response?.body).toMatchObject({ object: 'response', status: 'completed' });
  expect(output[0]?.response?.body.output[0].content[0].text).toBe((await stack.sim.text(input)).text);
  expect(errors[0]?.response).toMatchObject({ status_code: 400, body: { error: { param: 'background' } } });
  // It is a stored response like any other.
  expect(await openai.responses.retrieve(output[0]?.response?.body.id)).toMatchObject({
    status: 'completed',
  });

  const embeddings = ['a', 'b', 'none'].map((id) => ({
    custom_id: id,
    method: 'POST',
    url: '/v1/embeddings',
    body: { model: id === 'none' ? 'unknown/model' : 'simulated/sim-embed', input: `text ${id}` },
  }));
  const embedded = await batches.endOf((await batches.create(embeddings, { endpoint: '/v1/embeddings' })).id);
  const vectors = await batches.resultsOf(embedded);
  expect(vectors.output.map((line) => line.custom_id)).toEqual(['a', 'b']);
  expect(vectors.output[0]?.response?.body.data[0].embedding.length).toBeGreaterThan(0);
  expect(vectors.errors.map((line) => line.response?.status_code)).toEqual([404]);
});

describe('files and lists', () => {
  test('are read page by page by their owner, and by no other', async () => {
    const key = await stack.addKey({ user: 'ann', scopes: ['generate'] });
    const own = new BatchClient(stack.api.url, key);
    const ann = own.openai;
    const ids: string[] = [];
    for (let count = 0; count < 3; count += 1) ids.push(await own.upload([`{"n":${count}}`]));
    const listed: string[] = [];
    for await (const file of ann.files.list({ limit: 2, order: 'asc' })) listed.push(file.id);
    expect(listed).toEqual(ids);
    expect(await (await ann.files.content(ids[1] ?? '')).text()).toBe('{"n":1}');
    const eve = new OpenAI({
      baseURL: `${stack.api.url}/v1`,
      apiKey: await stack.addKey({ tenant: 'other', user: 'ann', scopes: ['generate'] }),
    });
    for (const id of ids) {
      await expect(eve.files.retrieve(id)).rejects.toMatchObject({ status: 404 });
      await expect(eve.files.content(id)).rejects.toMatchObject({ status: 404 });
      await expect(eve.files.delete(id)).rejects.toMatchObject({ status: 404 });
      const stolen = {
        input_file_id: id,
        endpoint: '/v1/chat/completions',
        completion_window: '24h',
      } as const;
      await expect(eve.batches.create(stolen)).rejects.toMatchObject({ status: 404, param: 'input_file_id' });
    }
    expect((await eve.files.list()).data).toEqual([]);
    expect((await eve.batches.list()).data).toEqual([]);
    const batch = await ann.batches.create({
      input_file_id: ids[0] ?? '',
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
    });
    await batches.endOf(batch.id);
    expect((await ann.batches.list()).data.map(({ id }) => id)).toEqual([batch.id]);
    await expect(eve.batches.retrieve(batch.id)).rejects.toMatchObject({ status: 404 });
    await expect(eve.batches.cancel(batch.id)).rejects.toMatchObject({ status: 404 });
  });

  test('a form that cannot be stored is refused, and leaves nothing', async () => {
    const headers = { authorization: `Bearer ${stack.api.key}` };
    const send = (body: FormData) => fetch(`${stack.api.url}/v1/files`, { method: 'POST', headers, body });
    const formOf = (fields: Record<string, string | Blob>) => {
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.append(name, value);
      return form;
    };
    const file = new Blob(['{}']);
    for (const [form, param] of [
      [{ file, purpose: 'assistants' }, 'purpose'],
      [{ file }, 'purpose'],
      [{ purpose: 'batch' }, 'file'],
      [{ file, purpose: 'batch', 'expires_after[seconds]': '5' }, 'expires_after'],
    ] as const) {
      const response = await send(formOf(form));
      expect(response.status).toBe(400);
      expect(JSON.stringify(await response.json())).toContain(param);
    }
    const json = await stack.api.send('/v1/files', { method: 'POST', body: '{}' });
    expect(json.status).toBe(415);
  });

  test('a client that sends its request again gets the batch that it made', async () => {
    const input_file_id = await batches.upload([chatLine('a', promptOf({ tokens: 2 }))]);
    const body = { input_file_id, endpoint: '/v1/chat/completions', completion_window: '24h' } as const;
    const first = await openai.batches.create(body);
    const again = await openai.batches.create(body, { headers: { 'x-stainless-retry-count': '1' } });
    expect(again.id).toBe(first.id);
    expect((await openai.batches.create(body)).id).not.toBe(first.id);
  });

  test('a key names the batch that it made, for as long as that is kept', () =>
    joinsItsBatch({ stack, batches }));

  test('a key whose batch was deleted is refused', () => namesNoOtherBatch({ stack, anthropic }));
});

describe('a message batch', () => {
  const requestOf = (id: string, content: string, model = 'simulated-messages/sim-large') => ({
    custom_id: id,
    params: { model, max_tokens: 64, messages: [{ role: 'user' as const, content }] },
  });
  const ended = (id: string) =>
    waitFor(`the end of ${id}`, async () => {
      const batch = await anthropic.messages.batches.retrieve(id);
      return batch.processing_status === 'ended' && batch;
    });

  test('has the results of all its requests, is listed, and can be deleted after its end', async () => {
    const prompt = promptOf({ tokens: 4 });
    const requests = [requestOf('good', prompt), requestOf('bad', 'x', 'unknown/model')];
    const { id } = await anthropic.messages.batches.create({ requests });
    const batch = await ended(id);
    expect(batch).toMatchObject({
      type: 'message_batch',
      request_counts: { processing: 0, succeeded: 1, errored: 1, canceled: 0, expired: 0 },
    });
    const results: Anthropic.Messages.MessageBatchIndividualResponse[] = [];
    for await (const result of await anthropic.messages.batches.results(id)) results.push(result);
    expect(results).toMatchObject([
      { custom_id: 'good', result: { type: 'succeeded', message: { type: 'message', role: 'assistant' } } },
      { custom_id: 'bad', result: { type: 'errored', error: { error: { type: 'not_found_error' } } } },
    ]);
    const listed: string[] = [];
    for await (const { id: own } of anthropic.messages.batches.list({ limit: 1 })) listed.push(own);
    expect(listed).toContain(id);
    // Ours: the same batch in the other format, with what that of the vendor does not have.
    const outcomes = { completed: 1, failed: 1, cancelled: 0, expired: 0 };
    const facts = { id, endpoint: '/v1/messages', status: 'completed', request_outcomes: outcomes };
    expect(await openai.batches.retrieve(id)).toMatchObject(facts);
    const others = await openai.batches.list({ limit: 1, format: 'anthropic' } as { limit: number });
    expect(others.data).toMatchObject([facts]);
    expect(await anthropic.messages.batches.delete(id)).toEqual({ id, type: 'message_batch_deleted' });
    await expect(anthropic.messages.batches.retrieve(id)).rejects.toMatchObject({ status: 404 });
  });

  test('that is cancelled has a result for each request', async () => {
    const requests = Array.from({ length: 40 }, (_, index) =>
      requestOf(`r${index}`, promptOf({ tokens: 20, delayMs: 50 })),
    );
    const { id } = await anthropic.messages.batches.create({ requests });
    await expect(anthropic.messages.batches.delete(id)).rejects.toMatchObject({ status: 409 });
    await anthropic.messages.batches.cancel(id);
    await ended(id);
    const kinds = new Map<string, string>();
    for await (const { custom_id, result } of await anthropic.messages.batches.results(id)) {
      expect(kinds.has(custom_id)).toBe(false);
      kinds.set(custom_id, result.type);
    }
    expect([...kinds.keys()].sort()).toEqual(requests.map(({ custom_id }) => custom_id).sort());
    expect([...kinds.values()]).toContain('canceled');
  });

  test('that is sent again joins the first one, also when its user may open no more', () =>
    joinsTheFirst({ stack, anthropic, mostOpen: MOST_OPEN }));

  test('with a fault in a request is refused with its place', async () => {
    const twice = [requestOf('a', 'x'), requestOf('a', 'y')];
    await expect(anthropic.messages.batches.create({ requests: twice })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('requests.1.custom_id'),
    });
    await expect(anthropic.messages.batches.create({ requests: [] })).rejects.toMatchObject({ status: 400 });
  });
});

describe('the command line', () => {
  const desk = (): CommandLineDesk => ({ stack, folder });
  test('sends prompts, and writes the answers and what failed', () => sendsPrompts(desk()));
  test('is interrupted, and the same command resumes its batch', () => resumesItsBatch(desk()));
});
