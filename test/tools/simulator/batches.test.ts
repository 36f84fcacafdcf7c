/** The batch APIs of the simulated provider, judged by the official clients, unmodified. */
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI, { toFile } from 'openai';
import {
  createSimulatedProvider,
  type SimulatedProvider,
} from '../../../tools/simulator/create-simulated-provider.ts';
import { connectSimulator, type Simulator } from '../../harness/simulator.ts';
import { waitFor } from '../../harness/wait-for.ts';

let server: SimulatedProvider;
let sim: Simulator;
let openai: OpenAI;
let anthropic: Anthropic;
let count = 0;

beforeAll(async () => {
  server = await createSimulatedProvider();
  sim = connectSimulator(server.url);
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'batch-key', maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: server.url, apiKey: 'batch-key', maxRetries: 0 });
});
afterAll(() => server.stop());

/** A word that only this test's lines have. */
function mark(): string {
  count += 1;
  return `mark${count}x`;
}

const chatLine = (id: string, content: string, more: object = {}) =>
  JSON.stringify({
    custom_id: id,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: 'sim-small', messages: [{ role: 'user', content }] },
    ...more,
  });

async function upload(lines: readonly string[], name = 'lines.jsonl') {
  return openai.files.create({ file: await toFile(Buffer.from(lines.join('\n')), name), purpose: 'batch' });
}

async function createBatch(lines: readonly string[], metadata: Record<string, string> = {}) {
  const file = await upload(lines);
  return openai.batches.create({
    input_file_id: file.id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
    metadata,
  });
}

const FINAL = ['completed', 'failed', 'expired', 'cancelled'];
const endOf = (id: string) =>
  waitFor(`the end of ${id}`, async () => {
    const batch = await openai.batches.retrieve(id);
    return FINAL.includes(batch.status) ? batch : null;
  });

interface OutputLine {
  readonly custom_id: string;
  readonly response: { status_code: number; body: OpenAI.ChatCompletion & { error?: object } } | null;
  readonly error: { code: string } | null;
}

async function linesOf(fileId: string | undefined): Promise<OutputLine[]> {
  if (!fileId) return [];
  const text = await (await openai.files.content(fileId)).text();
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as OutputLine);
}

const billedFor = async (id: string) => (await sim.batches()).find((batch) => batch.id === id)?.billed;

