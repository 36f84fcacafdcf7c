/**
 * Folds a log into the events of Anthropic's messages stream. Source: the types of the official client,
 * RawMessageStreamEvent.
 */
import type {
  CacheCreation,
  ContentBlock,
  Message,
  RawMessageStreamEvent,
  RefusalStopDetails,
  StopReason,
  TextBlock,
  TextCitation,
} from '@anthropic-ai/sdk/resources/messages/messages';
import { candidateName } from '../../../contracts/candidate.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import { parseJson } from '../../../contracts/json.ts';
import { NO_USAGE, outputTokensOf, type Usage } from '../../../contracts/money.ts';
import type { Answer } from '../answer.ts';
import type { AnswerPart, AnswerReasoning } from '../answer-parts.ts';
import { noteOfPicture, pictureIn } from '../picture.ts';
import { ReasoningPlaces, type ReasoningSeal } from '../reasoning.ts';
import { type Projection, wireId } from '../wire.ts';
import { type BlockDelta, BlockQueue, type BlockStart } from './block-queue.ts';

const FORMAT = 'anthropic-messages';

type Frame = RawMessageStreamEvent;
type EventOf<Type extends GenerationEvent['type']> = Extract<GenerationEvent, { type: Type }>;

/** Without `citations`: the vendor leaves the key out, and clients take null for a fault, against the SDK's type. */
const EMPTY_TEXT = { type: 'text', text: '' } as TextBlock;

const EMPTY_THINKING = { type: 'thinking', thinking: '', signature: '' } as const;

export class MessageProjection implements Projection<Frame> {
  readonly #blocks = new BlockQueue();
  readonly #places = new ReasoningPlaces();
  #id = '';
  #model: string;
  #usage: Usage;
  #hasStarted = false;
  /** The kind of the newest block, and how many there were: both name it. */
  #kind = '';
  #count = 0;

  /**
   * @param requestedModel the model as the caller named it; used until the log names the one that answers.
   * @param roughInputTokens what the input may have; the last event has what it had.
   */
  constructor(requestedModel: string, roughInputTokens = 0) {
    this.#model = requestedModel;
    this.#usage = { ...NO_USAGE, inputTokens: roughInputTokens };
  }

