/** `unbroken batches`: the lines of a file, each a generation; by the official client of OpenAI. */
import { createReadStream, createWriteStream, openAsBlob } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import OpenAI from 'openai';
import type { Batch } from 'openai/resources/batches';
import { type BatchEndpoint, openAiBatchEndpoints } from '../../contracts/batches.ts';
import { type ConnectionFlags, connectionOf, withConnection } from './connection.ts';
import { printJson } from './print-json.ts';

const FIRST_POLL_MS = 250;
const LONGEST_POLL_MS = 5_000;

export function defineBatches(batches: Command): void {
  defineSubmit(batches);
  withConnection(batches.command('list').description('list the newest batches'))
    .option('--limit <count>', 'how many', '20')
    .action(async (flags: ConnectionFlags & { limit: string }) => {
      const page = await clientOf(flags).batches.list({ limit: Number(flags.limit) });
      if (flags.json === true) return printJson(page.data);
      for (const batch of page.data) console.log(lineOf(batch));
    });
  withConnection(batches.command('get').description('show a batch, or write its files'))
    .argument('<batch>')
    .option('--out <file>', 'wait for its end, and write its answers here')
    .action(async (id: string, flags: OutFlags) => {
      const client = clientOf(flags);
      const batch = await client.batches.retrieve(id);
      if (flags.out !== undefined) return finish(client, id, flags);
      if (flags.json === true) printJson(batch);
      else printBatch(batch);
    });
  withConnection(batches.command('cancel').description('let no further line begin; what has ended is kept'))
    .argument('<batch>')
    .action(async (id: string, flags: ConnectionFlags) => {
      const batch = await clientOf(flags).batches.cancel(id);
      if (flags.json === true) printJson(batch);
      else console.error(lineOf(batch));
    });
}

interface OutFlags extends ConnectionFlags {
  readonly out?: string;
}

interface SubmitFlags extends OutFlags {
  readonly model?: string;
  readonly endpoint?: string;
  readonly window: string;
  readonly detach?: boolean;
  readonly idempotencyKey?: string;
}

function defineSubmit(batches: Command): void {
  withConnection(
    batches
      .command('submit')
      .description('send the lines of a file, show the progress, and write the answers'),
  )
    .argument('<file>', 'JSONL: lines of a batch, or prompts: texts in quotes, or objects with "prompt"')
    .option('--out <file>', 'the answers; those that failed go to a file beside it, .errors.jsonl')
    .option('--model <model>', 'of prompts; default: the default route')
    .option('--endpoint <path>', `one of ${openAiBatchEndpoints.join(', ')}; default: that of the first line`)
    .option('--window <time>', 'what has not begun by then expires', '24h')
    .option('--detach', 'print the id of the batch at once')
    .option('--idempotency-key <key>', 'the same key joins the batch that it made')
    .action(async (path: string, flags: SubmitFlags) => {
      const client = clientOf(flags);
      const batch = await submit(client, path, flags);
      if (flags.detach !== true) return finish(client, batch.id, flags);
      if (flags.json === true) printJson(batch);
      else console.log(batch.id);
    });
}

