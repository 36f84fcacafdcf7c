/**
 * The log probabilities of text that the guard still compares with what readers have. The guard writes all of it, or
 * only its end. Tokens that it leaves out, and one that it cuts in two, are given to no reader.
 */
import { type TokenLogprob, tokensOfEnd } from '../../contracts/token-logprobs.ts';

export class HeldLogprobs {
  #tokens: TokenLogprob[] = [];
  #chars = 0;

  hold(text: string, tokens: readonly TokenLogprob[] = []): void {
    this.#tokens.push(...tokens);
    this.#chars += text.length;
  }

  /** @param text what is written now of all that is held. */
  release(text: string): readonly TokenLogprob[] {
    const tokens = text.length === this.#chars ? this.#tokens : tokensOfEnd(this.#tokens, text);
    this.#tokens = [];
    this.#chars = 0;
    return tokens;
  }
}
