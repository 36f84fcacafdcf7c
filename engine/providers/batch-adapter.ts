/** What the adapters to the providers' batches share: the link, the names, the mapping of errors, and the answers. */
import { UnbrokenError } from '../../contracts/errors.ts';
import { serviceTier, type Usage } from '../../contracts/money.ts';
import { malformed } from './answer-state.ts';
import { toUnbrokenError } from './http-errors.ts';
import { type AnswerHead, createLink, type Link } from './http-link.ts';
import { toPresentableError } from './presentable-error.ts';
import type { ProviderCall, ProviderEvent } from './provider.ts';
import { type BatchedCall, HANDOVER_ID_CHARS, type SubmissionName } from './provider-batches.ts';
import { NO_KEY, type ProviderSettings } from './provider-settings.ts';
import { parseVendorError } from './vendor-error.ts';

export interface BatchSettings extends Pick<ProviderSettings, 'name' | 'baseUrl' | 'secrets' | 'connectMs'> {
  /** Those of the config, the first one for new batches. */
  readonly keys: readonly { readonly id: string; readonly secret: string | undefined }[];
}

/** How far the clocks of a vendor and of our processes may be apart. */
export const CLOCK_SKEW_MS = 5 * 60_000;
/** Batches that are looked through for one that may be ours, the newest first. */
export const MOST_SEARCHED = 10_000;

/** The connections of one provider, by the key that a batch was created with. */
export class BatchLinks {
  readonly #settings: BatchSettings;
  readonly #mapError: (error: unknown, head: AnswerHead | null) => UnbrokenError;

  constructor(settings: BatchSettings, mapError: (error: unknown, head: AnswerHead | null) => UnbrokenError) {
    this.#settings = settings;
    this.#mapError = mapError;
  }

  get newestKeyId(): string {
    return this.#settings.keys[0]?.id ?? '';
  }

  /** @throws UnbrokenError, or the reason of the signal. */
  async use<Result>(
    keyId: string,
    signal: AbortSignal,
    call: (link: Link) => Promise<Result>,
  ): Promise<Result> {
    const link = this.#open(keyId, signal);
    try {
      return await call(link);
    } catch (error) {
      throw this.#toThrow(error, link);
    }
  }

  /** The same for what is read piece by piece. */
  async *read<Piece>(
    keyId: string,
    signal: AbortSignal,
    read: (link: Link) => AsyncIterable<Piece>,
  ): AsyncGenerator<Piece> {
    const link = this.#open(keyId, signal);
    try {
      yield* read(link);
    } catch (error) {
      throw this.#toThrow(error, link);
    }
  }

  /** The error of one line, without keys. */
  lineError(status: number | undefined, body: unknown): UnbrokenError {
    const { message, kind } = parseVendorError(JSON.stringify(body ?? null));
    const error = toUnbrokenError({
      status,
      kind,
      message: message === '' ? 'The provider failed this line of its batch without a reason.' : message,
      headers: undefined,
      isStreaming: true,
    });
    return toPresentableError(error, this.#settings.secrets);
  }

  #open(keyId: string, signal: AbortSignal): Link {
    const { keys, name, connectMs } = this.#settings;
    const key = keys.find(({ id }) => id === keyId);
    if (key === undefined) {
      const message = `The key ${keyId} of ${name}, with which the batch was created, is not configured any more.`;
      throw new UnbrokenError('provider_auth', message);
    }
    return createLink({ apiKey: undefined }, { apiKey: key.secret ?? NO_KEY, connectMs }, signal);
  }

  #toThrow(error: unknown, link: Link): unknown {
    if (link.signal.aborted) return link.signal.reason;
    return toPresentableError(this.#mapError(error, link.head()), this.#settings.secrets);
  }
}

export function submissionIdOf({ handoverId, part }: Pick<SubmissionName, 'handoverId' | 'part'>): string {
  return `${handoverId}-p${part}`;
}

/** The `custom_id` of a line. The ids of the caller's own batch stay with us: they need not fit the vendor's. */
export function lineIdOf(handoverId: string, index: number): string {
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
export function asWholeCall(call: BatchedCall): ProviderCall {
  return { ...call, idempotencyKey: '', resume: { strategy: 'start' }, signal: NEVER_ABORTED };
}

/** Marks what was used as used in a batch. @throws provider_malformed for an answer that is not of its format. */
export async function* inBatchTier(events: AsyncIterable<ProviderEvent>): AsyncGenerator<ProviderEvent> {
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
