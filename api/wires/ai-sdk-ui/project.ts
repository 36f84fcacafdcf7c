/**
 * The log -> the chunks of the AI SDK's UI message stream. Pure. Voided text is taken back by `reset-step`, which
 * removes all parts of the current step. Source: ai's UIMessageChunk.
 */
import type { GenerationEvent } from '../../../contracts/events.ts';
import { idIn, type Projection } from '../wire.ts';
import type { UiOrigin } from './request.ts';

export type UiChunk =
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
      finishReason: 'stop' | 'length' | 'tool-calls';
      messageMetadata: { model: string; costMicroUsd: number; attempts: number; cached: boolean };
    };

interface Call {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly pieces: string[];
}

export function projectUi({ messageId }: Pick<UiOrigin, 'messageId'>): Projection<UiChunk> {
  let open: { readonly kind: 'text' | 'reasoning'; readonly id: string } | null = null;
  let made = 0;
  let calls = new Map<number, Call>();

  const close = (): UiChunk[] => {
    const closing: UiChunk[] = open === null ? [] : [{ type: `${open.kind}-end`, id: open.id }];
    open = null;
    return closing;
  };
  const delta = (kind: 'text' | 'reasoning', text: string): UiChunk[] => {
    if (open?.kind === kind) return [{ type: `${kind}-delta`, id: open.id, delta: text }];
    const closing = close();
    const id = `${kind}-${made}`;
    made += 1;
    open = { kind, id };
    return [...closing, { type: `${kind}-start`, id }, { type: `${kind}-delta`, id, delta: text }];
  };
  const toolDelta = (event: Extract<GenerationEvent, { type: 'tool-call-delta' }>): UiChunk[] => {
    const chunks = close();
    let call = calls.get(event.index);
    if (call === undefined) {
      call = { toolCallId: event.id, toolName: event.name, pieces: [] };
      calls.set(event.index, call);
      chunks.push({ type: 'tool-input-start', toolCallId: event.id, toolName: event.name });
    }
    call.pieces.push(event.arguments);
    if (event.arguments === '') return chunks;
    return [...chunks, { type: 'tool-input-delta', toolCallId: event.id, inputTextDelta: event.arguments }];
  };

  return {
    push: (event) => {
      switch (event.type) {
        case 'generation-start': {
          const { generationId } = event;
          const id = messageId ?? idIn('msg_', generationId);
          return [
            { type: 'start', messageId: id, messageMetadata: { generationId } },
            { type: 'start-step' },
          ];
        }
        case 'text-delta':
          return delta('text', event.text);
        case 'reasoning-delta':
          return delta('reasoning', event.text);
        case 'tool-call-delta':
          return toolDelta(event);
        case 'text-reset':
          open = null;
          calls = new Map();
          return [{ type: 'reset-step' }];
        case 'generation-end': {
          const { costMicroUsd, attempts, cached, finishReason } = event;
          const messageMetadata = {
            model: `${event.provider}/${event.model}`,
            costMicroUsd,
            attempts,
            cached,
          };
          return [
            ...close(),
            ...[...calls.values()].map(inputOf),
            { type: 'finish-step' },
            { type: 'finish', finishReason, messageMetadata },
          ];
        }
        case 'generation-error':
          return [...close(), { type: 'error', errorText: `${event.error.code}: ${event.error.message}` }];
        case 'generation-cancel':
          return [...close(), { type: 'abort', reason: 'cancelled' }];
        default:
          return [];
      }
    },
  };
}

function inputOf({ toolCallId, toolName, pieces }: Call): UiChunk {
  const written = pieces.join('');
  try {
    const input: unknown = JSON.parse(written === '' ? '{}' : written);
    return { type: 'tool-input-available', toolCallId, toolName, input };
  } catch {
    const errorText = 'The arguments are not valid JSON.';
    return { type: 'tool-input-error', toolCallId, toolName, input: written, errorText };
  }
}
