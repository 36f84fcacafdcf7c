/**
 * Folds a log into the events of Anthropic's messages stream. Source: the types of the official client,
 * RawMessageStreamEvent.
 */
import type {
  CacheCreation,
  ContentBlock,
  Message,
  MessageDeltaUsage,
  RawMessageStreamEvent,
  StopReason,
  TextBlock,
} from '@anthropic-ai/sdk/resources/messages/messages';
import { candidateName } from '../../../contracts/candidate.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import { NO_USAGE, outputTokensOf, type Usage } from '../../../contracts/money.ts';
import type { Answer } from '../answer.ts';
import { type Projection, wireId } from '../wire.ts';

type Frame = RawMessageStreamEvent;

/** Without `citations`: the vendor leaves the key out, and clients take null for a fault, against the SDK's type. */
const EMPTY_TEXT = { type: 'text', text: '' } as TextBlock;

/** Content blocks of this format do not overlap: at most one is open. */
interface OpenBlock {
  readonly key: string;
  readonly index: number;
}

export class MessageProjection implements Projection<Frame> {
  readonly #closedKeys = new Set<string>();
  #id = '';
  #model: string;
  #hasStarted = false;
  #open: OpenBlock | null = null;
  #blocks = 0;

  /** @param requestedModel the model as the caller named it; used until the log names the one that answers. */
  constructor(requestedModel: string) {
    this.#model = requestedModel;
  }

  /** @throws provider_malformed when the deltas of two tool calls are interleaved: this format cannot express that. */
  push(event: GenerationEvent): readonly Frame[] {
    switch (event.type) {
      case 'generation-start':
        this.#id = wireId('msg_', event.generationId);
        return [];
      case 'provider-start':
      case 'cache-hit':
        this.#model = candidateName(event);
        return [];
      case 'text-delta': {
        const { index, opening } = this.#blockFor('text', EMPTY_TEXT);
        return [...opening, deltaFrame(index, { type: 'text_delta', text: event.text })];
      }
      case 'reasoning-delta': {
        const block = { type: 'thinking', thinking: '', signature: '' } as const;
        const { index, opening } = this.#blockFor('thinking', block);
        return [...opening, deltaFrame(index, { type: 'thinking_delta', thinking: event.text })];
      }
      case 'tool-call-delta': {
        const block = toolUse(event.id, event.name, {});
        const { index, opening } = this.#blockFor(`call ${event.index}`, block);
        if (event.arguments === '') return opening;
        return [...opening, deltaFrame(index, { type: 'input_json_delta', partial_json: event.arguments })];
      }
      case 'generation-end':
        return [...this.#start(), ...this.#close(), ...endFrames(event)];
      default:
        return [];
    }
  }

  #start(): Frame[] {
    if (this.#hasStarted) return [];
    this.#hasStarted = true;
    const message = messageOf({ id: this.#id, model: this.#model, content: [], usage: NO_USAGE });
    return [{ type: 'message_start', message }];
  }

  #close(): Frame[] {
    if (this.#open === null) return [];
    const { key, index } = this.#open;
    this.#closedKeys.add(key);
    this.#open = null;
    return [{ type: 'content_block_stop', index }];
  }

  /** @returns the index of the block of this key, and the frames that must be sent first when it is not open yet. */
  #blockFor(key: string, block: ContentBlockStart): { readonly index: number; readonly opening: Frame[] } {
    if (this.#open?.key === key) return { index: this.#open.index, opening: [] };
    if (key.startsWith('call') && this.#closedKeys.has(key)) {
      throw new UnbrokenError('provider_malformed', 'The deltas of two tool calls are interleaved.');
    }
    const opening = [...this.#start(), ...this.#close()];
    const index = this.#blocks;
    this.#blocks += 1;
    this.#open = { key, index };
    opening.push({ type: 'content_block_start', index, content_block: block });
    return { index, opening };
  }
}

function endFrames({ finishReason, usage }: Extract<GenerationEvent, { type: 'generation-end' }>): Frame[] {
  return [
    {
      type: 'message_delta',
      delta: {
        stop_reason: toAnthropicStopReason(finishReason),
        stop_sequence: null,
        stop_details: null,
        container: null,
      },
      usage: toAnthropicUsage(usage),
    },
    { type: 'message_stop' },
  ];
}

type ContentBlockStart = Extract<Frame, { type: 'content_block_start' }>['content_block'];
type BlockDelta = Extract<Frame, { type: 'content_block_delta' }>['delta'];

function deltaFrame(index: number, delta: BlockDelta): Frame {
  return { type: 'content_block_delta', index, delta };
}

function toolUse(id: string, name: string, input: unknown) {
  return { type: 'tool_use' as const, id, name, input, caller: { type: 'direct' as const } };
}

/** The whole answer, for a request without `stream`. */
export function wholeMessage(requestedModel: string, answer: Answer): Message {
  const { generationId, text, reasoning, toolCalls, end } = answer;
  const content: ContentBlock[] = [
    ...(reasoning === '' ? [] : [{ type: 'thinking' as const, thinking: reasoning, signature: '' }]),
    ...(text === '' ? [] : [{ ...EMPTY_TEXT, text }]),
    ...toolCalls.map((call) => toolUse(call.id, call.name, parseToolInput(call.arguments))),
  ];
  const message = messageOf({
    id: wireId('msg_', generationId),
    model: answer.model ?? requestedModel,
    content,
    usage: end?.usage ?? NO_USAGE,
  });
  const finish = end?.type === 'generation-end' ? end.finishReason : 'stop';
  return { ...message, stop_reason: toAnthropicStopReason(finish) };
}

/** This format carries arguments as an object. Those that were cut are none, as at the vendor. */
function parseToolInput(argumentsJson: string): unknown {
  try {
    return JSON.parse(argumentsJson === '' ? '{}' : argumentsJson);
  } catch {
    return {};
  }
}

function messageOf({
  id,
  model,
  content,
  usage,
}: Pick<Message, 'id' | 'model' | 'content'> & { usage: Usage }): Message {
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content,
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    container: null,
    diagnostics: null,
    usage: {
      ...toAnthropicUsage(usage),
      cache_creation: toCacheCreation(usage),
      inference_geo: null,
      service_tier: null,
      speed: null,
    },
  };
}

/** Anthropic counts cached tokens apart: they are not part of `input_tokens`. */
function toAnthropicUsage(usage: Usage) {
  return {
    input_tokens: usage.inputTokens,
    cache_read_input_tokens: usage.cachedInputTokens,
    cache_creation_input_tokens: usage.cacheWriteTokens,
    output_tokens: outputTokensOf(usage),
    output_tokens_details: { thinking_tokens: usage.reasoningTokens },
    server_tool_use: null,
  } satisfies MessageDeltaUsage;
}

function toCacheCreation({ cacheWriteTokens, cacheWriteHourTokens = 0 }: Usage): CacheCreation {
  return {
    ephemeral_5m_input_tokens: cacheWriteTokens - cacheWriteHourTokens,
    ephemeral_1h_input_tokens: cacheWriteHourTokens,
  };
}

function toAnthropicStopReason(reason: FinishReason): StopReason {
  if (reason === 'tool-calls') return 'tool_use';
  if (reason === 'refusal' || reason === 'content-filter') return 'refusal';
  if (reason === 'pause') return 'pause_turn';
  return reason === 'length' ? 'max_tokens' : 'end_turn';
}
