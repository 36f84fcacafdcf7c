/** The log probabilities of a chat completion: they come in the chunk of their text, or in an empty one before it. */
import type { ChatCompletionChunk } from 'openai/resources/chat/completions';
import type { TokenLogprob } from '../../../contracts/token-logprobs.ts';
import { readOpenAiLogprobs } from '../openai-logprobs.ts';

/** What is read of a choice: vendors have added the thoughts, whose tokens are not those of the text. */
interface LogprobChoice extends Pick<ChatCompletionChunk.Choice, 'logprobs'> {
  readonly delta?: {
    readonly content?: unknown;
    readonly reasoning_content?: unknown;
    readonly reasoning?: unknown;
  };
}

export class ChatLogprobs {
  /** Of tokens that are only a part of a character: its text follows. */
  #held: readonly TokenLogprob[] = [];

  /** @returns those of the text in this chunk. */
  take({ logprobs, delta = {} }: LogprobChoice): readonly TokenLogprob[] {
    const { content } = delta;
    if (delta.reasoning_content || delta.reasoning) return [];
    const tokens = [...this.#held, ...readOpenAiLogprobs(logprobs?.content)];
    const hasText = typeof content === 'string' && content !== '';
    this.#held = hasText ? [] : tokens;
    return hasText ? tokens : [];
  }
}
