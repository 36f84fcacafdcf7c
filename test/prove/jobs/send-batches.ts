/** Batches, by the official clients of OpenAI and Anthropic, and their files as those clients read them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type Anthropic from '@anthropic-ai/sdk';
import OpenAI, { toFile } from 'openai';
import type { HandoverView } from '../../../contracts/batches.ts';
import type { Callers } from './callers.ts';
import type { ReadLine } from './checks/check-lines.ts';
import type { PlannedLine } from './plan.ts';

const POLL_MS = 500;
const ENDED: readonly OpenAI.Batch['status'][] = ['completed', 'failed', 'expired', 'cancelled'];

/** What has ended so far, or is answered at a vendor, for who watches. */
type OnProgress = (ended: number) => void;

export interface SentBatch {
  readonly id: string;
  /** Of an ended batch, as OpenAI names it. */
  readonly status: 'completed' | 'failed' | 'expired' | 'cancelled';
  readonly lines: readonly ReadLine[];
  /** Tokens and micro-USD that it shows; null: its format shows none. */
  readonly shown: { readonly tokens: number; readonly costMicroUsd: number } | null;
}

interface OpenAiOrder {
  readonly lines: readonly PlannedLine[];
  /** Made of it, its Idempotency-Key. */
  readonly name: string;
  readonly webhook: { readonly url: string; readonly secret: string };
  /** Lines that have ended when it is cancelled; null: it is not. */
  readonly cancelAfter: number | null;
  /** Its `completion_window`, in which lines may wait at vendors; null: all are called. */
  readonly waitsWithin: string | null;
}

const WAITS = { 'x-unbroken-batch': 'vendor' };

/** Ours, which their types do not have. */
interface Waiting {
  readonly handover?: HandoverView | null;
}

const answeredAtVendors = (batch: Waiting) => batch.handover?.answered ?? 0;

export async function sendOpenAiBatch(
  callers: Callers<OpenAI>,
  { lines, name, webhook, cancelAfter, waitsWithin }: OpenAiOrder,
  onProgress: OnProgress,
): Promise<OpenAI.Batch> {
  const text = lines.map((line) => JSON.stringify(chatLineOf(line))).join('\n');
  const { id: input_file_id } = await callers.ask('the upload', async ({ files }) =>
    files.create({ file: await toFile(Buffer.from(text), 'lines.jsonl'), purpose: 'batch' }),
  );
  const common = { input_file_id, endpoint: '/v1/chat/completions', completion_window: '24h' } as const;
  // Fields and values of ours, which its types do not have.
  const body = Object.assign(common, { webhook, completion_window: waitsWithin ?? '24h' });
  const headers = { 'idempotency-key': name, ...(waitsWithin === null ? {} : WAITS) };
  const { id } = await callers.ask('the batch', ({ batches }) => batches.create(body, { headers }));
  for (;;) {
    const batch = await callers.ask('the batch', ({ batches }) => batches.retrieve(id));
    const ended = (batch.request_counts?.completed ?? 0) + (batch.request_counts?.failed ?? 0);
    onProgress(ended + answeredAtVendors(batch as Waiting));
    if (ENDED.includes(batch.status)) return batch;
    if (cancelAfter !== null && ended >= cancelAfter && batch.status === 'in_progress')
      await cancel(callers, id);
    await sleep(POLL_MS);
  }
}

async function cancel(callers: Callers<OpenAI>, id: string): Promise<void> {
  await callers
    .ask('a cancel', ({ batches }) => batches.cancel(id))
    .catch((error: unknown) => {
      // It has ended meanwhile, or a cancel whose answer was lost has reached it.
      if (!(error instanceof OpenAI.ConflictError)) throw error;
    });
}

function chatLineOf({ customId, model, prompt }: PlannedLine): object {
  const body = { model, max_tokens: 400, messages: [{ role: 'user', content: prompt }] };
  return { custom_id: customId, method: 'POST', url: '/v1/chat/completions', body };
}

