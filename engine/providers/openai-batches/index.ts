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
  type AskVendor,
  type BatchAdapterSettings,
  type BatchWire,
  CLOCK_SKEW_MS,
  createBatchAdapter,
  type FoundAtKey,
  MOST_SEARCHED,
  type SentCall,
  submissionIdOf,
} from '../batch-adapter.ts';
import { clientOptions, NO_ENVIRONMENT } from '../client-options.ts';
import type { Link } from '../http-link.ts';
import { readJsonLines } from '../json-lines.ts';
import { mapOpenAiError } from '../openai-chat/errors.ts';
import type {
  EncodedLine,
  ProviderBatches,
  ProviderBatchStatus,
  SubmissionName,
} from '../provider-batches.ts';
import { encodeOpenAiCall, type OpenAiEncoding, openAiAnswer } from './lines.ts';
import { readOpenAiResult } from './results.ts';
import { fileNameOf, KEPT_SECONDS, uploadForm } from './upload.ts';

/** In `metadata` of a batch. */
const SUBMISSION = 'unbroken_submission';

export function createOpenAiBatches(
  settings: BatchAdapterSettings,
  encoding: OpenAiEncoding,
): ProviderBatches {
  return createBatchAdapter(settings, new OpenAiBatches(settings, encoding));
}

class OpenAiBatches implements BatchWire {
  readonly most = { lines: 50_000, bytes: LIMITS.providerBatchBytes };
  readonly mapError = mapOpenAiError;
  readonly readResult = readOpenAiResult;
  readonly #baseUrl: BatchAdapterSettings['baseUrl'];
  readonly #encoding: OpenAiEncoding;

  constructor({ baseUrl }: Pick<BatchAdapterSettings, 'baseUrl'>, encoding: OpenAiEncoding) {
    this.#baseUrl = baseUrl;
    this.#encoding = encoding;
  }

  encode(...[fitted, line]: Parameters<BatchWire['encode']>): EncodedLine | null {
    return encodeOpenAiCall(this.#encoding, fitted, line);
  }

  async submit(name: SubmissionName, lines: readonly EncodedLine[], ask: AskVendor): Promise<string> {
    const id = submissionIdOf(name);
    const fileId =
      (await ask((link) => findFile(this.#client(link), name, link.signal))) ??
      (await ask((link) => upload(this.#client(link), id, lines, link.signal)));
    const [endpoint = ''] = lines[0]?.group.split(' ') ?? [];
    const batch = await ask((link) =>
      this.#client(link).batches.create(
        {
          input_file_id: fileId,
          endpoint: endpoint as OpenAI.BatchCreateParams['endpoint'],
          completion_window: '24h',
          metadata: { [SUBMISSION]: id },
          output_expires_after: { anchor: 'created_at', seconds: KEPT_SECONDS },
        },
        { signal: link.signal, headers: { 'Idempotency-Key': id } },
      ),
    );
    return batch.id;
  }

  find(name: SubmissionName, ask: AskVendor): Promise<FoundAtKey> {
    const id = submissionIdOf(name);
    return ask(async (link) => {
      const { signal } = link;
      let searched = 0;
      for await (const batch of this.#client(link).batches.list({ limit: 100 }, { signal })) {
        if (batch.metadata?.[SUBMISSION] === id) return { found: 'yes', vendorId: batch.id };
        searched += 1;
        if (isBefore(batch.created_at, name) || searched >= MOST_SEARCHED) break;
      }
      return { found: 'no' };
    });
  }

  async status(link: Link, vendorId: string): Promise<ProviderBatchStatus> {
    return statusOf(await this.#client(link).batches.retrieve(vendorId, { signal: link.signal }));
  }

  cancel(link: Link, vendorId: string): Promise<unknown> {
    return this.#client(link).batches.cancel(vendorId, { signal: link.signal });
  }

  async discard(link: Link, vendorId: string): Promise<void> {
    const client = this.#client(link);
    const { signal } = link;
    const batch = await client.batches.retrieve(vendorId, { signal });
    for (const fileId of [batch.input_file_id, batch.output_file_id, batch.error_file_id]) {
      if (!fileId) continue;
      await client.files.delete(fileId, { signal }).catch((error: unknown) => {
        if (!(error instanceof OpenAI.NotFoundError)) throw error;
      });
    }
  }

  async *lines(link: Link, vendorId: string): AsyncGenerator<unknown> {
    const client = this.#client(link);
    const { signal } = link;
    const { output_file_id, error_file_id } = await client.batches.retrieve(vendorId, { signal });
    for (const fileId of [output_file_id, error_file_id]) {
      if (!fileId) continue;
      const content = await client.files.content(fileId, { signal });
      yield* readJsonLines(link.bodyOf(content), LIMITS.providerBatchLineChars);
    }
  }

  mapAnswer(body: unknown, sent: SentCall) {
    return openAiAnswer(this.#encoding, body, sent);
  }

  #client(link: Link): OpenAI {
    return new OpenAI({ ...clientOptions(link, this.#baseUrl), ...NO_ENVIRONMENT });
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
