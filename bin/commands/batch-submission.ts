/**
 * Submits a batch once, however often its command is interrupted and repeated: a note beside the answers names the
 * uploaded file and the key of the request, and is written before the batch is created.
 */
import { randomUUID } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import OpenAI from 'openai';
import type { Batch } from 'openai/resources/batches';
import { z } from 'zod';
import type { BatchEndpoint } from '../../contracts/batches.ts';
import { firstLineOf, hashOfFile, writeLines } from './batch-lines.ts';

interface Submission {
  readonly path: string;
  readonly model: string;
  /** undefined: that of the first line. */
  readonly endpoint: string | undefined;
  readonly window: string;
  readonly idempotencyKey: string | undefined;
  /** Whether its lines may wait for half the price. */
  readonly waits: boolean;
  /** Where to note what was submitted; null: nowhere. */
  readonly notePath: string | null;
}

interface Request {
  readonly endpoint: string;
  readonly completion_window: string;
  readonly waits: boolean;
}

const noteSchema = z.object({
  request: z.string(),
  idempotencyKey: z.string(),
  inputFileId: z.string(),
  batchId: z.string().optional(),
});
type Note = z.infer<typeof noteSchema>;

/** @returns the batch, and whether an earlier command has submitted it. */
export async function submitBatch(
  client: OpenAI,
  { path, model, window, notePath, idempotencyKey, waits, ...submission }: Submission,
): Promise<{ readonly batch: Batch; readonly isResumed: boolean }> {
  const folder = await mkdtemp(join(tmpdir(), 'unbroken-batch-'));
  try {
    const first = await firstLineOf(path);
    const isBatch = first !== null && 'custom_id' in first;
    const endpoint = submission.endpoint ?? (isBatch ? String(first['url']) : '/v1/chat/completions');
    const lines = isBatch ? path : join(folder, basename(path));
    if (!isBatch) await writeLines(path, lines, model);
    const request = { endpoint, completion_window: window, waits };
    const how = waits ? ['vendor'] : [];
    const wanted = [await hashOfFile(lines), endpoint, window, client.baseURL, ...how].join(' ');
    const earlier = notePath === null ? null : await readNote(notePath);
    const isSame =
      earlier?.request === wanted && [undefined, earlier.idempotencyKey].includes(idempotencyKey);
    const known = isSame ? await resume(client, request, earlier) : null;
    if (known !== null) return { batch: known, isResumed: true };
    const note = {
      request: wanted,
      idempotencyKey: idempotencyKey ?? randomUUID(),
      inputFileId: await upload(client, lines, basename(path)),
    };
    if (notePath !== null) await writeFile(notePath, JSON.stringify(note));
    const batch = await create(client, request, note);
    if (notePath !== null) await writeFile(notePath, JSON.stringify({ ...note, batchId: batch.id }));
    return { batch, isResumed: false };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @returns null if the batch, or its file, is not kept any more. */
async function resume(client: OpenAI, request: Request, note: Note): Promise<Batch | null> {
  try {
    if (note.batchId !== undefined) return await client.batches.retrieve(note.batchId);
    return await create(client, request, note);
  } catch (error) {
    if (error instanceof OpenAI.NotFoundError) return null;
    throw error;
  }
}

function create(client: OpenAI, { endpoint, completion_window: window, waits }: Request, note: Note) {
  const mode = waits ? { 'x-unbroken-batch': 'vendor' } : {};
  return client.batches.create(
    {
      input_file_id: note.inputFileId,
      endpoint: endpoint as Exclude<BatchEndpoint, '/v1/messages'>,
      completion_window: window as '24h',
    },
    { headers: { 'idempotency-key': note.idempotencyKey, ...mode } },
  );
}

async function upload(client: OpenAI, lines: string, name: string): Promise<string> {
  // A blob of a file is read as it is sent.
  const file = new File([await openAsBlob(lines)], name);
  return (await client.files.create({ file, purpose: 'batch' })).id;
}

/** @returns null for what is no note. */
export async function readNote(notePath: string): Promise<Note | null> {
  try {
    return noteSchema.parse(JSON.parse(await readFile(notePath, 'utf8')));
  } catch {
    return null;
  }
}
