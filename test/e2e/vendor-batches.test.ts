/** Batches at half the price, by both official clients: kills at every step, cancellation, and calls for the rest. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Batch } from 'openai/resources/batches';
import type { HandoverView } from '../../contracts/batches.ts';
import { BATCH_MODEL, BatchClient, chatLine, type OutputLine } from '../harness/batches.ts';
import { metricOf } from '../harness/metric-of.ts';
import { promptOf } from '../harness/prompt.ts';
import { runCli } from '../harness/run-cli.ts';
import { type Seat, type Stack, startStack } from '../harness/stack.ts';
import { waitFor } from '../harness/wait-for.ts';

const MESSAGES_MODEL = 'simulated-messages/sim-large';
const WAITS = { headers: { 'x-unbroken-batch': 'vendor' } };
/** In micro-USD for a million tokens. */
const PRICE = { inputMicroUsdPerMillion: 1_000_000, outputMicroUsdPerMillion: 2_000_000 };

const folder = mkdtempSync(join(tmpdir(), 'unbroken-vendor-batches-'));
let stack: Stack;
let batches: BatchClient;
let anthropic: Anthropic;
beforeAll(async () => {
  stack = await startStack({
    workers: 2,
    env: { UNBROKEN_METRICS_PORT: '0' },
    config: {
      objectStore: { folder: join(folder, 'objects') },
      prices: { [BATCH_MODEL]: PRICE, [MESSAGES_MODEL]: PRICE },
      batches: { vendor: { pollMs: 200, cancelMs: 12_000, liveLineMs: 100 } },
    },
  });
  batches = new BatchClient(stack.api.url, stack.api.key);
  anthropic = new Anthropic({ baseURL: stack.api.url, apiKey: stack.api.key });
});
afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

let known: ReadonlySet<string>;
beforeEach(async () => {
  await stack.sim.forget();
  await stack.sim.clearBatchPlans();
  known = new Set((await stack.sim.batches()).map(({ id }) => id));
});

/** The batches that the simulated vendors have got in this test. */
const created = async () => (await stack.sim.batches()).filter(({ id }) => !known.has(id));
const handoverOf = (batch: object) => (batch as { readonly handover: HandoverView | null }).handover;

/** The batch of the only other program: our own, which waits. */
async function create(lines: readonly object[], more: object = {}): Promise<Batch> {
  const input_file_id = await batches.upload(lines);
  const body = {
    input_file_id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
    ...more,
  } as const;
  return batches.openai.batches.create(body, WAITS);
}

interface Cost {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
}

const NOTHING: Cost = { prompt_tokens: 0, completion_tokens: 0 };

/** @param share of the price of calls. */
function costOf(lines: readonly OutputLine[], share: number): number {
  const each = lines.map(({ response }) => {
    const { prompt_tokens: input, completion_tokens: output }: Cost = response?.body.usage ?? NOTHING;
    return Math.ceil(share * (input + 2 * output));
  });
  return each.reduce((sum, cost) => sum + cost, 0);
}

