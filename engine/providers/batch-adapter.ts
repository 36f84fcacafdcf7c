/** What the adapters to the providers' batches share; `BatchWire` has the parts that differ by vendor. */
import { UnbrokenError } from '../../contracts/errors.ts';
import { serviceTier, type Usage } from '../../contracts/money.ts';
import { malformed } from './answer-state.ts';
import { BatchLinks, type BatchSettings } from './batch-links.ts';
import type { FittedCall } from './fit-call.ts';
import type { AnswerHead, Link } from './http-link.ts';
import type { ProviderCall, ProviderEvent } from './provider.ts';
import {
  type BatchedCall,
  type EncodedLine,
  type FoundBatch,
  HANDOVER_ID_CHARS,
  type LineResult,
  type ProviderBatches,
  type ProviderBatchRef,
  type ProviderBatchStatus,
  type SubmissionName,
} from './provider-batches.ts';

/** How far the clocks of a vendor and of our processes may be apart. */
export const CLOCK_SKEW_MS = 5 * 60_000;
/** Batches that are looked through for one that may be ours, the newest first. */
export const MOST_SEARCHED = 10_000;

/** Each request has its own link: an error of one must not be taken for a break in the answer to another. */
export type AskVendor = <Result>(request: (link: Link) => Promise<Result>) => Promise<Result>;

/** `yes` with the vendor's id. */
export type FoundAtKey =
  | { readonly found: 'yes'; readonly vendorId: string }
  | { readonly found: 'no' | 'perhaps' };

/** Without a format for a call that is fitted no more: the config has lost its provider. */
export type SentCall = Pick<FittedCall<ProviderCall>, 'call'> & Partial<FittedCall<ProviderCall>>;

/** The parts of an adapter that differ by vendor. */
export interface BatchWire {
  readonly most: ProviderBatches['most'];
  mapError(error: unknown, head: AnswerHead | null): UnbrokenError;
  /** @returns null if its batches do not take the call */
  encode(
    fitted: FittedCall<ProviderCall>,
    line: Pick<EncodedLine, 'index'> & { lineId: string },
  ): EncodedLine | null;
  /** @returns the vendor's id of the new batch */
  submit(name: SubmissionName, lines: readonly EncodedLine[], ask: AskVendor): Promise<string>;
  /** Looks among the batches of one key. */
  find(name: SubmissionName, ask: AskVendor): Promise<FoundAtKey>;
  status(link: Link, vendorId: string): Promise<ProviderBatchStatus>;
  cancel(link: Link, vendorId: string): Promise<unknown>;
  discard(link: Link, vendorId: string): Promise<void>;
  /** The lines of its results, as JSON. */
  lines(link: Link, vendorId: string): AsyncIterable<unknown>;
  readResult(
    line: unknown,
    indexOf: (lineId: unknown) => number | null,
    links: Pick<BatchLinks, 'lineError'>,
  ): LineResult;
  mapAnswer(body: unknown, sent: SentCall): AsyncIterable<ProviderEvent>;
}

export interface BatchAdapterSettings extends BatchSettings {
  /** null: the call can only be made live, which also says why if it can not. */
  readonly fit: (call: ProviderCall) => FittedCall<ProviderCall> | null;
}

export function createBatchAdapter(settings: BatchAdapterSettings, wire: BatchWire): ProviderBatches {
  return new BatchAdapter(settings, wire);
}

class BatchAdapter implements ProviderBatches {
  readonly name: string;
  readonly most: ProviderBatches['most'];
  readonly #settings: BatchAdapterSettings;
  readonly #wire: BatchWire;
  readonly #links: BatchLinks;

  constructor(settings: BatchAdapterSettings, wire: BatchWire) {
    this.name = settings.name;
    this.most = wire.most;
    this.#settings = settings;
    this.#wire = wire;
    this.#links = new BatchLinks(settings, (error, head) => wire.mapError(error, head));
  }

  get keyId(): string {
    return this.#links.newestKeyId;
  }

  encode(handoverId: string, index: number, call: BatchedCall): EncodedLine | null {
    const lineId = lineIdOf(handoverId, index);
    const fitted = this.#settings.fit(asWholeCall(call));
    return fitted === null ? null : this.#wire.encode(fitted, { lineId, index });
  }