export async function readOpenAiBatch(callers: Callers<OpenAI>, batch: OpenAI.Batch): Promise<SentBatch> {
  const { id, status, usage } = batch;
  const output = await linesIn(callers, batch.output_file_id);
  const errors = await linesIn(callers, batch.error_file_id);
  const { cost_micro_usd: costMicroUsd = -1 } = batch as { cost_micro_usd?: number };
  return {
    id,
    status: status as SentBatch['status'],
    lines: [
      ...output.map((line) => readLineOf(line, 'completed')),
      ...errors.map((line) => readLineOf(line, 'failed')),
    ],
    shown: { tokens: usage?.total_tokens ?? -1, costMicroUsd },
  };
}

interface FileLine {
  readonly custom_id: string;
  readonly response: {
    readonly request_id: string;
    readonly body: {
      readonly choices?: readonly { readonly message: { readonly content: string | null } }[];
      readonly error?: { readonly code: string | null; readonly type: string };
    };
  } | null;
  readonly error: { readonly code: string } | null;
}

async function linesIn(callers: Callers<OpenAI>, fileId: string | null | undefined): Promise<FileLine[]> {
  if (fileId === null || fileId === undefined) return [];
  const text = await callers.ask('a file', async ({ files }) => (await files.content(fileId)).text());
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as FileLine);
}

function readLineOf({ custom_id: customId, response, error }: FileLine, kind: ReadLine['kind']): ReadLine {
  const { choices = [], error: refusal } = response?.body ?? {};
  return {
    customId,
    kind,
    // It ends as the id of the line's generation does.
    generationId: response === null ? null : response.request_id.replace(/^req_/, 'gen_'),
    text: choices[0]?.message.content ?? '',
    code: error?.code ?? refusal?.code ?? refusal?.type ?? '',
  };
}

export async function sendAnthropicBatch(
  callers: Callers<Anthropic>,
  { lines, name, isWaiting }: Pick<OpenAiOrder, 'lines' | 'name'> & { readonly isWaiting: boolean },
  onProgress: OnProgress,
): Promise<string> {
  const requests = lines.map(({ customId, model, prompt }) => ({
    custom_id: customId,
    params: { model, max_tokens: 400, messages: [{ role: 'user' as const, content: prompt }] },
  }));
  const headers = { 'idempotency-key': name, ...(isWaiting ? WAITS : {}) };
  const { id } = await callers.ask('the message batch', ({ messages }) =>
    messages.batches.create({ requests }, { headers }),
  );
  for (;;) {
    const batch = await callers.ask('the message batch', ({ messages }) => messages.batches.retrieve(id));
    const ended = lines.length - batch.request_counts.processing;
    onProgress(ended + answeredAtVendors(batch as Waiting));
    if (batch.processing_status === 'ended') return id;
    await sleep(POLL_MS);
  }
}

export async function readAnthropicBatch(callers: Callers<Anthropic>, id: string): Promise<SentBatch> {
  const lines = await callers.ask('the results', async ({ messages }) => {
    const read: ReadLine[] = [];
    for await (const result of await messages.batches.results(id)) read.push(readResultOf(result));
    return read;
  });
  return { id, status: 'completed', lines, shown: null };
}

function readResultOf({
  custom_id: customId,
  result,
}: Anthropic.Messages.MessageBatchIndividualResponse): ReadLine {
  if (result.type !== 'succeeded') {
    // The code is ours: their types do not have it.
    const error: { readonly type: string; readonly code?: string } | null =
      result.type === 'errored' ? result.error.error : null;
    const code = error?.code ?? error?.type ?? result.type;
    return { customId, kind: 'failed', generationId: null, text: '', code };
  }
  const { id, content } = result.message;
  const text = content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  return { customId, kind: 'completed', generationId: id.replace(/^msg_/, 'gen_'), text, code: '' };
}
