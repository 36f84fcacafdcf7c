/**
 * Anthropic's message batches. They carry no name: one that was created by a process that died is found by its time and
 * its number of lines, and is known for certain when it has ended, by the ids of its lines. Sources: the guide "Batch
 * processing", and the API reference, "Message Batches".
 */
import Anthropic from '@anthropic-ai/sdk';
import type { MessageBatch } from '@anthropic-ai/sdk/resources/messages';
import { LIMITS } from '../../../contracts/limits.ts';
import { mapAnthropicError } from '../anthropic-messages/errors.ts';
import {
  BatchLinks,
  type BatchSettings,
  CLOCK_SKEW_MS,
  inBatchTier,
  indexOfLine,
  lineIdOf,
  MOST_SEARCHED,
} from '../batch-adapter.ts';
import { clientOptions } from '../client-options.ts';
import type { Link } from '../http-link.ts';
import { readJsonLines } from '../json-lines.ts';
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
import { type AnthropicEncoding, anthropicAnswer, encodeAnthropicCall, headersOfGroup } from './lines.ts';
import { readAnthropicResult } from './results.ts';

const MOST_LINES = 100_000;
const PATH = '/v1/messages/batches';

export function createAnthropicBatches(
  settings: BatchSettings,
  encoding: AnthropicEncoding,
): ProviderBatches {
  return new AnthropicBatches(settings, encoding);
}

class AnthropicBatches implements ProviderBatches {
  readonly name: string;
  readonly most = { lines: MOST_LINES, bytes: LIMITS.providerBatchBytes };
  readonly #settings: BatchSettings;
  readonly #encoding: AnthropicEncoding;
  readonly #links: BatchLinks;

  constructor(settings: BatchSettings, encoding: AnthropicEncoding) {
    this.name = settings.name;
    this.#settings = settings;
    this.#encoding = encoding;
    this.#links = new BatchLinks(settings, mapAnthropicError);
  }

  encode(handoverId: string, index: number, call: BatchedCall): EncodedLine | null {
    return encodeAnthropicCall(this.#encoding, { lineId: lineIdOf(handoverId, index), index, call });
  }

  submit(
    _name: SubmissionName,
    lines: readonly EncodedLine[],
    signal: AbortSignal,
  ): Promise<ProviderBatchRef> {
    const keyId = this.#links.newestKeyId;
    const headers = { ...headersOfGroup(lines[0]?.group ?? ''), 'content-type': 'application/json' };
    const body = Buffer.from(`{"requests":[${lines.map(({ text }) => text).join(',')}]}`);
    return this.#links.use(keyId, signal, async (link) => {
      // `batches.create` would put the prompts into traces while those are on.
      const batch = await this.#client(link).post<MessageBatch>(PATH, { body, headers, signal });
      return { vendorId: batch.id, keyId };
    });
  }

  async find(name: SubmissionName, signal: AbortSignal): Promise<FoundBatch> {
    let isPossible = false;
    for (const { id: keyId } of this.#settings.keys) {
      const candidates = await this.#candidates(name, keyId, signal);
      for (const batch of candidates) {
        if (batch.processing_status !== 'ended') isPossible = true;
        else if (await this.#isOurs(name, { vendorId: batch.id, keyId }, signal)) {
          return { found: 'yes', ref: { vendorId: batch.id, keyId } };
        }
      }
    }
    return { found: isPossible ? 'perhaps' : 'no' };
  }

  poll({ vendorId, keyId }: ProviderBatchRef, signal: AbortSignal): Promise<ProviderBatchStatus> {
    return this.#links.use(keyId, signal, async (link) => {
      return statusOf(await this.#client(link).messages.batches.retrieve(vendorId, {}, { signal }));
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
      const { batches } = this.#client(link).messages;
      try {
        await batches.cancel(vendorId, {}, { signal });
      } catch (error) {
        // One that has ended cannot be cancelled, nor need it be.
        const { state } = statusOf(await batches.retrieve(vendorId, {}, { signal }));
        if (state === 'running') throw error;
      }
    });
  }

  discard({ vendorId, keyId }: ProviderBatchRef, signal: AbortSignal): Promise<void> {
    return this.#links.use(keyId, signal, async (link) => {
      await this.#client(link)
        .messages.batches.delete(vendorId, {}, { signal })
        .catch((error: unknown) => {
          if (!(error instanceof Anthropic.NotFoundError)) throw error;
        });
    });
  }

  answer(call: BatchedCall, body: unknown) {
    return inBatchTier(anthropicAnswer(this.#encoding, call, body));
  }

  /** Batches that may be this submission, by all that the list shows. */
  #candidates(name: SubmissionName, keyId: string, signal: AbortSignal): Promise<MessageBatch[]> {
    const sinceMs = name.intendedAtMs - CLOCK_SKEW_MS;
    return this.#links.use(keyId, signal, async (link) => {
      const candidates: MessageBatch[] = [];
      let searched = 0;
      for await (const batch of this.#client(link).messages.batches.list({ limit: 100 }, { signal })) {
        searched += 1;
        if (Date.parse(batch.created_at) < sinceMs || searched > MOST_SEARCHED) break;
        const total = Object.values(batch.request_counts).reduce((sum, count) => sum + count, 0);
        if (total === name.indexes.length && !name.otherIds.has(batch.id)) candidates.push(batch);
      }
      return candidates;
    });
  }

  /** By the id of its first result. */
  async #isOurs(name: SubmissionName, ref: ProviderBatchRef, signal: AbortSignal): Promise<boolean> {
    const indexes = new Set(name.indexes);
    return this.#links.use(ref.keyId, signal, async (link) => {
      for await (const value of this.#lines(link, ref.vendorId)) {
        const { custom_id: lineId } = (value ?? {}) as { readonly custom_id?: unknown };
        const index = indexOfLine(name.handoverId, lineId);
        return index !== null && indexes.has(index);
      }
      return false;
    });
  }

  async *#read(link: Link, handoverId: string, vendorId: string): AsyncGenerator<LineResult> {
    const indexOf = (lineId: unknown) => indexOfLine(handoverId, lineId);
    for await (const line of this.#lines(link, vendorId)) {
      yield readAnthropicResult(line, indexOf, this.#links);
    }
  }

  /** Not from `results_url`: the key goes nowhere but to the configured address. */
  async *#lines(link: Link, vendorId: string): AsyncGenerator<unknown> {
    const path = `${PATH}/${encodeURIComponent(vendorId)}/results`;
    const headers = { Accept: 'application/binary' };
    const { signal } = link;
    const answer = await this.#client(link).get(path, { headers, signal }).asResponse();
    yield* readJsonLines(link.bodyOf(answer), LIMITS.providerBatchLineChars);
  }

  #client(link: Link): Anthropic {
    return new Anthropic(clientOptions(link, this.#settings.baseUrl));
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