  async submit(
    name: SubmissionName,
    lines: readonly EncodedLine[],
    signal: AbortSignal,
  ): Promise<ProviderBatchRef> {
    const { keyId } = this;
    return { vendorId: await this.#wire.submit(name, lines, this.#askWith(keyId, signal)), keyId };
  }

  async find(name: SubmissionName, signal: AbortSignal): Promise<FoundBatch> {
    let isPossible = false;
    for (const { id: keyId } of this.#settings.keys) {
      const atKey = await this.#wire.find(name, this.#askWith(keyId, signal));
      if (atKey.found === 'yes') return { found: 'yes', ref: { vendorId: atKey.vendorId, keyId } };
      isPossible ||= atKey.found === 'perhaps';
    }
    return { found: isPossible ? 'perhaps' : 'no' };
  }

  poll({ vendorId, keyId }: ProviderBatchRef, signal: AbortSignal): Promise<ProviderBatchStatus> {
    return this.#links.use(keyId, signal, (link) => this.#wire.status(link, vendorId));
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
      try {
        await this.#wire.cancel(link, vendorId);
      } catch (error) {
        // One that has ended cannot be cancelled, nor need it be.
        const { state } = await this.#wire.status(link, vendorId);
        if (state === 'running') throw error;
      }
    });
  }

  discard({ vendorId, keyId }: ProviderBatchRef, signal: AbortSignal): Promise<void> {
    return this.#links.use(keyId, signal, (link) => this.#wire.discard(link, vendorId));
  }

  answer(batched: BatchedCall, body: unknown): AsyncIterable<ProviderEvent> {
    const call = asWholeCall(batched);
    const fitted = this.#settings.fit(call);
    const events = this.#wire.mapAnswer(body, fitted ?? { call });
    return inBatchTier(fitted?.named(events) ?? events);
  }

  #askWith(keyId: string, signal: AbortSignal): AskVendor {
    return (request) => this.#links.use(keyId, signal, request);
  }

  async *#read(link: Link, handoverId: string, vendorId: string): AsyncGenerator<LineResult> {
    const indexOf = (lineId: unknown) => indexOfLine(handoverId, lineId);
    for await (const line of this.#wire.lines(link, vendorId)) {
      yield this.#wire.readResult(line, indexOf, this.#links);
    }
  }
}

export function submissionIdOf({ handoverId, part }: Pick<SubmissionName, 'handoverId' | 'part'>): string {
  return `${handoverId}-p${part}`;
}

/** The `custom_id` of a line. The ids of the caller's own batch stay with us: they need not fit the vendor's. */
function lineIdOf(handoverId: string, index: number): string {
  if (handoverId.length > HANDOVER_ID_CHARS || !/^[\w-]+$/.test(handoverId)) {
    throw new RangeError(`${handoverId} is no id of a hand-over.`);
  }
  return `${handoverId}-${index}`;
}

/** @returns null for a line of another hand-over. */
export function indexOfLine(handoverId: string, lineId: unknown): number | null {
  if (typeof lineId !== 'string' || !lineId.startsWith(`${handoverId}-`)) return null;
  const digits = lineId.slice(handoverId.length + 1);
  return /^\d{1,9}$/.test(digits) ? Number(digits) : null;
}

const NEVER_ABORTED = new AbortController().signal;

/** The call as the builders of requests take it. */
function asWholeCall(call: BatchedCall): ProviderCall {
  return { ...call, idempotencyKey: '', resume: { strategy: 'start' }, signal: NEVER_ABORTED };
}

/** Marks what was used as used in a batch. @throws provider_malformed for an answer that is not of its format. */
async function* inBatchTier(events: AsyncIterable<ProviderEvent>): AsyncGenerator<ProviderEvent> {
  const tiered = (usage: Usage) => ({ ...usage, ...serviceTier('batch') });
  const iterator = events[Symbol.asyncIterator]();
  for (;;) {
    const next = await iterator.next().catch((error: unknown) => {
      throw error instanceof UnbrokenError ? error : malformed('an answer that cannot be read');
    });
    if (next.done) return;
    const event = next.value;
    if (event.type === 'usage') yield { ...event, usage: tiered(event.usage) };
    else if (event.type === 'finish' && event.usage !== null) yield { ...event, usage: tiered(event.usage) };
    else yield event;
  }
}
