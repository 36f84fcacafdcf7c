/** Thinking blocks of an answer. Their signature is the vendor's: it goes back with the block that it signs. */
import type {
  RawContentBlockDeltaEvent,
  RawContentBlockStartEvent,
  RawContentBlockStopEvent,
} from '@anthropic-ai/sdk/resources/messages';
import { textOfDelta } from '../answer-state.ts';
import type { ProviderEvent } from '../provider.ts';
import { ReasoningItems } from '../reasoning-items.ts';

type BlockEvent = RawContentBlockStartEvent | RawContentBlockDeltaEvent | RawContentBlockStopEvent;

export class ThinkingBlocks {
  readonly #items = new ReasoningItems();
  #thinking = '';
  #signature = '';

  *take(event: BlockEvent): Generator<ProviderEvent> {
    if (event.type === 'content_block_stop') yield* this.#end(event.index);
    else if (event.type === 'content_block_start') yield* this.#start(event);
    else if (event.delta.type === 'thinking_delta') {
      yield* this.#add(event.index, textOfDelta(event.delta.thinking));
    } else if (event.delta.type === 'signature_delta') {
      this.#signature += textOfDelta(event.delta.signature);
    }
  }

  *#start({ index, content_block: block }: RawContentBlockStartEvent): Generator<ProviderEvent> {
    [this.#thinking, this.#signature] = ['', ''];
    if (block.type === 'redacted_thinking') {
      const value = { type: block.type, data: textOfDelta(block.data) };
      yield { type: 'reasoning-data', data: { wire: 'anthropic-messages', value }, item: index };
    } else if (block.type === 'thinking') {
      // Compatible servers send the whole block at once.
      yield* this.#add(index, textOfDelta(block.thinking ?? ''));
      this.#signature = textOfDelta(block.signature ?? '');
    }
  }

  *#add(index: number, text: string): Generator<ProviderEvent> {
    if (text === '') return;
    this.#thinking += text;
    yield this.#items.textOf(index, text);
  }

  /** Compatible servers sign nothing, and still want it back. */
  *#end(index: number): Generator<ProviderEvent> {
    if (this.#signature === '' && this.#thinking === '') return;
    const value = { type: 'thinking', thinking: this.#thinking, signature: this.#signature };
    [this.#thinking, this.#signature] = ['', ''];
    yield { type: 'reasoning-data', data: { wire: 'anthropic-messages', value }, item: index };
  }
}
