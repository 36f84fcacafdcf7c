/**
 * Folds a log into the chunks of the AI SDK's UI message stream. `reset-step` voids text: it removes all parts of the
 * current step. Source: ai's UIMessageChunk.
 */
import { candidateName } from '../../../contracts/candidate.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import { MESSAGE_SEPARATOR } from '../../../contracts/fold-events.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import { parseJson } from '../../../contracts/json.ts';
import { refusalText } from '../answer.ts';
import { pictureIn } from '../picture.ts';
import { type ReasoningDelta, ReasoningPlaces, type ReasoningSeal } from '../reasoning.ts';
import { readUrlCitation } from '../url-citation.ts';
import { type Projection, wireId } from '../wire.ts';
import type { UiOrigin } from './request.ts';

export type UiChunk =
  | { type: 'start'; messageId: string; messageMetadata: { generationId: string } }
  | { type: 'start-step' | 'reset-step' | 'finish-step' }
  | { type: 'text-end' | 'reasoning-start'; id: string }
  | { type: 'reasoning-end'; id: string; providerMetadata?: SealMetadata }
  | { type: 'text-start'; id: string; providerMetadata?: { unbroken: { phase: string } } }
  | { type: 'file'; url: string; mediaType: string }
  | { type: 'source-url'; sourceId: string; url: string; title?: string }
  | { type: 'text-delta' | 'reasoning-delta'; id: string; delta: string }
  | { type: 'tool-input-start'; toolCallId: string; toolName: string }
  | { type: 'tool-input-delta'; toolCallId: string; inputTextDelta: string }
  | {
      type: 'tool-input-available';
      toolCallId: string;
      toolName: string;
      input: unknown;
      providerMetadata?: SealMetadata;
    }
  | { type: 'tool-input-error'; toolCallId: string; toolName: string; input: unknown; errorText: string }
  | { type: 'tool-output-available'; toolCallId: string; output: unknown }
  | { type: 'tool-output-error'; toolCallId: string; errorText: string }
  | { type: 'error'; errorText: string }
  | { type: 'abort'; reason: string }
  | {
      type: 'finish';
      finishReason: 'stop' | 'length' | 'tool-calls' | 'content-filter' | 'other';
      messageMetadata: { model: string; costMicroUsd: number; attempts: number; cached: boolean };
    };

/** The client keeps it with its part, and sends it back. */
type SealMetadata = { unbroken: { sealed: string } };

interface Call {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly argumentDeltas: string[];
}

type TextKind = 'text' | 'reasoning';
type EventOf<Type extends GenerationEvent['type']> = Extract<GenerationEvent, { type: Type }>;

export class UiProjection implements Projection<UiChunk> {
  readonly #messageId: string | null;
  readonly #earlier: readonly UiChunk[];
  readonly #places = new ReasoningPlaces();
  /** What belongs to a tool call, by its id. */
  readonly #sealsOfCalls = new Map<string, SealMetadata>();
  #open: { readonly kind: TextKind; readonly id: string; readonly item: number } | null = null;
  #textParts = 0;
  #calls = new Map<number, Call>();
  #sources = 0;
  /** The message that the next text begins; null: it continues the open part. */
  #starts: { readonly phase: string | undefined } | null = null;
  /** How much of the blank line before that message is still to come: parts are apart without it. */
  #separatorChars = 0;
  #hasText = false;

  /**
   * @param context `messageId`: the message that the answer continues; null for a new one. `earlier`: its steps so far,
   * for a client that builds it from the start.
   */
  constructor({
    messageId,
    earlier = [],
  }: Pick<UiOrigin, 'messageId'> & { readonly earlier?: readonly UiChunk[] }) {
    this.#messageId = messageId;
    this.#earlier = earlier;
  }