describe("OpenAI's batches", () => {
  test('every line is answered once, under its custom_id, as a call would have been', async () => {
    const word = mark();
    const lines = ['a', 'b', 'c'].map((id) => chatLine(id, `${word} ${id}`));
    const created = await createBatch(lines, { own: word });
    expect(created).toMatchObject({ object: 'batch', status: 'validating', metadata: { own: word } });
    const batch = await endOf(created.id);
    expect(batch).toMatchObject({
      status: 'completed',
      model: 'sim-small',
      request_counts: { total: 3, completed: 3, failed: 0 },
      error_file_id: null,
    });
    const output = await linesOf(batch.output_file_id);
    expect(output.map((line) => line.custom_id).sort()).toEqual(['a', 'b', 'c']);
    for (const { custom_id: id, response } of output) {
      const { text } = await sim.text(`${word} ${id}`);
      expect(response?.status_code).toBe(200);
      expect(response?.body.choices[0]?.message.content).toBe(text);
    }
    expect(await billedFor(created.id)).toBe(3);
    const total = output.reduce((sum, { response }) => sum + (response?.body.usage?.total_tokens ?? 0), 0);
    expect(batch.usage?.total_tokens).toBe(total);
  });

  test('a refused line is in the error file with its status, and is not billed', async () => {
    const word = mark();
    const wrong = chatLine('wrong', word, { body: { model: 'sim-small', messages: 'none' } });
    await sim.fault({ status: 503, match: `${word} fails` });
    const created = await createBatch([chatLine('right', word), wrong, chatLine('fails', `${word} fails`)]);
    const batch = await endOf(created.id);
    expect(batch).toMatchObject({
      status: 'completed',
      request_counts: { total: 3, completed: 1, failed: 2 },
    });
    const errors = await linesOf(batch.error_file_id);
    expect(Object.fromEntries(errors.map((line) => [line.custom_id, line.response?.status_code]))).toEqual({
      wrong: 400,
      fails: 503,
    });
    expect(await billedFor(created.id)).toBe(1);
  });

  test.each([
    ['invalid_json_line', ['{"custom_id": ']],
    ['missing_required_parameter', [chatLine('a', 'x', { method: undefined })]],
    ['duplicate_custom_id', [chatLine('a', 'x'), chatLine('a', 'y')]],
    ['invalid_url', [chatLine('a', 'x', { url: '/v1/responses' })]],
    ['mismatched_model', [chatLine('a', 'x'), chatLine('b', 'x', { body: { model: 'sim-large' } })]],
    ['empty_file', ['']],
  ])('a file with the problem %s fails as a whole, and nothing is billed', async (code, lines) => {
    const created = await createBatch(lines);
    const batch = await endOf(created.id);
    expect(batch.status).toBe('failed');
    expect(batch.errors?.data?.[0]?.code).toBe(code);
    expect(batch.output_file_id ?? null).toBeNull();
    expect(await billedFor(created.id)).toBe(0);
  });

  test('a cancelled batch has what was answered; the other lines say that they were not sent', async () => {
    const word = mark();
    await sim.planBatch({ match: word, holdAfterLines: 1 });
    const created = await createBatch(['a', 'b', 'c'].map((id) => chatLine(id, word)));
    const counts = async () => (await openai.batches.retrieve(created.id)).request_counts;
    await waitFor('a line is answered', async () => (await counts())?.completed === 1);
    expect((await openai.batches.cancel(created.id)).status).toBe('cancelling');
    const batch = await endOf(created.id);
    expect(batch.status).toBe('cancelled');
    expect((await linesOf(batch.output_file_id)).map((line) => line.custom_id)).toEqual(['a']);
    const errors = await linesOf(batch.error_file_id);
    expect(errors.map(({ error }) => error?.code)).toEqual(['batch_cancelled', 'batch_cancelled']);
    expect(await billedFor(created.id)).toBe(1);
    await expect(openai.batches.cancel(created.id)).rejects.toMatchObject({ status: 409 });
  });

  test('an expired batch has what was answered', async () => {
    const word = mark();
    await sim.planBatch({ match: word, holdAfterLines: 2 });
    const created = await createBatch(['a', 'b', 'c'].map((id) => chatLine(id, word)));
    await waitFor('two lines are answered', async () => (await billedFor(created.id)) === 2);
    await sim.expireBatch(created.id);
    const batch = await endOf(created.id);
    expect(batch.status).toBe('expired');
    expect(await linesOf(batch.output_file_id)).toHaveLength(2);
    expect((await linesOf(batch.error_file_id)).map(({ error }) => error?.code)).toEqual(['batch_expired']);
  });

  test('what is no batch is refused in the words of the vendor', async () => {
    await expect(upload(['{}'], 'lines.txt')).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('Must be .jsonl'),
    });
    const params = { input_file_id: 'file-none', endpoint: '/v1/chat/completions' } as const;
    const create = (more: object) => openai.batches.create({ ...params, completion_window: '24h', ...more });
    await expect(create({})).rejects.toMatchObject({ status: 400, param: 'input_file_id' });
    await expect(create({ completion_window: '1h' })).rejects.toMatchObject({ status: 400 });
    await expect(create({ foo: 1 })).rejects.toMatchObject({ status: 400, code: 'unknown_parameter' });
    await expect(openai.batches.retrieve('batch_none')).rejects.toMatchObject({ status: 404 });
    await expect(openai.files.retrieve('file-none')).rejects.toMatchObject({ status: 404 });
  });

  test('lists page by page, the newest first, and shows no account the batches and files of another', async () => {
    const own = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'another-key', maxRetries: 0 });
    const file = await own.files.create({
      file: await toFile(Buffer.from(chatLine('a', 'x')), 'x.jsonl'),
      purpose: 'batch',
    });
    const ids: string[] = [];
    for (let number = 0; number < 3; number += 1) {
      const { id } = await own.batches.create({
        input_file_id: file.id,
        endpoint: '/v1/chat/completions',
        completion_window: '24h',
      });
      ids.unshift(id);
    }
    const listed: string[] = [];
    for await (const batch of own.batches.list({ limit: 2 })) listed.push(batch.id);
    expect(listed).toEqual(ids);
    await expect(openai.files.retrieve(file.id)).rejects.toMatchObject({ status: 404 });
    await expect(openai.batches.retrieve(ids[0] ?? '')).rejects.toMatchObject({ status: 404 });
    expect(await own.files.delete(file.id)).toEqual({ id: file.id, object: 'file', deleted: true });
    await expect(own.files.content(file.id)).rejects.toMatchObject({ status: 404 });
  });

  test('lines of Responses and of embeddings are answered, too', async () => {
    const word = mark();
    const run = async (endpoint: '/v1/responses' | '/v1/embeddings') => {
      const body = { model: 'sim-small', input: word };
      const line = JSON.stringify({ custom_id: 'a', method: 'POST', url: endpoint, body });
      const file = await upload([line]);
      const params = { input_file_id: file.id, endpoint, completion_window: '24h' } as const;
      const batch = await endOf((await openai.batches.create(params)).id);
      return (await linesOf(batch.output_file_id))[0]?.response?.body as unknown as Record<string, unknown>;
    };
    expect(await run('/v1/responses')).toMatchObject({ object: 'response', status: 'completed' });
    expect(await run('/v1/embeddings')).toMatchObject({ object: 'list' });
  });
});

