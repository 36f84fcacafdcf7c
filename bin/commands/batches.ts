/** `unbroken batches`: the lines of a file, each a generation; by the official client of OpenAI. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import OpenAI from 'openai';
import type { Batch } from 'openai/resources/batches';
import { z } from 'zod';
import { isFinal, openAiBatchEndpoints } from '../../contracts/batches.ts';
import { ProgressLine, type ShownBatch } from './batch-progress.ts';
import { readNote, submitBatch } from './batch-submission.ts';
import { type ConnectionFlags, connectionOf, withConnection } from './connection.ts';
import { numeric } from './numeric.ts';
import { printJson } from './print-json.ts';

const FIRST_POLL_MS = 250;
const LONGEST_POLL_MS = 5_000;

export function defineBatches(batches: Command): void {
  defineSubmit(batches);
  withConnection(batches.command('list').description('list the newest batches'))
    .option('--limit <count>', 'how many', numeric, '20')
    .action(async (flags: ConnectionFlags & { limit: string }) => {
      const page = await clientOf(flags).batches.list({ limit: Number(flags.limit) });
      if (flags.json === true) return printJson(page.data);
      for (const batch of page.data) console.log(lineOf(batch));
    });
  withConnection(batches.command('get').description('show a batch, or follow it and write its files'))
    .argument('<batch>')
    .option('--follow', 'show its progress until its end')
    .option('--out <file>', 'the same, and write its answers here')
    .action(async (id: string, flags: OutFlags & { follow?: boolean }) => {
      const client = clientOf(flags);
      if (flags.out !== undefined || flags.follow === true) {
        await finish(client, id, flags);
        await forgetNote(id, flags);
        return;
      }
      const batch = await client.batches.retrieve(id);
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
  readonly halfPrice?: boolean;
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
    .option(
      '--half-price',
      "wait for the providers' own batches, up to a day; where there are none, call at once",
    )
    .option('--detach', 'print the id of the batch at once')
    .option('--idempotency-key <key>', 'the same lines with the same key join the batch that they made')
    .action(async (path: string, flags: SubmitFlags) => {
      const client = clientOf(flags);
      const { idempotencyKey, endpoint, window, model = 'unbroken', halfPrice = false } = flags;
      const notePath = notePathOf(path, flags);
      const submission = { path, model, endpoint, window, idempotencyKey, notePath, waits: halfPrice };
      const { batch, isResumed } = await submitBatch(client, submission);
      if (isResumed && flags.json !== true) console.error('An earlier command has submitted these lines.');
      if (flags.detach !== true) {
        await finish(client, batch.id, flags);
        // With a key, a later command is to join it, too.
        if (notePath !== null && idempotencyKey === undefined) await rm(notePath, { force: true });
      } else if (flags.json === true) printJson(batch);
      else console.log(batch.id);
    });
}

/** Without answers to write and without a key, a repeated command sends another batch. */
function notePathOf(path: string, { out, idempotencyKey }: SubmitFlags): string | null {
  if (out !== undefined) return `${out}.batch.json`;
  return idempotencyKey === undefined ? null : `${path}.batch.json`;
}

/** What `submit` would resume has its answers now. */
async function forgetNote(id: string, { out }: OutFlags): Promise<void> {
  const notePath = `${out}.batch.json`;
  if (out !== undefined && (await readNote(notePath))?.batchId === id) await rm(notePath, { force: true });
}

async function finish(client: OpenAI, id: string, flags: OutFlags): Promise<void> {
  const stopLeaving = leaveRunningOnInterrupt(id, flags);
  const batch = await waitForEnd(client, id, flags);
  if (flags.json === true) printJson(batch);
  else printBatch(batch);
  const { out } = flags;
  if (out !== undefined && batch.output_file_id) await save(client, batch.output_file_id, out);
  if (out !== undefined && batch.error_file_id)
    await save(client, batch.error_file_id, `${out}.errors.jsonl`);
  stopLeaving();
  process.exitCode = batch.status === 'completed' && !batch.error_file_id ? 0 : 1;
}

/** Ctrl-C ends only the command. */
function leaveRunningOnInterrupt(id: string, { out }: OutFlags): () => void {
  const leave = () => {
    const into = out === undefined ? '' : ` --out ${out}`;
    console.error(`\nThe batch continues. Follow it: npx unbroken batches get ${id}${into || ' --follow'}`);
    console.error(`End it: npx unbroken batches cancel ${id}`);
    process.exit(130);
  };
  process.once('SIGINT', leave);
  return () => process.off('SIGINT', leave);
}

/** An interrupted download leaves no file that looks whole. */
async function save(client: OpenAI, fileId: string, path: string): Promise<void> {
  const { body } = await client.files.content(fileId);
  if (body === null) throw new Error(`The file ${fileId} has no content.`);
  const part = `${path}.part`;
  await pipeline(Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]), createWriteStream(part));
  await rename(part, path);
  console.error(path);
}

async function waitForEnd(client: OpenAI, id: string, flags: OutFlags): Promise<Batch> {
  const progress = new ProgressLine(flags.json !== true);
  if (flags.json !== true) console.error(id);
  for (let waitMs = FIRST_POLL_MS; ; waitMs = Math.min(LONGEST_POLL_MS, waitMs * 1.5)) {
    const batch: Batch & ShownBatch = await client.batches.retrieve(id);
    progress.show(batch);
    if (isFinal(batch.status)) {
      progress.end();
      return batch;
    }
    await pause(waitMs);
  }
}

function clientOf(flags: ConnectionFlags): OpenAI {
  const { baseUrl, apiKey } = connectionOf(flags);
  // The official client waits half a second before its first retry, then twice as long, up to 8 s.
  const maxRetries = Math.max(2, Math.ceil(Math.log2(2 * Number(flags.wait))));
  return new OpenAI({ baseURL: `${baseUrl}/v1`, apiKey: String(apiKey ?? 'none'), maxRetries });
}

function lineOf({ id, status, endpoint, created_at: createdAt, request_counts: counts }: Batch): string {
  const { total = 0, completed = 0, failed = 0 } = counts ?? {};
  const at = new Date(createdAt * 1_000).toISOString();
  return [at, id, status, endpoint, `${completed}/${total}`, `${failed} failed`].join('\t');
}

const handoverSchema = z.object({ handover: z.object({ reason: z.string().nullable() }).nullish() });

function printBatch(batch: Batch): void {
  console.log(lineOf(batch));
  const reason = handoverSchema.parse(batch).handover?.reason ?? null;
  if (reason !== null) console.error(`not at half price: ${reason}`);
  for (const { line, code, message } of batch.errors?.data ?? []) {
    console.error(`${line == null ? '' : `line ${line}: `}${code}: ${message}`);
  }
}
