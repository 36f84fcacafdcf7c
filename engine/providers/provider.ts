/**
 * The port to a model. An adapter maps one wire format to `ProviderEvent`s, with the vendor's official SDK. It never
 * retries: Temporal owns retries, and the workflow owns fallback. It throws only `UnbrokenError`s, or the reason of the
 * signal if the caller aborted.
 */
import type { RequestFormat } from '../../contracts/content.ts';
import type { Ending } from '../../contracts/ending.ts';
import type { FinishReason, GenerationInput, ResumeStrategy } from '../../contracts/generation.ts';
import type { Usage } from '../../contracts/money.ts';
import type { TokenLogprob } from '../../contracts/token-logprobs.ts';
import type { WireFamily } from '../../platform/config/schema.ts';

/**
 * The position from which we can reattach to a provider's own stream. The log stores it in the same atomic append as
 * the text that it covers, so the two can never disagree.
 */
export interface ProviderCursor {
  readonly responseId: string;
  /** The provider's sequence number of the last event whose text is in the log. */
  readonly sequenceNumber: number;
  /** Characters of this response's text that are in the log: a poll appends only the rest. */
  readonly textChars: number;
  /** The same for reasoning text, with a blank line between two parts. */
  readonly reasoningChars?: number | undefined;
  /** Places of the output items whose `reasoning-data` is in the log. */
  readonly sealedItems?: readonly number[] | undefined;
  /** The next text begins a message after other text, so a blank line comes before it. */
  readonly separates?: boolean | undefined;
  /** How many citations, and how many items that only this format has, are in the log. */
  readonly annotations?: number | undefined;
  readonly nativeParts?: number | undefined;
  /** The tool calls that are in the log, in order: the provider's later events refer to them by place only. */
  readonly toolCalls?: readonly CursorToolCall[] | undefined;
}

export interface CursorToolCall {
  /** Place among the output items of the response. */
  readonly outputIndex: number;
  readonly id: string;
  readonly name: string;
  readonly argumentsChars: number;
}

/** In the words of a wire, whose adapter alone reads it. */
export interface ReasoningData {
  readonly wire: WireFamily;
  /** The tool call that it belongs to. If it belongs to no item of reasoning either, it belongs to the text. */
  readonly callId?: string | undefined;
  readonly value: Readonly<Record<string, unknown>>;
}

/** How an interrupted answer of a model can be resumed. */
export interface ProviderCapabilities {
  /** We can reattach to a running response by `ProviderCursor`; nothing is paid twice. */
  readonly reattach: boolean;
  /** The model continues a partial assistant turn. */
  readonly prefill: boolean;
  /** The model continues when an instruction asks for it. */
  readonly instruct: boolean;
}

export interface ProviderCall {
  readonly model: string;
  readonly input: GenerationInput;
  /**
   * Output cap of this call: the part of `input.maxOutputTokens` that the budget allows. null: neither the request nor
   * a budget has one, so the model may write as much as it can.
   */
  readonly maxOutputTokens: number | null;
  /** Identifies this call to vendors that honour `Idempotency-Key`. */
  readonly idempotencyKey: string;
  readonly resume:
    | { readonly strategy: 'start' | 'restart' }
    | { readonly strategy: 'reattach'; readonly cursor: ProviderCursor }
    | { readonly strategy: 'prefill' | 'instruct'; readonly deliveredText: string };
  /** The contents of the seals in `input` that this provider may read: those that it and this account issued. */
  readonly openedSeals?: ReadonlyMap<string, ReasoningData> | undefined;
  /** The key of the conversation for the vendor's prompt cache; absent if the prompt is too short for it. */
  readonly promptCacheKey?: string | undefined;
  readonly signal: AbortSignal;
  /** The key of this call if the provider has several; absent: the configured one. */
  readonly apiKey?: string | undefined;
  /** Called with the headers of every successful HTTP answer to this call: they contain the rate limits. */
  readonly onHeaders?: ((headers: Headers, status: number) => void) | undefined;
}

export type ProviderEvent =
  /** The provider has accepted the call. Has a cursor if we can reattach to the response. */
  | { readonly type: 'accepted'; readonly cursor?: ProviderCursor }
  | {
      readonly type: 'text';
      readonly text: string;
      /** Of its tokens, if the input asks for them. */
      readonly logprobs?: readonly TokenLogprob[] | undefined;
      readonly cursor?: ProviderCursor;
    }
  /** Text of a further item or part begins with a blank line, because most formats show all reasoning as one text. */
  | {
      readonly type: 'reasoning';
      readonly text: string;
      /** Which block or item of reasoning, and which paragraph of it, both from 0. Absent: 0. */
      readonly item?: number | undefined;
      readonly part?: number | undefined;
      readonly cursor?: ProviderCursor;
    }
  /** What only the vendor can read of these thoughts: a signature, or the thoughts themselves. */
  | {
      readonly type: 'reasoning-data';
      readonly data: ReasoningData;
      /** The item of reasoning that it belongs to, if it belongs to one. */
      readonly item?: number | undefined;
      readonly cursor?: ProviderCursor;
    }
  /** The next characters of a tool call's arguments; the first event may have none. */
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
   * Another message or block of the text begins. Not sent before a first one without a phase. If text precedes a
   * message, its own begins with a blank line, because most formats show both as one text.
   */
  | {
      readonly type: 'text-start';
      readonly part: 'message' | 'block';
      readonly phase?: string | undefined;
      readonly cursor?: ProviderCursor;
    }
  /** A citation of the text before it, or a whole block or item of the answer that only this format has. */
  | {
      readonly type: 'annotation' | 'native-part';
      readonly format: RequestFormat;
      readonly value: Readonly<Record<string, unknown>>;
      readonly cursor?: ProviderCursor;
    }
  /**
   * The provider's count so far, for an attempt that does not finish. `estimated`: it does not count the output yet, so
   * the received output must be added.
   */
  | { readonly type: 'usage'; readonly usage: Usage }
  /** Last event of a complete answer. If a stream ends without it, the adapter throws. */
  | Finish;

export interface Finish extends Ending {
  readonly type: 'finish';
  readonly reason: FinishReason;
  readonly usage: Usage | null;
}

export interface Provider {
  /** The name in the config's `providers`. */
  readonly name: string;
  /** @param input absent: a plain request. A server may have two formats, of which one cannot be reattached to. */
  capabilities(model: string, input?: GenerationInput): ProviderCapabilities;
  /** How long such a call may be without content before it counts as broken, in ms; signs of life extend it. */
  silenceMs(call: Pick<ProviderCall, 'model' | 'input'>): number;
  stream(call: ProviderCall): AsyncIterable<ProviderEvent>;
  /** Its answers are there already: a stream that was interrupted has used nothing, and another one costs nothing. */
  readonly isStored?: true;
  /**
   * Stops a response that runs at the provider without us, as reattachable ones do. Idempotent. Absent if closing the
   * connection is enough.
   * @param apiKey the key that started the response; absent: the configured one.
   * @returns its usage; null if the provider does not report it.
   */
  stop?(responseId: string, apiKey?: string): Promise<Usage | null>;
}

export type { ResumeStrategy };
