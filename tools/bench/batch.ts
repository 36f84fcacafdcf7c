/**
 * Batches of growing size, from the upload of the file to the last byte of the results. The memory of no process may
 * grow with the lines: they are streamed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI, { toFile } from 'openai';
import { startSharedServices } from '../../test/harness/shared-services.ts';
import { type Stack, startStack } from '../../test/harness/stack.ts';
import { type BatchRow, growthIn, type MemoryMiB, tableOf } from './batch-table.ts';
import { PROCESSES } from './growth-row.ts';
import { type HeapProbe, INSPECTED_NODE, openHeapProbe } from './heap.ts';
import { useOf } from './process-use.ts';
import { cpuOf, type Pids, pidsOf } from './service-pids.ts';

const MIB = 1024 * 1024;
const SAMPLE_EVERY_MS = 100;
const POLL_MS = 250;
const WARM_UP_LINES = 100;
/** The share of its lines after which heaps are measured: what is kept of each has piled up by then. */
const MEASURED_AFTER = 0.75;
const ENDED: readonly OpenAI.Batch['status'][] = ['completed', 'failed', 'expired', 'cancelled'];

interface Bench {
  readonly stack: Stack;
  readonly pids: Pids;
  readonly heaps: Readonly<Record<keyof MemoryMiB, HeapProbe>>;
}

/** @returns whether the memory of API and worker is the same for the largest batch as for the smallest. */
export async function benchBatch(sizes: readonly number[]): Promise<boolean> {
  const rows = await measureBatches(sizes);
  console.log('CPU ms a line; resident MiB at most, and MiB referenced after a collection');
  console.table(tableOf(rows));
  const grown = growthIn(rows);
  for (const what of grown) console.log(what);
  return grown.length === 0;
}

async function measureBatches(sizes: readonly number[]): Promise<readonly BatchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-bench-batch-'));
  const services = await startSharedServices();
  const endings = [() => services.stop(), async () => rmSync(folder, { recursive: true, force: true })];
  try {
    const stack = await startStack({
      services: services.env,
      config: { objectStore: { folder }, batches: { lines: Math.max(...sizes) } },
      env: { NODE_OPTIONS: INSPECTED_NODE },
    });
    endings.unshift(() => stack.stop());
    const api = await openHeapProbe(stack.apis[0]?.log() ?? '');
    const worker = await openHeapProbe(stack.workers[0]?.log() ?? '');
    endings.unshift(async () => {
      api.close();
      worker.close();
    });
    const bench = { stack, pids: pidsOf(stack, services), heaps: { api, worker } };
    await runBatch(bench, WARM_UP_LINES);
    const rows: BatchRow[] = [];
    for (const lines of sizes) {
      rows.push(await runBatch(bench, lines));
      process.stderr.write(`${JSON.stringify(tableOf(rows)[String(lines)])}\n`);
    }
    return rows;
  } finally {
    for (const end of endings) await end();
  }
}

async function runBatch(bench: Bench, lines: number): Promise<BatchRow> {
  const { stack, pids } = bench;
  const client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: stack.api.key });
  await stack.sim.forget();
  const file = await toFile(Buffer.from(linesOf(lines)), 'lines.jsonl');
  const residentMiB = { api: 0, worker: 0 };
  const sampling = setInterval(() => {
    residentMiB.api = Math.max(residentMiB.api, useOf([pids.API]).residentMiB);
    residentMiB.worker = Math.max(residentMiB.worker, useOf([pids.worker]).residentMiB);
  }, SAMPLE_EVERY_MS);
  try {
    const before = cpuOf(pids);
    const startedAtMs = performance.now();
    const { id: input_file_id } = await client.files.create({ file, purpose: 'batch' });
    const { id } = await client.batches.create({
      input_file_id,
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
    });
    const { batch, referencedMiB } = await untilEnded(bench, client, id, lines);
    const read = await countLines(await client.files.content(batch.output_file_id ?? ''));
    if (read !== lines) throw new Error(`The output file has ${read} lines of ${lines}.`);
    const seconds = (performance.now() - startedAtMs) / 1_000;
    const after = cpuOf(pids);
    const cpuMsPerLine = Object.fromEntries(
      PROCESSES.map((name) => [name, (after[name] - before[name]) / lines]),
    );
    return { lines, seconds, cpuMsPerLine, residentMiB, referencedMiB };
  } finally {
    clearInterval(sampling);
  }
}

async function untilEnded(bench: Bench, client: OpenAI, id: string, lines: number) {
  let referencedMiB: MemoryMiB | null = null;
  for (;;) {
    const batch = await client.batches.retrieve(id);
    const completed = batch.request_counts?.completed ?? 0;
    if (completed >= lines * MEASURED_AFTER) referencedMiB ??= await heapsOf(bench);
    if (ENDED.includes(batch.status)) {
      if (completed !== lines) throw new Error(`${batch.status}: ${JSON.stringify(batch.request_counts)}`);
      return { batch, referencedMiB: referencedMiB ?? (await heapsOf(bench)) };
    }
    await sleep(POLL_MS);
  }
}

async function heapsOf({ heaps: { api, worker } }: Bench): Promise<MemoryMiB> {
  return { api: (await api.referencedBytes()) / MIB, worker: (await worker.referencedBytes()) / MIB };
}

/** As they arrive: this process holds none of them. */
async function countLines({ body }: Response): Promise<number> {
  let lines = 0;
  for await (const chunk of body ?? []) for (const byte of chunk) if (byte === 0x0a) lines += 1;
  return lines;
}

function linesOf(count: number): string {
  const line = (index: number) =>
    JSON.stringify({
      custom_id: `line-${index}`,
      method: 'POST',
      url: '/v1/chat/completions',
      body: {
        model: 'simulated/sim-large',
        messages: [{ role: 'user', content: `Line ${index}. [[sim tokens=20 delay_ms=0]]` }],
      },
    });
  return Array.from({ length: count }, (_, index) => line(index)).join('\n');
}
