/** Batches of growing size. The memory of no process may grow with the lines: they are streamed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI, { toFile } from 'openai';
import { startSharedServices } from '../../test/harness/shared-services.ts';
import { type Stack, startStack } from '../../test/harness/stack.ts';
import { PROCESSES } from './growth-row.ts';
import { useOf } from './process-use.ts';
import { cpuOf, type Pids, pidsOf } from './service-pids.ts';

const SAMPLE_EVERY_MS = 250;
const WARM_UP_LINES = 100;
/** What the garbage collector leaves lying around differs from run to run. */
const GROWTH_MIB = 150;

interface Row {
  readonly lines: number;
  readonly seconds: number;
  readonly cpuMsPerLine: Readonly<Record<string, number>>;
  /** The most while it ran. */
  readonly apiMiB: number;
  readonly workerMiB: number;
}

/** @returns whether the memory of API and worker is the same for the largest batch as for the smallest. */
export async function benchBatch(sizes: readonly number[]): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-bench-batch-'));
  const services = await startSharedServices();
  const endings = [() => services.stop(), async () => rmSync(folder, { recursive: true, force: true })];
  try {
    const stack = await startStack({
      services: services.env,
      config: { objectStore: { folder }, batches: { lines: 1_000_000, linesAtOnce: 64 } },
    });
    endings.unshift(() => stack.stop());
    const pids = pidsOf(stack, services);
    await runBatch(stack, pids, WARM_UP_LINES);
    const rows: Row[] = [];
    for (const lines of sizes) {
      const row = await runBatch(stack, pids, lines);
      rows.push(row);
      print(row);
    }
    return isFlat(rows);
  } finally {
    for (const end of endings) await end();
  }
}

async function runBatch(stack: Stack, pids: Pids, lines: number): Promise<Row> {
  const client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: stack.api.key });
  await stack.sim.forget();
  const file = await toFile(Buffer.from(linesOf(lines)), 'lines.jsonl');
  const { id: input_file_id } = await client.files.create({ file, purpose: 'batch' });
  const before = cpuOf(pids);
  const startedAtMs = performance.now();
  const { id } = await client.batches.create({
    input_file_id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
  });
  let [apiMiB, workerMiB] = [0, 0];
  for (;;) {
    apiMiB = Math.max(apiMiB, useOf([pids.API]).residentMiB);
    workerMiB = Math.max(workerMiB, useOf([pids.worker]).residentMiB);
    const { status, request_counts: counts } = await client.batches.retrieve(id);
    if (status === 'completed' && counts?.completed === lines) break;
    if (['completed', 'failed', 'expired', 'cancelled'].includes(status)) {
      throw new Error(`The batch is ${status}: ${JSON.stringify(counts)}.`);
    }
    await sleep(SAMPLE_EVERY_MS);
  }
  const seconds = (performance.now() - startedAtMs) / 1_000;
  const after = cpuOf(pids);
  const cpuMsPerLine = Object.fromEntries(
    PROCESSES.map((name) => [name, (after[name] - before[name]) / lines]),
  );
  return { lines, seconds, cpuMsPerLine, apiMiB, workerMiB };
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

function print({ lines, seconds, cpuMsPerLine, apiMiB, workerMiB }: Row): void {
  const cpu = Object.entries(cpuMsPerLine).map(([name, ms]) => `${name} ${ms.toFixed(1)}`);
  console.log(
    [
      `${lines} lines: ${(lines / seconds).toFixed(1)} lines/s`,
      `CPU ms per line: ${cpu.join(', ')}`,
      `memory: API ${Math.round(apiMiB)} MiB, worker ${Math.round(workerMiB)} MiB`,
    ].join('; '),
  );
}

function isFlat(rows: readonly Row[]): boolean {
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) return true;
  const grown = Math.max(last.apiMiB - first.apiMiB, last.workerMiB - first.workerMiB);
  console.log(`memory_growth_mib ${Math.round(grown)} of at most ${GROWTH_MIB}`);
  return grown <= GROWTH_MIB;
}
