/**
 * The port to a provider's own batches, which cost half and may take a day. A batch has no connection: any process that
 * knows its id can poll it, and one that was created by a process that died is found by its name. The port throws only
 * `UnbrokenError`s, or the reason of the signal if the caller aborted.
 */
import type { UnbrokenError } from '../../contracts/errors.ts';
import type { ProviderCall, ProviderEvent } from './provider.ts';

/** A call as it is before it has a connection. */
export type BatchedCall = Pick<
  ProviderCall,
  'model' | 'input' | 'maxOutputTokens' | 'openedSeals' | 'promptCacheKey'
>;

/** A call in the words of its vendor, as one line of a batch. */
export interface EncodedLine {
  readonly index: number;
  /** One batch takes lines of one group: those of one model and endpoint, or of one version of the API. */
  readonly group: string;
  /** JSON, without a line break. */
  readonly text: string;
}

/** What a batch is found by, if the process that creates it dies before it has kept the vendor's id. */
export interface SubmissionName {
  /**
   * Unique at the provider: letters, digits, `_` and `-`, at most `HANDOVER_ID_CHARS`. Lines that are handed over
   * together may need several batches: `part` counts them.
   */
  readonly handoverId: string;
  readonly part: number;
  /** The indexes of its lines. */
  readonly indexes: readonly number[];
  /** When its creation was first intended, ms since 1970. A batch from before is another one. */
  readonly intendedAtMs: number;
  /** The vendor's ids of batches that are known to be other submissions. */
  readonly otherIds: ReadonlySet<string>;
}

export const HANDOVER_ID_CHARS = 48;

/** A batch at its vendor. */
export interface ProviderBatchRef {
  readonly vendorId: string;
  /** The key that it was created with: the batch belongs to its account. */
  readonly keyId: string;
}

export type FoundBatch =
  | { readonly found: 'yes'; readonly ref: ProviderBatchRef }
  | { readonly found: 'no' }
  /**
   * A running batch may be it: this vendor shows what a batch has only when it has ended. To create another one now
   * could pay twice; look again later.
   */
  | { readonly found: 'perhaps' };

export interface ProviderBatchStatus {
  /** `refused`: the vendor has accepted none of its lines, and `error` says why. */
  readonly state: 'running' | 'cancelling' | 'ended' | 'refused';
  readonly error: UnbrokenError | null;
  /** Lines that were answered or have failed, as far as the vendor counts them while the batch runs. */
  readonly done: number;
  /** When it is given up by the vendor, ms since 1970; null if the vendor does not say. */
  readonly expiresAtMs: number | null;
}

export type LineResult =
  /** `body` is what a call would have been answered with, for `answer`. */
  | { readonly index: number; readonly type: 'answered'; readonly body: unknown }
  /** The vendor refused this line, and does not bill it. */
  | { readonly index: number; readonly type: 'failed'; readonly error: UnbrokenError }
  /** It was never sent to the model, and is not billed: the batch was cancelled or has expired before. */
  | { readonly index: number; readonly type: 'unsent' };

export interface ProviderBatches {
  /** The name in the config's `providers`. */
  readonly name: string;
  /** The most lines of one batch, and its bytes. */
  readonly most: { readonly lines: number; readonly bytes: number };
  /** The key of new batches. */
  readonly keyId: string;
  /** @returns null for a call that the provider's batches do not take; it can only be made live. */
  encode(handoverId: string, index: number, call: BatchedCall): EncodedLine | null;
  /** Creates a batch. After an error the batch may exist: `find` says so before another one is created. */
  submit(name: SubmissionName, lines: readonly EncodedLine[], signal: AbortSignal): Promise<ProviderBatchRef>;
  find(name: SubmissionName, signal: AbortSignal): Promise<FoundBatch>;
  poll(ref: ProviderBatchRef, signal: AbortSignal): Promise<ProviderBatchStatus>;
  /** Of a batch that has ended, in any order. What it does not have was not answered. */
  results(handoverId: string, ref: ProviderBatchRef, signal: AbortSignal): AsyncIterable<LineResult>;
  /** Ends a batch early; what is answered by then is billed, and is among the results. Idempotent. */
  cancel(ref: ProviderBatchRef, signal: AbortSignal): Promise<void>;
  /** Deletes what the vendor keeps of an ended batch. Idempotent. */
  discard(ref: ProviderBatchRef, signal: AbortSignal): Promise<void>;
  /** The events that a live call would have had. Its usage says that it was used in a batch. */
  answer(call: BatchedCall, body: unknown): AsyncIterable<ProviderEvent>;
}
