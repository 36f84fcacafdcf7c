/**
 * OpenAI's batches of chat completions and responses. A batch carries our id in its metadata, so one that was created
 * by a process that died is found for certain. Sources: the guide "Batch API", and the API reference, "Batches" and
 * "Files".
 */
import OpenAI from 'openai';
import type { Batch } from 'openai/resources/batches';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import {
  BatchLinks,
  type BatchSettings,
  CLOCK_SKEW_MS,
  inBatchTier,
  indexOfLine,
  lineIdOf,
  MOST_SEARCHED,
  submissionIdOf,
} from '../batch-adapter.ts';
import { clientOptions, NO_ENVIRONMENT } from '../client-options.ts';
import type { Link } from '../http-link.ts';
import { readJsonLines } from '../json-lines.ts';
import { mapOpenAiError } from '../openai-chat/errors.ts';
import type {
  BatchedCall,
  EncodedLine,
  FoundBatch,
  LineResult,
  ProviderBatches,
  ProviderBatchRef,
  ProviderBatchStatus,
  SubmissionName,
} from '../provider-batches.ts';
import { encodeOpenAiCall, type OpenAiEncoding, openAiAnswer } from './lines.ts';
import { readOpenAiResult } from './results.ts';
import { fileNameOf, KEPT_SECONDS, uploadForm } from './upload.ts';

/** In `metadata` of a batch. */
const SUBMISSION = 'unbroken_submission';
const MOST_LINES = 50_000;

export function createOpenAiBatches(settings: BatchSettings, encoding: OpenAiEncoding): ProviderBatches {
  return new OpenAiBatches(settings, encoding);
}

class OpenAiBatches implements ProviderBatches {
  readonly name: string;
  readonly most = { lines: MOST_LINES, bytes: LIMITS.providerBatchBytes };
  readonly #settings: BatchSettings;
  readonly #encoding: OpenAiEncoding;
  readonly #links: BatchLinks;

  constructor(settings: BatchSettings, encoding: OpenAiEncoding) {
    this.name = settings.name;
    this.#settings = settings;
    this.#encoding = encoding;
    this.#links = new BatchLinks(settings, mapOpenAiError);
  }

