/**
 * Maps the content blocks of a message to our events. A block that only this format has, such as a call of the vendor's
 * own tool and its result, is passed on whole.
 */
import type {
  RawContentBlockDeltaEvent,
  RawContentBlockStartEvent,
  RawContentBlockStopEvent,
} from '@anthropic-ai/sdk/resources/messages';
import { type AnswerState, malformed, textOfDelta } from '../answer-state.ts';
import type { ProviderEvent } from '../provider.ts';
import { ThinkingBlocks } from './thinking.ts';

const FORMAT = 'anthropic-messages';

/** A block of the vendor's own while it grows. */
interface GrowingBlock {
  value: Readonly<Record<string, unknown>>;
  readonly inputDeltas: string[];
}

/** The SDK has it among the betas only. */
interface CompactionDelta {
  readonly type: 'compaction_delta';
  readonly content?: unknown;
  readonly encrypted_content?: unknown;
}

export class ContentBlocks {
  readonly #answer: AnswerState;
  readonly #thinking = new ThinkingBlocks();
  readonly #growing = new Map<number, GrowingBlock>();
  /** Of calls whose block came with its input. */
  readonly #wholeInputs = new Map<number, string>();
  /** Of the open text block: some of them come before its text. */
  #citations: object[] = [];
  /** Text blocks that follow each other are separate, because citations belong to one of them. */
  #lastType = '';
  /** The block that has started and not stopped: compatible servers leave its end out. */
  #openIndex: number | null = null;

  constructor(answer: AnswerState) {
    this.#answer = answer;
  }

  *start(event: RawContentBlockStartEvent): Generator<ProviderEvent> {
    const { index, content_block: block } = event;
    yield* this.#endOpen();
    this.#openIndex = index;
    const isNext = block.type === 'text' && this.#lastType === 'text';
    this.#lastType = block.type;
    switch (block.type) {
      case 'text':
        if (isNext) yield { type: 'text-start', part: 'block' };
        if (block.text) yield this.#answer.text(textOfDelta(block.text));
        this.#citations = [...(block.citations ?? [])];
        break;
      case 'tool_use': {
        const { id, name, input } = block;
        yield this.#answer.startToolCall(index, this.#answer.uniqueCallId(id), name);
        // Compatible servers send all arguments at once, some of them as deltas, too.
        const whole = typeof input === 'object' && input !== null ? JSON.stringify(input) : '{}';
        if (whole !== '{}') this.#wholeInputs.set(index, whole);
        break;
      }
      case 'thinking':
      case 'redacted_thinking':
        yield* this.#thinking.take(event);
        break;
      default:
        this.#growing.set(index, { value: { ...(block as object) }, inputDeltas: [] });
    }
  }

  *delta(event: RawContentBlockDeltaEvent): Generator<ProviderEvent> {
    const { index } = event;
    const delta = event.delta as RawContentBlockDeltaEvent['delta'] | CompactionDelta;
    switch (delta.type) {
      case 'text_delta':
        yield this.#answer.text(textOfDelta(delta.text));
        break;
      case 'thinking_delta':
      case 'signature_delta':
        yield* this.#thinking.take(event);
        break;
      case 'citations_delta':
        this.#citations.push(delta.citation);
        break;
      case 'input_json_delta': {
        const text = textOfDelta(delta.partial_json);
        const growing = this.#growing.get(index);
        if (text !== '') this.#wholeInputs.delete(index);
        if (growing === undefined) yield this.#answer.appendArguments(index, text);
        else growing.inputDeltas.push(text);
        break;
      }
      case 'compaction_delta': {
        const growing = this.#growing.get(index);
        if (growing !== undefined) growing.value = withCompaction(growing.value, delta);
        break;
      }
      default:
        break;
    }
  }

  *stop(event: RawContentBlockStopEvent): Generator<ProviderEvent> {
    const { index } = event;
    if (this.#openIndex === index) yield* this.#endOpen();
    yield* this.#wholeInput(index);
    if (this.#answer.hasToolCall(index)) yield* this.#answer.endToolCall(index);
    yield* this.#endGrowing(index);
  }

  /** The message ends, perhaps without the end of a block. */
  *end(): Generator<ProviderEvent> {
    yield* this.#endOpen();
    for (const index of [...this.#growing.keys()]) yield* this.#endGrowing(index);
    for (const index of [...this.#wholeInputs.keys()]) yield* this.#wholeInput(index);
  }

  /** Calls of tools are left open: some servers mix the arguments of several. */
  *#endOpen(): Generator<ProviderEvent> {
    if (this.#openIndex === null) return;
    yield* this.#thinking.take({ type: 'content_block_stop', index: this.#openIndex });
    this.#openIndex = null;
    for (const citation of this.#citations) {
      yield { type: 'annotation', format: FORMAT, value: { ...citation } };
    }
    this.#citations = [];
  }

  *#endGrowing(index: number): Generator<ProviderEvent> {
    const growing = this.#growing.get(index);
    if (growing === undefined) return;
    this.#growing.delete(index);
    yield this.#answer.nativePart(FORMAT, wholeBlock(growing));
  }

  *#wholeInput(index: number): Generator<ProviderEvent> {
    const whole = this.#wholeInputs.get(index);
    if (whole === undefined) return;
    this.#wholeInputs.delete(index);
    yield this.#answer.appendArguments(index, whole);
  }
}

/**
 * The summary of a block that stands for earlier turns; null: it could not be written. The vendor sends it whole,
 * others in several deltas. What is null in a delta stays as it was.
 */
function withCompaction(
  value: GrowingBlock['value'],
  { content, encrypted_content: encrypted }: CompactionDelta,
): GrowingBlock['value'] {
  const known = typeof value['content'] === 'string' ? value['content'] : '';
  const isWhole = typeof content === 'string' && content.startsWith(known);
  return {
    ...value,
    content: typeof content !== 'string' ? (value['content'] ?? null) : isWhole ? content : known + content,
    ...(typeof encrypted === 'string' ? { encrypted_content: encrypted } : {}),
  };
}

function wholeBlock({ value, inputDeltas }: GrowingBlock): Readonly<Record<string, unknown>> {
  const written = inputDeltas.join('');
  if (written === '') return value;
  try {
    return { ...value, input: JSON.parse(written) };
  } catch {
    throw malformed('a block whose input is not JSON');
  }
}
