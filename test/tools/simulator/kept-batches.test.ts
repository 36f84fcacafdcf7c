/** A vendor loses no batch when one of its machines dies: with `--batches`, the simulated one does not either. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import OpenAI, { toFile } from 'openai';
import { findFreePort } from '../../../tools/services/ports.ts';
import type { JournalLine } from '../../../tools/simulator/journal.ts';
import { connectSimulator, type Simulator } from '../../harness/simulator.ts';
import { type Seat, takeSeat } from '../../harness/stack.ts';
import { waitFor } from '../../harness/wait-for.ts';

const LINES = 30;
const BATCH_MS = 1_500;
const folder = mkdtempSync(join(tmpdir(), 'unbroken-kept-batches-'));
const journal = join(folder, 'bill.ndjson');
let seat: Seat & { end(): Promise<void> };
let sim: Simulator;
let openai: OpenAI;
let anthropic: Anthropic;

beforeAll(async () => {
  const port = await findFreePort();
  const args = ['--port', String(port), '--journal', journal, '--batches', join(folder, 'batches.ndjson')];
  const entry = ['tools/simulator/main.ts', ...args, '--batch-ms', String(BATCH_MS)];
  seat = await takeSeat('provider', entry, {});
  const url = `http://127.0.0.1:${port}`;
  sim = connectSimulator(url);
  openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'batch-key' });
  anthropic = new Anthropic({ baseURL: url, apiKey: 'batch-key' });
});
afterAll(async () => {
  await seat?.end();
  rmSync(folder, { recursive: true, force: true });
});

const idsOf = (letter: string) => Array.from({ length: LINES }, (_, index) => `${letter}${index}`);
const body = (id: string) => ({
  model: 'sim-small',
  max_tokens: 50,
  messages: [{ role: 'user' as const, content: `Line ${id}.` }],
});

async function killAfter(lines: number, id: string): Promise<void> {
  const billed = async () => (await sim.batches()).find((batch) => batch.id === id)?.billed ?? 0;
  await waitFor(`${lines} lines of ${id}`, async () => (await billed()) >= lines);
  await seat.kill();
  await seat.restart();
}

/** The ids of the bill that are lines of this batch: each once, however often the process has died. */
function billOf(batchId: string): string[] {
  const lines = readFileSync(journal, 'utf8').split('\n').slice(0, -1);
  const ids = new Set(lines.map((line) => (JSON.parse(line) as JournalLine).id));
  return [...ids].filter((id) => id.startsWith(`${batchId}/`)).map((id) => id.slice(batchId.length + 1));
}

test('a batch of OpenAI continues where it stood, and keeps its files', async () => {
  const ids = idsOf('o');
  const lines = ids.map((id) =>
    JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/chat/completions', body: body(id) }),
  );
  const file = await toFile(Buffer.from(lines.join('\n')), 'lines.jsonl');
  const { id: input_file_id } = await openai.files.create({ file, purpose: 'batch' });
  const endpoint = '/v1/chat/completions';
  const { id } = await openai.batches.create({ input_file_id, endpoint, completion_window: '24h' });
  await openai.files.delete(input_file_id);
  await killAfter(5, id);
  await expect(openai.files.retrieve(input_file_id)).rejects.toMatchObject({ status: 404 });
  await killAfter(15, id);
  const ended = await waitFor('the end', async () => {
    const batch = await openai.batches.retrieve(id);
    return batch.status === 'completed' && batch;
  });
  expect(ended.request_counts).toEqual({ total: LINES, completed: LINES, failed: 0 });
  await seat.kill();
  await seat.restart();
  expect((await openai.batches.retrieve(id)).output_file_id).toBe(ended.output_file_id);
  const output = await (await openai.files.content(ended.output_file_id ?? '')).text();
  const read = output.trimEnd().split('\n');
  expect(read.map((line) => (JSON.parse(line) as { custom_id: string }).custom_id).sort()).toEqual(
    ids.sort(),
  );
  expect(billOf(id).sort()).toEqual(ids.sort());
});

test('a message batch continues where it stood; cancelled, it stays cancelled, and deleted, it stays deleted', async () => {
  const ids = idsOf('m');
  const requests = ids.map((id) => ({ custom_id: id, params: body(id) }));
  const { id } = await anthropic.messages.batches.create({ requests });
  await killAfter(5, id);
  await waitFor('more lines', async () => billOf(id).length > 8);
  await anthropic.messages.batches.cancel(id);
  await seat.kill();
  await seat.restart();
  const ended = await waitFor('the end', async () => {
    const batch = await anthropic.messages.batches.retrieve(id);
    return batch.processing_status === 'ended' && batch;
  });
  const { succeeded, canceled } = ended.request_counts;
  expect(succeeded + canceled).toBe(LINES);
  expect(canceled).toBeGreaterThan(0);
  expect(billOf(id)).toHaveLength(succeeded);
  await anthropic.messages.batches.delete(id);
  await seat.kill();
  await seat.restart();
  await expect(anthropic.messages.batches.retrieve(id)).rejects.toMatchObject({ status: 404 });
});