describe("Anthropic's message batches", () => {
  const request = (id: string, content: string, more: object = {}) => ({
    custom_id: id,
    params: {
      model: 'claude-haiku-4-5',
      max_tokens: 1_000,
      messages: [{ role: 'user' as const, content }],
      ...more,
    },
  });
  const ended = (id: string) =>
    waitFor(`the end of ${id}`, async () => {
      const batch = await anthropic.messages.batches.retrieve(id);
      return batch.processing_status === 'ended' ? batch : null;
    });
  const resultsOf = async (id: string) => {
    const results = new Map<string, Anthropic.Messages.MessageBatchResult>();
    for await (const { custom_id, result } of await anthropic.messages.batches.results(id)) {
      results.set(custom_id, result);
    }
    return results;
  };

  test('every request is answered once, under its custom_id; a wrong one is errored and not billed', async () => {
    const word = mark();
    await sim.fault({ status: 529, match: `${word} fails`, wire: 'anthropic' });
    const created = await anthropic.messages.batches.create({
      requests: [
        request('a', word),
        request('wrong', word, { temperature: 7 }),
        request('fails', `${word} fails`),
      ],
    });
    expect(created).toMatchObject({ type: 'message_batch', results_url: null });
    const batch = await ended(created.id);
    expect(batch.request_counts).toEqual({
      processing: 0,
      succeeded: 1,
      errored: 2,
      canceled: 0,
      expired: 0,
    });
    const results = await resultsOf(created.id);
    const { text } = await sim.text(word);
    expect(results.get('a')).toMatchObject({
      type: 'succeeded',
      message: { content: [{ type: 'text', text }], usage: { service_tier: 'batch' } },
    });
    expect(results.get('wrong')).toMatchObject({
      type: 'errored',
      error: { error: { type: 'invalid_request_error' } },
    });
    expect(results.get('fails')).toMatchObject({ error: { error: { type: 'overloaded_error' } } });
    expect(await billedFor(created.id)).toBe(1);
  });

  test('a batch has no results and counts all as processing until it has ended; cancelled, it has what was answered', async () => {
    const word = mark();
    await sim.planBatch({ match: word, holdAfterLines: 1 });
    const { id } = await anthropic.messages.batches.create({
      requests: ['a', 'b'].map((own) => request(own, word)),
    });
    await waitFor('a request is answered', async () => (await billedFor(id)) === 1);
    const running = await anthropic.messages.batches.retrieve(id);
    expect(running.request_counts).toMatchObject({ processing: 2, succeeded: 0 });
    await expect(anthropic.messages.batches.results(id)).rejects.toThrow('results_url');
    await expect(anthropic.messages.batches.delete(id)).rejects.toMatchObject({ status: 400 });
    expect((await anthropic.messages.batches.cancel(id)).processing_status).toBe('canceling');
    expect((await ended(id)).request_counts).toMatchObject({ succeeded: 1, canceled: 1 });
    const results = await resultsOf(id);
    expect([results.get('a')?.type, results.get('b')?.type]).toEqual(['succeeded', 'canceled']);
    expect((await anthropic.messages.batches.delete(id)).type).toBe('message_batch_deleted');
    await expect(anthropic.messages.batches.retrieve(id)).rejects.toMatchObject({ status: 404 });
  });

  test('an expired batch says which requests were never sent', async () => {
    const word = mark();
    await sim.planBatch({ match: word, holdAfterLines: 0 });
    const { id } = await anthropic.messages.batches.create({ requests: [request('a', word)] });
    await sim.expireBatch(id);
    expect((await ended(id)).request_counts.expired).toBe(1);
    expect((await resultsOf(id)).get('a')).toEqual({ type: 'expired' });
  });

  test('a wrong envelope is refused at once', async () => {
    const create = (requests: object[]) => anthropic.messages.batches.create({ requests: requests as never });
    const messageOf = (text: string) => ({ status: 400, message: expect.stringContaining(text) });
    await expect(create([])).rejects.toMatchObject(messageOf('at least 1 item'));
    await expect(create([request('not an id', 'x')])).rejects.toMatchObject(
      messageOf('requests.0.custom_id'),
    );
    await expect(create([request('a', 'x'), request('a', 'x')])).rejects.toMatchObject(
      messageOf('requests.1.custom_id'),
    );
    await expect(create([{ custom_id: 'a' }])).rejects.toMatchObject(messageOf('requests.0.params'));
  });

  test('lists page by page, the newest first', async () => {
    const own = new Anthropic({ baseURL: server.url, apiKey: 'listing-key', maxRetries: 0 });
    const ids: string[] = [];
    for (let number = 0; number < 3; number += 1) {
      ids.unshift((await own.messages.batches.create({ requests: [request('a', 'x')] })).id);
    }
    const listed: string[] = [];
    for await (const batch of own.messages.batches.list({ limit: 2 })) listed.push(batch.id);
    expect(listed).toEqual(ids);
  });
});
