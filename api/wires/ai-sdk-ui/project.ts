/**
 * Folds a log into the chunks of the AI SDK's UI message stream. `reset-step` voids text: it removes all parts of the
 * current step. Source: ai's UIMessageChunk.
 */
import { candidateName } from '../../../contracts/candidate.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import { type Projection, wireId } from '../wire.ts';
import type { UiOrigin } from './request.ts';

type UiChunk =
  | { type: 'start'; messageId: string; messageMetadata: { generationId: string } }
  | { type: 'start-step' | 'reset-step' | 'finish-step' }
  | { type: 'text-start' | 'text-end' | 'reasoning-start' | 'reasoning-end'; id: string }
  | { type: 'text-delta' | 'reasoning-delta'; id: string; delta: string }
  | { type: 'tool-input-start'; toolCallId: string; toolName: string }
  | { type: 'tool-input-delta'; toolCallId: string; inputTextDelta: string }
  | { type: 'tool-input-available'; toolCallId: string; toolName: string; input: unknown }
  | { type: 'tool-input-error'; toolCallId: string; toolName: string; input: unknown; errorText: string }
  | { type: 'error'; errorText: string }
  | { type: 'abort'; reason: string }
  | {
      type: 'finish';
      finishReason: 'stop' | 'length' | 'tool-calls' | 'content-filter' | 'other';
      messageMetadata: { model: string; costMicroUsd: number; attempts: number; cached: boolean };
    };

interface Call {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly argumentDeltas: string[];
}

type TextKind = 'text' | 'reasoning';
type EventOf<Type extends GenerationEvent['type']> = Extract<GenerationEvent, { type: Type }>;

export class UiProjection implements Projection<UiChunk> {
  readonly #messageId: string | null;
  #open: { readonly kind: TextKind; readonly id: string } | null = null;
  #textParts = 0;
  #calls = new Map<number, Call>();

  /** @param context `messageId`: the message that the answer continues; null for a new one. */
  constructor({ messageId }: Pick<UiOrigin, 'messageId'>) {
    this.#messageId = messageId;
  }

  push(event: GenerationEvent): readonly UiChunk[] {
    switch (event.type) {
      case 'generation-start':
        return this.#start(event.generationId);
      case 'text-delta':
        return this.#textDelta('text', event.text);
      case 'reasoning-delta':
        return this.#textDelta('reasoning', event.text);
      case 'tool-call-delta':
        return this.#toolDelta(event);
      case 'text-reset':
        this.#open = null;
        this.#calls = new Map();
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
    return [{ type: 'start', messageId, messageMetadata: { generationId } }, { type: 'start-step' }];
  }

  #close(): UiChunk[] {
    if (this.#open === null) return [];
    const { kind, id } = this.#open;
    this.#open = null;
    return [{ type: `${kind}-end`, id }];
  }

  #textDelta(kind: TextKind, delta: string): UiChunk[] {
    if (this.#open?.kind === kind) return [{ type: `${kind}-delta`, id: this.#open.id, delta }];
    const closing = this.#close();
    const id = `${kind}-${this.#textParts}`;
    this.#textParts += 1;
    this.#open = { kind, id };
    return [...closing, { type: `${kind}-start`, id }, { type: `${kind}-delta`, id, delta }];
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
    return [
      ...this.#close(),
      ...[...this.#calls.values()].map(toolInputChunk),
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
function toolInputChunk({ toolCallId, toolName, argumentDeltas }: Call): UiChunk {
  const argumentsJson = argumentDeltas.join('');
  try {
    const input: unknown = JSON.parse(argumentsJson === '' ? '{}' : argumentsJson);
    return { type: 'tool-input-available', toolCallId, toolName, input };
  } catch {
    const errorText = 'The arguments are not valid JSON.';
    return { type: 'tool-input-error', toolCallId, toolName, input: argumentsJson, errorText };
  }
}
