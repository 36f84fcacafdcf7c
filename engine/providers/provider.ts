/**
 * The port to a model. An adapter maps one wire format, with the vendor's official SDK, to `ProviderEvent`s. It
 * never retries: Temporal owns retries, and the workflow owns fallback. It throws only `UnbrokenError`s, and the
 * reason of the signal where the caller aborted.
 */
import type { FinishReason, GenerationInput, ResumeStrategy } from '../../contracts/generation.ts';
import type { Usage } from '../../contracts/money.ts';

/**
 * Where a provider's own stream can be taken up again. Stored in the log in the same atomic append as the text that
 * it covers, so the two can never disagree.
 */
export interface ProviderCursor {
  readonly responseId: string;
  /** The provider's sequence number of the last event whose text is in the log. */
  readonly sequenceNumber: number;
  /** Characters of this response's text that are in the log, for a poll that must append only the suffix. */
  readonly textChars: number;
  /** The same for reasoning text. */
  readonly reasoningChars?: number | undefined;
  /** The tool calls that are in the log, in their order: the provider's later events name only their place. */
  readonly toolCalls?: readonly CursorToolCall[] | undefined;
}

export interface CursorToolCall {
  /** Place among the output items of the response. */
  readonly outputIndex: number;
  readonly id: string;
  readonly name: string;
  readonly argumentsChars: number;
}

/** How an answer of a model that was cut can be gone on with. */
export interface ProviderCapabilities {
  /** A running response can be taken up again by `ProviderCursor`; nothing is paid again. */
  readonly reattach: boolean;
  /** The model goes on from a partial assistant turn. */
  readonly prefill: boolean;
  /** The model goes on when told to, by instruction. */
  readonly instruct: boolean;
}

export interface ProviderCall {
  readonly model: string;
  readonly input: GenerationInput;
  /** Output cap of this call: what the budget left of `input.maxOutputTokens`. */
  readonly maxOutputTokens: number;
  /** Names this call for vendors that honour `Idempotency-Key`. */
  readonly idempotencyKey: string;
  readonly resume:
    | { readonly strategy: 'start' | 'restart' }
    | { readonly strategy: 'reattach'; readonly cursor: ProviderCursor }
    | { readonly strategy: 'prefill' | 'instruct'; readonly deliveredText: string };
  readonly signal: AbortSignal;
  /** The key of this call, where a provider has several; absent: the configured one. */
  readonly apiKey?: string | undefined;
  /** Hears the head of every HTTP answer to this call that is no error: the rate limits are there. */
  readonly onHeaders?: ((headers: Headers, status: number) => void) | undefined;
}

export type ProviderEvent =
  /** The provider has accepted the call. Carries a cursor where the response can be taken up again. */
  | { readonly type: 'accepted'; readonly cursor?: ProviderCursor }
  | { readonly type: 'text'; readonly text: string; readonly cursor?: ProviderCursor }
  | { readonly type: 'reasoning'; readonly text: string; readonly cursor?: ProviderCursor }
  /** The next characters of a tool call's arguments; its first piece may have none. */
  | {
      readonly type: 'tool-call';
      /** Which call of the answer, from 0. */
      readonly index: number;
      readonly id: string;
      readonly name: string;
      readonly arguments: string;
      readonly cursor?: ProviderCursor;
    }
  /**
   * What the provider has counted so far, for an attempt that does not finish. `estimated`: its output is not counted
   * yet, and what was received is to be added.
   */
  | { readonly type: 'usage'; readonly usage: Usage }
  /** Last event of a whole answer. A stream that ends without it was cut: the adapter throws. */
  | { readonly type: 'finish'; readonly reason: FinishReason; readonly usage: Usage | null };

export interface Provider {
  /** The name in the config's `providers`. */
  readonly name: string;
  capabilities(model: string): ProviderCapabilities;
  stream(call: ProviderCall): AsyncIterable<ProviderEvent>;
  /**
   * Stops a response that runs at the provider without us (reattachable ones do). Returns what it used, or null
   * where the provider does not say. Idempotent. Absent where a closed connection is enough.
   * @param apiKey the key that the response was made with; absent: the configured one.
   */
  stop?(responseId: string, apiKey?: string): Promise<Usage | null>;
}

export type { ResumeStrategy };
