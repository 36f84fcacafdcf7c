/**
 * Anthropic's message batches. They carry no name: one that was created by a process that died is found by its time and
 * its number of lines, and is known for certain when it has ended, by the ids of its lines. Sources: the guide "Batch
 * processing", and the API reference, "Message Batches".
 */
import Anthropic from '@anthropic-ai/sdk';
import type { MessageBatch } from '@anthropic-ai/sdk/resources/messages';
import { LIMITS } from '../../../contracts/limits.ts';
import { anthropicBaseUrl } from '../anthropic-messages/base-url.ts';
import { mapAnthropicError } from '../anthropic-messages/errors.ts';
import { mapAnthropicMessage } from '../anthropic-messages/whole-answer.ts';
import {
  type AskVendor,
  type BatchAdapterSettings,
  type BatchWire,
  CLOCK_SKEW_MS,
  createBatchAdapter,
  type FoundAtKey,
  indexOfLine,
  MOST_SEARCHED,
  type SentCall,
} from '../batch-adapter.ts';
import { clientOptions } from '../client-options.ts';
import type { Link } from '../http-link.ts';
import { readJsonLines } from '../json-lines.ts';
import type {
  EncodedLine,
  ProviderBatches,
  ProviderBatchStatus,
  SubmissionName,
} from '../provider-batches.ts';
import { encodeAnthropicCall, headersOfGroup } from './lines.ts';
import { readAnthropicResult } from './results.ts';

const PATH = '/v1/messages/batches';

export function createAnthropicBatches(settings: BatchAdapterSettings): ProviderBatches {
  return createBatchAdapter(settings, new AnthropicBatches(settings));
}

class AnthropicBatches implements BatchWire {
  readonly most = { lines: 100_000, bytes: LIMITS.providerBatchBytes };
  readonly mapError = mapAnthropicError;
  readonly encode = encodeAnthropicCall;
  readonly readResult = readAnthropicResult;
  readonly #baseUrl: BatchAdapterSettings['baseUrl'];

  constructor({ baseUrl }: Pick<BatchAdapterSettings, 'baseUrl'>) {
    this.#baseUrl = baseUrl;
  }

  async submit(_name: SubmissionName, lines: readonly EncodedLine[], ask: AskVendor): Promise<string> {
    const headers = { ...headersOfGroup(lines[0]?.group ?? ''), 'content-type': 'application/json' };
    const body = Buffer.from(`{"requests":[${lines.map(({ text }) => text).join(',')}]}`);
    // `batches.create` would put the prompts into traces while those are on.
    const batch = await ask((link) =>
      this.#client(link).post<MessageBatch>(PATH, { body, headers, signal: link.signal }),
    );
    return batch.id;
  }

  async find(name: SubmissionName, ask: AskVendor): Promise<FoundAtKey> {
    let isPossible = false;
    for (const { id: vendorId, processing_status: status } of await ask((link) =>
      this.#candidates(link, name),
    )) {
      if (status !== 'ended') isPossible = true;
      else if (await ask((link) => this.#isOurs(link, name, vendorId))) return { found: 'yes', vendorId };
    }
    return { found: isPossible ? 'perhaps' : 'no' };
  }

  async status(link: Link, vendorId: string): Promise<ProviderBatchStatus> {
    const { signal } = link;
    return statusOf(await this.#client(link).messages.batches.retrieve(vendorId, {}, { signal }));
  }

  cancel(link: Link, vendorId: string): Promise<unknown> {
    return this.#client(link).messages.batches.cancel(vendorId, {}, { signal: link.signal });
  }

  async discard(link: Link, vendorId: string): Promise<void> {
    await this.#client(link)
      .messages.batches.delete(vendorId, {}, { signal: link.signal })
      .catch((error: unknown) => {
        if (!(error instanceof Anthropic.NotFoundError)) throw error;
      });
  }

  /** Not from `results_url`: the key goes nowhere but to the configured address. */
  async *lines(link: Link, vendorId: string): AsyncGenerator<unknown> {
    const path = `${PATH}/${encodeURIComponent(vendorId)}/results`;
    const headers = { Accept: 'application/binary' };
    const { signal } = link;
    const answer = await this.#client(link).get(path, { headers, signal }).asResponse();
    yield* readJsonLines(link.bodyOf(answer), LIMITS.providerBatchLineChars);
  }

  mapAnswer(body: unknown, { call }: SentCall) {
    return mapAnthropicMessage(body, call);
  }

  /** Batches that may be this submission, by all that the list shows. */
  async #candidates(link: Link, name: SubmissionName): Promise<MessageBatch[]> {
    const { signal } = link;
    const sinceMs = name.intendedAtMs - CLOCK_SKEW_MS;
    const candidates: MessageBatch[] = [];
    let searched = 0;
    for await (const batch of this.#client(link).messages.batches.list({ limit: 100 }, { signal })) {
      searched += 1;
      if (Date.parse(batch.created_at) < sinceMs || searched > MOST_SEARCHED) break;
      const total = Object.values(batch.request_counts).reduce((sum, count) => sum + count, 0);
      if (total === name.indexes.length && !name.otherIds.has(batch.id)) candidates.push(batch);
    }
    return candidates;
  }

  /** By the id of its first result. */
  async #isOurs(link: Link, name: SubmissionName, vendorId: string): Promise<boolean> {
    const indexes = new Set(name.indexes);
    for await (const value of this.lines(link, vendorId)) {
      const { custom_id: lineId } = (value ?? {}) as { readonly custom_id?: unknown };
      const index = indexOfLine(name.handoverId, lineId);
      return index !== null && indexes.has(index);
    }
    return false;
  }

  #client(link: Link): Anthropic {
    return new Anthropic(clientOptions(link, anthropicBaseUrl(this.#baseUrl)));
  }
}

function statusOf({ processing_status, request_counts, expires_at }: MessageBatch): ProviderBatchStatus {
  const { processing: _, ...ended } = request_counts;
  const states = { in_progress: 'running', canceling: 'cancelling', ended: 'ended' } as const;
  const expiresAtMs = Date.parse(expires_at);
  return {
    state: states[processing_status] ?? 'running',
    error: null,
    done: Object.values(ended).reduce((sum, count) => sum + count, 0),
    expiresAtMs: Number.isNaN(expiresAtMs) ? null : expiresAtMs,
  };
}