async function submit(client: OpenAI, path: string, flags: SubmitFlags): Promise<Batch> {
  const folder = await mkdtemp(join(tmpdir(), 'unbroken-batch-'));
  try {
    const first = await firstLineOf(path);
    const isBatch = first !== null && 'custom_id' in first;
    const endpoint = flags.endpoint ?? (isBatch ? String(first['url']) : '/v1/chat/completions');
    const lines = isBatch ? path : join(folder, basename(path));
    if (!isBatch) await writeLines(path, lines, flags.model ?? 'unbroken');
    // A blob of a file is read as it is sent.
    const file = new File([await openAsBlob(lines)], basename(path));
    const { id } = await client.files.create({ file, purpose: 'batch' });
    const { idempotencyKey } = flags;
    const batch = { input_file_id: id, endpoint: endpoint as Exclude<BatchEndpoint, '/v1/messages'> };
    return await client.batches.create(
      { ...batch, completion_window: flags.window as '24h' },
      idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': idempotencyKey } },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function firstLineOf(path: string): Promise<Record<string, unknown> | null> {
  for await (const line of linesOf(path)) {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  }
  throw new Error(`${path} has no lines.`);
}

async function* linesOf(path: string): AsyncGenerator<string> {
  for await (const line of createInterface({
    input: createReadStream(path),
    crlfDelay: Number.POSITIVE_INFINITY,
  }))
    if (line.trim() !== '') yield line;
}

/** Prompts as lines of a batch, whose ids are their numbers. */
async function writeLines(from: string, to: string, model: string): Promise<void> {
  const lines = async function* () {
    let number = 0;
    for await (const line of linesOf(from)) {
      number += 1;
      yield `${JSON.stringify(batchLine(JSON.parse(line), number, model))}\n`;
    }
  };
  await pipeline(Readable.from(lines()), createWriteStream(to));
}

function batchLine(value: unknown, number: number, byDefault: string): object {
  const fields = typeof value === 'string' ? { prompt: value } : (value as Record<string, unknown>);
  const { prompt, system, id, model = byDefault, ...settings } = fields as Record<string, unknown>;
  if (typeof prompt !== 'string')
    throw new Error(`Line ${number}: expected a text, or an object with "prompt".`);
  const messages = [
    ...(typeof system === 'string' ? [{ role: 'system', content: system }] : []),
    { role: 'user', content: prompt },
  ];
  return {
    custom_id: typeof id === 'string' ? id : String(number),
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model, messages, ...settings },
  };
}

async function finish(client: OpenAI, id: string, flags: OutFlags): Promise<void> {
  const batch = await waitForEnd(client, id, flags);
  if (flags.json === true) printJson(batch);
  else printBatch(batch);
  const { out } = flags;
  if (out !== undefined && batch.output_file_id) await save(client, batch.output_file_id, out);
  if (out !== undefined && batch.error_file_id)
    await save(client, batch.error_file_id, `${out}.errors.jsonl`);
  process.exitCode = batch.status === 'completed' && !batch.error_file_id ? 0 : 1;
}

async function save(client: OpenAI, fileId: string, path: string): Promise<void> {
  const { body } = await client.files.content(fileId);
  if (body === null) throw new Error(`The file ${fileId} has no content.`);
  await pipeline(Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]), createWriteStream(path));
  console.error(path);
}

const ENDED: ReadonlySet<Batch['status']> = new Set(['completed', 'failed', 'expired', 'cancelled']);

async function waitForEnd(client: OpenAI, id: string, flags: OutFlags): Promise<Batch> {
  const startedAtMs = Date.now();
  const progress = new Progress(flags.json !== true);
  if (flags.json !== true) console.error(id);
  for (let waitMs = FIRST_POLL_MS; ; waitMs = Math.min(LONGEST_POLL_MS, waitMs * 1.5)) {
    const batch = await client.batches.retrieve(id);
    progress.show(batch, Date.now() - startedAtMs);
    if (ENDED.has(batch.status)) {
      progress.end();
      return batch;
    }
    await pause(waitMs);
  }
}

/** A line on a terminal that is written over; elsewhere a line for each change. */
class Progress {
  readonly #isShown: boolean;
  #last = '';

  constructor(isShown: boolean) {
    this.#isShown = isShown;
  }

  show({ status, request_counts: counts }: Batch, tookMs: number): void {
    const { total = 0, completed = 0, failed = 0 } = counts ?? {};
    const done = completed + failed;
    const perSecond = done / Math.max(1, tookMs / 1_000);
    const left =
      done === 0 || done === total ? '' : `, about ${Math.ceil((total - done) / perSecond)} s left`;
    const isTerminal = process.stderr.isTTY === true;
    const rate = isTerminal && done > 0 ? `, ${perSecond.toFixed(1)} lines/s${left}` : '';
    const text = `${barOf(done, total)} ${done}/${total} ${status}, ${failed} failed${rate}`;
    if (!this.#isShown || text === this.#last) return;
    process.stderr.write(isTerminal ? `\r\u001b[2K${text}` : `${text}\n`);
    this.#last = text;
  }

  end(): void {
    if (this.#isShown && process.stderr.isTTY === true) process.stderr.write('\n');
  }
}

const BAR_CHARS = 20;

function barOf(done: number, total: number): string {
  const full = total === 0 ? 0 : Math.floor((BAR_CHARS * done) / total);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_CHARS - full)}]`;
}

function clientOf(flags: ConnectionFlags): OpenAI {
  const { baseUrl, apiKey } = connectionOf(flags);
  return new OpenAI({ baseURL: `${baseUrl}/v1`, apiKey: String(apiKey ?? 'none') });
}

function lineOf({ id, status, endpoint, created_at: createdAt, request_counts: counts }: Batch): string {
  const { total = 0, completed = 0, failed = 0 } = counts ?? {};
  const at = new Date(createdAt * 1_000).toISOString();
  return [at, id, status, endpoint, `${completed}/${total}`, `${failed} failed`].join('\t');
}

function printBatch(batch: Batch): void {
  console.log(lineOf(batch));
  for (const { line, code, message } of batch.errors?.data ?? []) {
    console.error(`${line == null ? '' : `line ${line}: `}${code}: ${message}`);
  }
}