  push(event: GenerationEvent): readonly UiChunk[] {
    switch (event.type) {
      case 'generation-start':
        return this.#start(event.generationId);
      case 'text-start':
        if (event.part === 'block') return [];
        this.#starts = { phase: event.phase };
        this.#separatorChars = this.#hasText ? MESSAGE_SEPARATOR.length : 0;
        return [];
      case 'text-delta':
        return this.#text(event.text);
      case 'annotation':
        return this.#source(event);
      case 'native-part':
        return this.#picture(event);
      case 'reasoning-delta':
        return this.#reasoningDelta(event);
      case 'reasoning-seal':
        return this.#seal(event);
      case 'tool-call-delta':
        return this.#toolDelta(event);
      case 'text-reset':
        this.#open = null;
        this.#calls = new Map();
        this.#sealsOfCalls.clear();
        this.#places.reset();
        this.#starts = null;
        this.#separatorChars = 0;
        this.#hasText = false;
        return [{ type: 'reset-step' }];
      case 'generation-end':
        return this.#end(event);
      case 'generation-error':
        return [
          ...this.#close(),
          { type: 'error', errorText: `${event.error.code}: ${event.error.message}` },
        ];
      case 'generation-cancel':
        return [...this.#close(), { type: 'abort', reason: 'cancelled' }];
      default:
        return [];
    }
  }

  #start(generationId: string): UiChunk[] {
    const messageId = this.#messageId ?? wireId('msg_', generationId);
    const start = { type: 'start', messageId, messageMetadata: { generationId } } as const;
    return [start, ...this.#earlier, { type: 'start-step' }];
  }

  #close(providerMetadata?: SealMetadata): UiChunk[] {
    if (this.#open === null) return [];
    const { kind, id } = this.#open;
    this.#open = null;
    if (kind === 'text' || providerMetadata === undefined) return [{ type: `${kind}-end`, id }];
    return [{ type: 'reasoning-end', id, providerMetadata }];
  }

  #text(delta: string): UiChunk[] {
    const text = delta.slice(this.#separatorChars);
    this.#separatorChars -= delta.length - text.length;
    this.#hasText ||= delta !== '';
    return text === '' ? [] : this.#textDelta('text', text);
  }

  #textDelta(kind: TextKind, delta: string, item = 0): UiChunk[] {
    const starts = kind === 'text' ? this.#starts : null;
    const isOpen = this.#open?.kind === kind && this.#open.item === item && starts === null;
    const opening = isOpen ? [] : this.#begin(kind, item);
    return [...opening, { type: `${kind}-delta`, id: this.#open?.id ?? '', delta }];
  }

  /** Closes the open part, and opens the next. */
  #begin(kind: TextKind, item: number): UiChunk[] {
    const closing = this.#close();
    const id = `${kind}-${this.#textParts}`;
    this.#textParts += 1;
    this.#open = { kind, id, item };
    if (kind === 'reasoning') return [...closing, { type: 'reasoning-start', id }];
    const phase = this.#starts?.phase;
    this.#starts = null;
    const named = phase === undefined ? {} : { providerMetadata: { unbroken: { phase } } };
    return [...closing, { type: 'text-start', id, ...named }];
  }

  /** An item is a part of the message. Its paragraphs stay apart by a blank line. */
  #reasoningDelta(event: ReasoningDelta): UiChunk[] {
    const { item, text } = this.#places.place(event);
    const isParagraph = this.#open?.kind === 'reasoning' && this.#open.item === item;
    return this.#textDelta('reasoning', isParagraph ? event.text : text, item);
  }

  /** It goes with the part that it belongs to. What belongs to none is a part without text. */
  #seal({ item, callId, sealed }: ReasoningSeal): UiChunk[] {
    const metadata = { unbroken: { sealed } };
    if (callId !== undefined) {
      this.#sealsOfCalls.set(callId, metadata);
      return [];
    }
    const isOpen = this.#open?.kind === 'reasoning' && this.#open.item === item;
    return [...(isOpen ? [] : this.#begin('reasoning', item ?? -1)), ...this.#close(metadata)];
  }

  /** A page that the text cites, whichever vendor says so. */
  #source(event: EventOf<'annotation'>): UiChunk[] {
    const { url, title } = readUrlCitation(event) ?? event.value;
    if (typeof url !== 'string') return [];
    this.#sources += 1;
    const named = typeof title === 'string' && title !== '' ? { title } : {};
    return [{ type: 'source-url', sourceId: `source-${this.#sources}`, url, ...named }];
  }

  #picture(part: EventOf<'native-part'>): UiChunk[] {
    const picture = pictureIn(part);
    if (picture === null) return [];
    const { url, mediaType } = picture;
    return [...this.#close(), { type: 'file', url, mediaType }];
  }

  #toolDelta(event: EventOf<'tool-call-delta'>): UiChunk[] {
    const { index, id: toolCallId, name: toolName, arguments: argumentDelta } = event;
    const chunks = this.#close();
    let call = this.#calls.get(index);
    if (call === undefined) {
      call = { toolCallId, toolName, argumentDeltas: [] };
      this.#calls.set(index, call);
      chunks.push({ type: 'tool-input-start', toolCallId, toolName });
    }
    call.argumentDeltas.push(argumentDelta);
    if (argumentDelta !== '') {
      chunks.push({ type: 'tool-input-delta', toolCallId, inputTextDelta: argumentDelta });
    }
    return chunks;
  }

  #end(event: EventOf<'generation-end'>): UiChunk[] {
    const { costMicroUsd, attempts, cached, finishReason } = event;
    const messageMetadata = { model: candidateName(event), costMicroUsd, attempts, cached };
    const refusal = refusalText(event);
    if (refusal !== null) this.#starts = { phase: undefined };
    return [
      // A page shows the parts of a message: a refusal is the text of its last.
      ...(refusal === null ? [] : this.#textDelta('text', refusal)),
      ...this.#close(),
      ...[...this.#calls.values()].map((call) =>
        toolInputChunk(call, this.#sealsOfCalls.get(call.toolCallId)),
      ),
      { type: 'finish-step' },
      { type: 'finish', finishReason: toUiFinishReason(finishReason), messageMetadata },
    ];
  }
}

function toUiFinishReason(reason: FinishReason) {
  if (reason === 'pause') return 'other';
  return reason === 'refusal' ? 'content-filter' : reason;
}

/** The whole input of a call, which the SDK takes only as parsed JSON. */
function toolInputChunk(
  { toolCallId, toolName, argumentDeltas }: Call,
  providerMetadata: SealMetadata | undefined,
): UiChunk {
  const argumentsJson = argumentDeltas.join('');
  try {
    const input: unknown = parseJson(argumentsJson === '' ? '{}' : argumentsJson);
    const sealed = providerMetadata === undefined ? {} : { providerMetadata };
    return { type: 'tool-input-available', toolCallId, toolName, input, ...sealed };
  } catch {
    const errorText = 'The arguments are not valid JSON.';
    return { type: 'tool-input-error', toolCallId, toolName, input: argumentsJson, errorText };
  }
}