  /** @throws provider_malformed if a tool call continues after its whole arguments: this format cannot express that. */
  push(event: GenerationEvent): readonly Frame[] {
    switch (event.type) {
      case 'generation-start':
        this.#id = wireId('msg_', event.generationId);
        return [];
      case 'provider-start':
        this.#model = candidateName(event);
        return [];
      case 'cache-hit':
        this.#model = candidateName(event);
        this.#usage = NO_USAGE;
        return [];
      case 'text-start':
        this.#kind = '';
        return [];
      case 'text-delta':
        return this.#write('text', EMPTY_TEXT, { type: 'text_delta', text: event.text });
      case 'annotation':
        if (event.format !== FORMAT || this.#kind !== 'text') return [];
        return this.#write('text', EMPTY_TEXT, citationsDelta(event.value));
      case 'reasoning-delta': {
        const { item, text } = this.#places.place(event);
        // The paragraphs of a block stay apart by a blank line.
        const thinking = this.#kind === `thinking ${item}` ? event.text : text;
        return this.#write(`thinking ${item}`, EMPTY_THINKING, { type: 'thinking_delta', thinking });
      }
      case 'reasoning-seal':
        return this.#seal(event);
      case 'native-part':
        return event.format === FORMAT ? this.#nativeBlock(event.value) : this.#note(event);
      case 'tool-call-delta':
        return this.#toolCall(event);
      case 'generation-end':
        return [...this.#start(), ...this.#blocks.end(), ...endFrames(event)];
      default:
        return [];
    }
  }

  #start(): Frame[] {
    if (this.#hasStarted) return [];
    this.#hasStarted = true;
    const message = messageOf({ id: this.#id, model: this.#model, content: [], usage: this.#usage });
    return [{ type: 'message_start', message }];
  }

  /** Adds to the newest block if it is of this kind, else to a new one. */
  #write(kind: string, start: BlockStart, delta: BlockDelta | null): Frame[] {
    if (this.#kind !== kind || kind === 'native') this.#count += 1;
    this.#kind = kind;
    return [...this.#start(), ...this.#blocks.write(`${kind} ${this.#count}`, start, delta)];
  }

  /** The signature of the newest block. What belongs to no thinking is a separate block, of which nothing is shown. */
  #seal({ item, sealed }: ReasoningSeal): Frame[] {
    if (item !== undefined && this.#kind === `thinking ${item}`) {
      return this.#write(this.#kind, EMPTY_THINKING, { type: 'signature_delta', signature: sealed });
    }
    this.#kind = '';
    return this.#write('seal', { type: 'redacted_thinking', data: sealed }, null);
  }

  #toolCall({ index, id, name, arguments: partial_json }: EventOf<'tool-call-delta'>): Frame[] {
    this.#kind = 'call';
    const delta = partial_json === '' ? null : { type: 'input_json_delta' as const, partial_json };
    return [...this.#start(), ...this.#blocks.write(`call ${index}`, toolUse(id, name, {}), delta)];
  }

  /** As the vendor streams it: the input of its tools and a summary as a delta, all else whole. */
  #nativeBlock(value: Readonly<Record<string, unknown>>): Frame[] {
    const { input } = value;
    if (value['type'] === 'compaction') return this.#compaction(value);
    const isCall = typeof input === 'object' && input !== null;
    const start = (isCall ? { ...value, input: {} } : value) as unknown as BlockStart;
    if (!isCall) return this.#write('native', start, null);
    return this.#write('native', start, { type: 'input_json_delta', partial_json: JSON.stringify(input) });
  }

  /** What a client of this format can learn of a picture. */
  #note(part: EventOf<'native-part'>): Frame[] {
    const picture = pictureIn(part);
    if (picture === null) return [];
    this.#kind = '';
    const frames = this.#write('text', EMPTY_TEXT, { type: 'text_delta', text: noteOfPicture(picture) });
    this.#kind = '';
    return frames;
  }

  #compaction({ content = null, ...rest }: Readonly<Record<string, unknown>>): Frame[] {
    const start = { ...rest, content: null } as unknown as BlockStart;
    // Its client takes each key that is there, so a key that the vendor left out stays out.
    const encrypted = 'encrypted_content' in rest ? { encrypted_content: rest['encrypted_content'] } : {};
    const delta = { type: 'compaction_delta', content, ...encrypted };
    return this.#write('native', start, delta as unknown as BlockDelta);
  }
}

function citationsDelta(value: Readonly<Record<string, unknown>>): BlockDelta {
  return { type: 'citations_delta', citation: value } as unknown as BlockDelta;
}

function endFrames(end: EventOf<'generation-end'>): Frame[] {
  return [
    {
      type: 'message_delta',
      delta: { ...stopFields(end), container: null },
      usage: toAnthropicUsage(end.usage),
      ...editsField(end),
    },
    { type: 'message_stop' },
  ];
}

/** A client that has asked for no edits has no type for them. */
function editsField({ appliedEdits }: EventOf<'generation-end'>): object {
  return appliedEdits === undefined ? {} : { context_management: { applied_edits: appliedEdits } };
}

function toolUse(id: string, name: string, input: unknown) {
  return { type: 'tool_use' as const, id, name, input, caller: { type: 'direct' as const } };
}

/** The whole answer, for a request without `stream`. */
export function wholeMessage(requestedModel: string, answer: Answer): Message {
  const { generationId, parts, end } = answer;
  const message = messageOf({
    id: wireId('msg_', generationId),
    model: answer.model ?? requestedModel,
    content: parts.flatMap(toContentBlock),
    usage: end?.usage ?? NO_USAGE,
  });
  return end?.type === 'generation-end'
    ? { ...message, ...stopFields(end), ...editsField(end) }
    : { ...message, stop_reason: 'end_turn' };
}

/** The answer to a request for no tokens: the one that it took is not part of it. */
export function withoutContent(message: Message): Message {
  return { ...message, content: [], stop_reason: 'max_tokens', stop_sequence: null, stop_details: null };
}

function toContentBlock(part: AnswerPart): ContentBlock[] {
  switch (part.type) {
    case 'text': {
      const citations = part.annotations.flatMap(({ format, value }) => (format === FORMAT ? [value] : []));
      const block = { ...EMPTY_TEXT, text: part.text };
      return [
        citations.length === 0 ? block : { ...block, citations: citations as unknown as TextCitation[] },
      ];
    }
    case 'reasoning':
      return [toThinking(part)];
    case 'tool-call':
      return [toolUse(part.id, part.name, parseToolInput(part.arguments))];
    default: {
      if (part.format === FORMAT) return [{ ...part.value } as unknown as ContentBlock];
      const picture = pictureIn(part);
      return picture === null ? [] : [{ ...EMPTY_TEXT, text: noteOfPicture(picture) }];
    }
  }
}

function toThinking({ text, sealed = '' }: AnswerReasoning): ContentBlock {
  if (text === '') return { type: 'redacted_thinking', data: sealed };
  return { ...EMPTY_THINKING, thinking: text, signature: sealed };
}

/** This format carries arguments as an object. Those that were cut are none, as at the vendor. */
function parseToolInput(argumentsJson: string): unknown {
  try {
    return parseJson(argumentsJson === '' ? '{}' : argumentsJson);
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
      inference_geo: null,
      service_tier: usage.serviceTier ?? null,
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
    // The vendor sends it with the first event of a stream, when we do not know it yet.
    cache_creation: toCacheCreation(usage),
    output_tokens: outputTokensOf(usage),
    output_tokens_details: { thinking_tokens: usage.reasoningTokens },
    server_tool_use: null,
  };
}

function toCacheCreation({ cacheWriteTokens, cacheWriteHourTokens = 0 }: Usage): CacheCreation {
  return {
    ephemeral_5m_input_tokens: cacheWriteTokens - cacheWriteHourTokens,
    ephemeral_1h_input_tokens: cacheWriteHourTokens,
  };
}

type StopFields = Pick<Message, 'stop_reason' | 'stop_sequence' | 'stop_details'>;

function stopFields({
  finishReason,
  stopSequence,
  refusal,
  vendorReason,
}: EventOf<'generation-end'>): StopFields {
  const isSequence = finishReason === 'stop' && stopSequence !== undefined;
  const isRefusal = finishReason === 'refusal';
  const details = { type: 'refusal' as const, category: refusal?.category ?? null };
  return {
    stop_reason: isSequence ? 'stop_sequence' : toAnthropicStopReason(finishReason, vendorReason),
    stop_sequence: isSequence ? stopSequence : null,
    stop_details: isRefusal
      ? ({ ...details, explanation: refusal?.text ?? null } as RefusalStopDetails)
      : null,
  };
}

function toAnthropicStopReason(reason: FinishReason, vendorReason: string | undefined): StopReason {
  switch (reason) {
    case 'tool-calls':
      return 'tool_use';
    case 'length':
      return vendorReason === 'model_context_window_exceeded' ? vendorReason : 'max_tokens';
    case 'refusal':
    case 'content-filter':
      return 'refusal';
    case 'pause':
      return vendorReason === 'compaction' ? (vendorReason as StopReason) : 'pause_turn';
    case 'stop':
      return 'end_turn';
  }
}