  encode(handoverId: string, index: number, call: BatchedCall): EncodedLine | null {
    return encodeOpenAiCall(this.#encoding, { lineId: lineIdOf(handoverId, index), index, call });
  }

  async submit(
    name: SubmissionName,
    lines: readonly EncodedLine[],
    signal: AbortSignal,
  ): Promise<ProviderBatchRef> {
    const keyId = this.#links.newestKeyId;
    const id = submissionIdOf(name);
    // Each request has its own link: an error of one must not be taken for a break in the answer to another.
    const ask = <Result>(request: (client: OpenAI) => Promise<Result>) =>
      this.#links.use(keyId, signal, (link) => request(this.#client(link)));
    const fileId =
      (await ask((client) => findFile(client, name, signal))) ??
      (await ask((client) => upload(client, id, lines, signal)));
    const [endpoint = ''] = lines[0]?.group.split(' ') ?? [];
    const batch = await ask((client) =>
      client.batches.create(
        {
          input_file_id: fileId,
          endpoint: endpoint as OpenAI.BatchCreateParams['endpoint'],
          completion_window: '24h',
          metadata: { [SUBMISSION]: id },
          output_expires_after: { anchor: 'created_at', seconds: KEPT_SECONDS },
        },
        { signal, headers: { 'Idempotency-Key': id } },
      ),
    );
    return { vendorId: batch.id, keyId };
  }

  async find(name: SubmissionName, signal: AbortSignal): Promise<FoundBatch> {
    const id = submissionIdOf(name);
    for (const { id: keyId } of this.#settings.keys) {
      const found = await this.#links.use(keyId, signal, async (link) => {
        let searched = 0;
        for await (const batch of this.#client(link).batches.list({ limit: 100 }, { signal })) {
          if (batch.metadata?.[SUBMISSION] === id) return batch.id;
          searched += 1;
          if (isBefore(batch.created_at, name) || searched >= MOST_SEARCHED) break;
        }
        return null;
      });
      if (found !== null) return { found: 'yes', ref: { vendorId: found, keyId } };
    }
    return { found: 'no' };
  }

  poll({ vendorId, keyId }: ProviderBatchRef, signal: AbortSignal): Promise<ProviderBatchStatus> {
    return this.#links.use(keyId, signal, async (link) => {
      return statusOf(await this.#client(link).batches.retrieve(vendorId, { signal }));
    });
  }

  results(
    handoverId: string,
    { vendorId, keyId }: ProviderBatchRef,
    signal: AbortSignal,
  ): AsyncIterable<LineResult> {
    return this.#links.read(keyId, signal, (link) => this.#read(link, handoverId, vendorId));
  }

  cancel({ vendorId, keyId }: ProviderBatchRef, signal: AbortSignal): Promise<void> {
    return this.#links.use(keyId, signal, async (link) => {
      const client = this.#client(link);
      try {
        await client.batches.cancel(vendorId, { signal });
      } catch (error) {
        // One that has ended cannot be cancelled, nor need it be.
        const { state } = statusOf(await client.batches.retrieve(vendorId, { signal }));
        if (state === 'running') throw error;
      }
    });
  }

  discard({ vendorId, keyId }: ProviderBatchRef, signal: AbortSignal): Promise<void> {
    return this.#links.use(keyId, signal, async (link) => {
      const client = this.#client(link);
      const batch = await client.batches.retrieve(vendorId, { signal });
      for (const fileId of [batch.input_file_id, batch.output_file_id, batch.error_file_id]) {
        if (!fileId) continue;
        await client.files.delete(fileId, { signal }).catch((error: unknown) => {
          if (!(error instanceof OpenAI.NotFoundError)) throw error;
        });
      }
    });
  }

  answer(call: BatchedCall, body: unknown) {
    return inBatchTier(openAiAnswer(this.#encoding, call, body));
  }

  async *#read(link: Link, handoverId: string, vendorId: string): AsyncGenerator<LineResult> {
    const client = this.#client(link);
    const { signal } = link;
    const indexOf = (lineId: unknown) => indexOfLine(handoverId, lineId);
    const { output_file_id, error_file_id } = await client.batches.retrieve(vendorId, { signal });
    for (const fileId of [output_file_id, error_file_id]) {
      if (!fileId) continue;
      const content = await client.files.content(fileId, { signal });
      for await (const line of readJsonLines(link.bodyOf(content), LIMITS.providerBatchLineChars)) {
        yield readOpenAiResult(line, indexOf, this.#links);
      }
    }
  }

  #client(link: Link): OpenAI {
    return new OpenAI({ ...clientOptions(link, this.#settings.baseUrl), ...NO_ENVIRONMENT });
  }
}

function isBefore(createdAtSeconds: number, { intendedAtMs }: SubmissionName): boolean {
  return createdAtSeconds * 1_000 < intendedAtMs - CLOCK_SKEW_MS;
}

/** The file of an earlier attempt at the same submission, which died before it created the batch. */
async function findFile(client: OpenAI, name: SubmissionName, signal: AbortSignal): Promise<string | null> {
  const filename = fileNameOf(submissionIdOf(name));
  let searched = 0;
  for await (const file of client.files.list({ purpose: 'batch', limit: 100 }, { signal })) {
    if (file.filename === filename) return file.id;
    searched += 1;
    if (isBefore(file.created_at, name) || searched >= MOST_SEARCHED) break;
  }
  return null;
}

/** undici's `fetch` does not know the forms that the SDK writes, so the form is written here. */
async function upload(
  client: OpenAI,
  submissionId: string,
  lines: readonly EncodedLine[],
  signal: AbortSignal,
): Promise<string> {
  const { body, contentType } = uploadForm(submissionId, lines);
  const headers = { 'content-type': contentType };
  const file = await client.post<OpenAI.FileObject>('/files', { body, headers, signal });
  return file.id;
}

const ENDED: ReadonlySet<Batch['status']> = new Set(['completed', 'expired', 'cancelled', 'failed']);

function statusOf(batch: Batch): ProviderBatchStatus {
  const { status, request_counts: counts, expires_at: expiresAt } = batch;
  const done = (counts?.completed ?? 0) + (counts?.failed ?? 0);
  const hasRun = done > 0 || Boolean(batch.output_file_id ?? batch.error_file_id);
  const isRefused = status === 'failed' && !hasRun;
  const ended = ENDED.has(status) ? 'ended' : 'running';
  return {
    state: isRefused ? 'refused' : status === 'cancelling' ? 'cancelling' : ended,
    error: isRefused ? refusalOf(batch) : null,
    done,
    expiresAtMs: expiresAt == null ? null : expiresAt * 1_000,
  };
}

/** An account with too much in the vendor's queue may try later. */
function refusalOf({ errors }: Batch): UnbrokenError {
  const [first] = errors?.data ?? [];
  const message = first?.message ?? 'The provider refused the batch without a reason.';
  const code = first?.code === 'token_limit_exceeded' ? 'provider_rate_limited' : 'provider_bad_request';
  return new UnbrokenError(code, message);
}