/** What the workers have counted since they were started. */
async function counted(name: string): Promise<number> {
  const counts = await Promise.all(stack.workers.map((worker) => metricOf(worker, name)));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function killAll(): Promise<void> {
  await Promise.all(stack.workers.map((worker) => worker.kill()));
  await Promise.all(stack.workers.map((worker) => worker.restart()));
}

describe('lines of OpenAI at their vendor', () => {
  test('are in one batch and paid once, at half the price, although every worker is killed at every step', async () => {
    const prompts = Array.from({ length: 24 }, () => promptOf({ tokens: 12 }));
    // The vendor's word that it has created the batch is lost, and so is the worker that waits for it.
    await stack.sim.planBatch({ losesAnswer: true, holdAfterLines: 8 });
    const { id } = await create(prompts.map((prompt, index) => chatLine(`line ${index}`, prompt)));
    const [vendor] = await waitFor('the batch of the vendor', async () => {
      const own = await created();
      return own.length > 0 && own;
    });
    await killAll();
    await waitFor('the wait', async () => {
      const view = handoverOf(await batches.openai.batches.retrieve(id));
      return view?.status === 'waiting' && view.batches[0]?.status === 'running' && view.answered > 0;
    });
    // While it polls.
    const [worker] = stack.workers as [Seat, Seat];
    await worker.kill();
    const back = worker.restart();
    await stack.sim.releaseBatch(vendor?.id ?? '');
    await waitFor('the answers', async () => {
      const view = handoverOf(await batches.openai.batches.retrieve(id));
      return view?.status === 'ended';
    });
    // While they are stored and recorded.
    await back;
    await killAll();
    const ended = await batches.endOf(id);
    expect(ended).toMatchObject({
      status: 'completed',
      request_counts: { total: 24, completed: 24, failed: 0 },
      error_file_id: null,
    });
    const { output } = await batches.resultsOf(ended);
    expect(output.map((line) => line.custom_id)).toEqual(prompts.map((_, index) => `line ${index}`));
    for (const [index, { response }] of output.entries()) {
      const { text } = await stack.sim.text(prompts[index] ?? '');
      expect(response?.body.choices[0].message.content).toBe(text);
    }
    expect(await created()).toMatchObject([{ lines: 24, billed: 24 }]);
    const calls = await stack.sim.calls();
    expect(calls).toHaveLength(24);
    expect(calls.every(({ batchId }) => batchId === vendor?.id)).toBe(true);
    const { cost_micro_usd: cost } = ended as Batch & { readonly cost_micro_usd: number };
    expect(cost).toBe(costOf(output, 0.5));
    expect(handoverOf(ended)).toMatchObject({ status: 'ended', lines: 24, answered: 24, reason: null });
    const sum = output.reduce((total, { response }) => total + response?.body.usage.completion_tokens, 0);
    expect(ended.usage?.output_tokens).toBe(sum);
  });

  test('that have no answer when the time is needed for calls are called, each once, after the vendor has ended', async () => {
    const prompts = Array.from({ length: 6 }, () => promptOf({ tokens: 5 }));
    await stack.sim.planBatch({ holdAfterLines: 2 });
    const lines = prompts.map((prompt, index) => chatLine(`${index}`, prompt));
    const ended = await batches.endOf((await create(lines, { completion_window: '20s' })).id);
    expect(ended).toMatchObject({ status: 'completed', request_counts: { completed: 6 } });
    expect(await created()).toMatchObject([{ billed: 2, hasEnded: true }]);
    const calls = await stack.sim.calls();
    expect(calls.filter(({ batchId }) => batchId === null)).toHaveLength(4);
    expect(calls).toHaveLength(6);
    const { output } = await batches.resultsOf(ended);
    expect(output.map((line) => line.custom_id)).toEqual(['0', '1', '2', '3', '4', '5']);
    const { cost_micro_usd: cost } = ended as Batch & { readonly cost_micro_usd: number };
    expect(cost).toBe(costOf(output.slice(0, 2), 0.5) + costOf(output.slice(2), 1));
    expect(handoverOf(ended)).toMatchObject({ status: 'ended', answered: 2 });
  });

  test('of a batch that is cancelled keep the answers that there are, and nothing is called', async () => {
    await stack.sim.planBatch({ holdAfterLines: 3 });
    const lines = Array.from({ length: 10 }, (_, index) => chatLine(`${index}`, promptOf({ tokens: 3 })));
    const { id } = await create(lines);
    await waitFor('some answers', async () => (await created())[0]?.billed === 3);
    await batches.openai.batches.cancel(id);
    const ended = await batches.endOf(id);
    expect(ended).toMatchObject({
      status: 'cancelled',
      request_counts: { total: 10, completed: 3, failed: 7 },
    });
    const { output, errors } = await batches.resultsOf(ended);
    expect(output.map((line) => line.custom_id)).toEqual(['0', '1', '2']);
    expect(errors.map(({ error }) => error?.code)).toEqual(Array(7).fill('batch_cancelled'));
    expect(await stack.sim.calls()).toHaveLength(3);
    expect((ended as { cost_micro_usd?: number }).cost_micro_usd).toBe(costOf(output, 0.5));
  });

  test('that no batch takes are called, with what a request alone would have got; others wait', async () => {
    const failing = 'This line fails at its provider.';
    const answersBefore = await counted('unbroken_vendor_batch_answers_total');
    const linesBefore = await counted('unbroken_batch_lines_total');
    await stack.sim.fault({ kind: 'status', status: 400, match: failing, times: 9 });
    const lines = [
      chatLine('two choices', promptOf({ tokens: 3 }), { n: 2 }),
      chatLine('no model', 'x', { model: 'unknown/model' }),
      chatLine('refused', failing),
      chatLine('good', promptOf({ tokens: 3 })),
      chatLine('of another vendor', promptOf({ tokens: 3 }), { model: MESSAGES_MODEL }),
    ];
    const ended = await batches.endOf((await create(lines)).id);
    await stack.sim.clearFaults();
    expect(ended).toMatchObject({ status: 'completed', request_counts: { completed: 3, failed: 2 } });
    const { output, errors } = await batches.resultsOf(ended);
    expect(output.map((line) => line.custom_id)).toEqual(['two choices', 'good', 'of another vendor']);
    expect(errors.map((line) => [line.custom_id, line.response?.status_code])).toEqual([
      ['no model', 404],
      ['refused', 400],
    ]);
    expect(handoverOf(ended)?.batches.map(({ provider, lines: count }) => [provider, count])).toEqual([
      ['simulated', 2],
      ['simulated-messages', 1],
    ]);
    expect(await counted('unbroken_vendor_batch_answers_total')).toBe(answersBefore + 2);
    expect(await counted('unbroken_batch_lines_total')).toBe(linesBefore + lines.length);
  });

  test('are called where they cannot wait, and the batch says why', async () => {
    const short = await batches.endOf(
      (await create([chatLine('a', promptOf({ tokens: 2 }))], { completion_window: '1s' })).id,
    );
    expect(handoverOf(short)).toMatchObject({ status: 'live', lines: 0, batches: [] });
    expect(handoverOf(short)?.reason).toContain('too short');
    await stack.sim.planBatch({ failsWith: 'token_limit_exceeded' });
    const full = await batches.endOf((await create([chatLine('a', promptOf({ tokens: 2 }))])).id);
    expect(full).toMatchObject({ status: 'completed', request_counts: { completed: 1 } });
    expect(handoverOf(full)?.batches).toMatchObject([{ status: 'refused', error: expect.any(String) }]);
    const plain = await batches.endOf((await batches.create([chatLine('a', promptOf({ tokens: 2 }))])).id);
    expect(handoverOf(plain)).toBeNull();
    expect((await created()).every(({ billed }) => billed === 0)).toBe(true);
    expect(await counted('unbroken_vendor_batches_total\\{state="refused"\\}')).toBeGreaterThan(0);
  });

  test('are not asked to wait by a header of another value', async () => {
    const input_file_id = await batches.upload([chatLine('a', 'x')]);
    const body = { input_file_id, endpoint: '/v1/chat/completions', completion_window: '24h' } as const;
    const headers = { 'x-unbroken-batch': 'cheap' };
    await expect(batches.openai.batches.create(body, { headers })).rejects.toMatchObject({
      status: 400,
      param: 'x-unbroken-batch',
    });
  });

  test('of a budget that holds some of them wait as far as it does, and each line has its own refusal', async () => {
    const user = `user-${randomUUID()}`;
    const key = await stack.addKey({ user, scopes: ['generate'] });
    const text = 'Short. [[sim tokens=4]]';
    // Each reserves its input and 400 tokens of output: the budget holds two.
    await stack.api.send('/v1/budgets/limits', {
      method: 'PUT',
      body: JSON.stringify({ per: 'user', id: user, window: 'day', unit: 'tokens', amount: 850 }),
    });
    const own = new BatchClient(stack.api.url, key);
    const lines = [0, 1, 2].map((index) => chatLine(`${index}`, `${index} ${text}`, { max_tokens: 400 }));
    const input_file_id = await own.upload(lines);
    const body = { input_file_id, endpoint: '/v1/chat/completions', completion_window: '24h' } as const;
    await stack.sim.planBatch({ holdAfterLines: 0 });
    const { id } = await own.openai.batches.create(body, WAITS);
    const vendor = await waitFor('the batch of the vendor', async () =>
      (await created()).find(({ lines: count }) => count > 0),
    );
    expect(vendor).toMatchObject({ lines: 2 });
    await stack.sim.releaseBatch(vendor.id);
    const ended = await own.endOf(id);
    const { output, errors } = await own.resultsOf(ended);
    // The third is called when the others have ended: what they have not used is free then.
    expect(errors).toEqual([]);
    expect([ended.status, output.length]).toEqual(['completed', 3]);
  });
});

describe('requests of Anthropic at their vendor', () => {
  const requestOf = (custom_id: string, content: string) => ({
    custom_id,
    params: {
      model: MESSAGES_MODEL,
      max_tokens: 300,
      messages: [{ role: 'user' as const, content }],
    },
  });
  const ended = (id: string) =>
    waitFor('the end', async () => {
      const batch = await anthropic.messages.batches.retrieve(id).catch(() => null);
      return batch?.processing_status === 'ended' && batch;
    });

  test('are in one batch and paid once, although the workers are killed while it is created', async () => {
    const prompts = Array.from({ length: 12 }, () => promptOf({ tokens: 10 }));
    await stack.sim.planBatch({ losesAnswer: true, holdAfterLines: 4 });
    const requests = prompts.map((prompt, index) => requestOf(`r${index}`, prompt));
    const { id } = await anthropic.messages.batches.create({ requests }, WAITS);
    const [vendor] = await waitFor('the batch of the vendor', async () => {
      const own = await created();
      return own.length > 0 && own;
    });
    await killAll();
    // Only its results say that it is ours, so nothing is created meanwhile.
    await waitFor('some answers', async () => (await created())[0]?.billed === 4);
    await stack.sim.releaseBatch(vendor?.id ?? '');
    const batch = await ended(id);
    expect(batch.request_counts).toMatchObject({ succeeded: 12, errored: 0, canceled: 0, expired: 0 });
    const results: [string, string][] = [];
    for await (const { custom_id, result } of await anthropic.messages.batches.results(id)) {
      if (result.type !== 'succeeded') throw new Error(result.type);
      const [block] = result.message.content;
      results.push([custom_id, block?.type === 'text' ? block.text : '']);
    }
    const texts = await Promise.all(prompts.map(async (prompt) => (await stack.sim.text(prompt)).text));
    expect(results).toEqual(texts.map((text, index) => [`r${index}`, text]));
    const calls = await stack.sim.calls();
    expect(calls).toHaveLength(12);
    expect(new Set(calls.map(({ batchId }) => batchId))).toEqual(new Set([vendor?.id]));
    // What the vendor kept of them is deleted.
    expect(await created()).toEqual([]);
    expect(handoverOf(batch)).toMatchObject({ status: 'ended', answered: 12 });
  });

  test('are cancelled with their batch', async () => {
    await stack.sim.planBatch({ holdAfterLines: 1, cancelMs: 300 });
    const requests = ['a', 'b'].map((id) => requestOf(id, promptOf({ tokens: 2 })));
    const { id } = await anthropic.messages.batches.create({ requests }, WAITS);
    await waitFor('an answer', async () => (await created())[0]?.billed === 1);
    await anthropic.messages.batches.cancel(id);
    expect((await ended(id)).request_counts).toMatchObject({ succeeded: 1, canceled: 1 });
    expect(await stack.sim.calls()).toHaveLength(1);
  });
});

test('the command line waits for half the price', async () => {
  const [path, out] = [join(folder, 'prompts.jsonl'), join(folder, 'answers.jsonl')];
  const prompt = promptOf({ tokens: 3 });
  writeFileSync(path, JSON.stringify(prompt));
  const submit = ['batches', 'submit', path, '--out', out, '--model', BATCH_MODEL, '--half-price'];
  const sent = await runCli(stack.api, submit);
  expect(sent.code).toBe(0);
  const [line] = readFileSync(out, 'utf8')
    .trim()
    .split('\n')
    .map((json) => JSON.parse(json) as OutputLine);
  expect(line?.response?.body.choices[0].message.content).toBe((await stack.sim.text(prompt)).text);
  expect((await stack.sim.calls()).every(({ batchId }) => batchId !== null)).toBe(true);
});
