/**
 * The thoughts that a model writes before its answer, in tags, where its server leaves them in the text: MiniMax, and
 * servers of open models without a parser for them. Tags that stand anywhere else are text.
 */
const OPENING = '<think>';
const CLOSING = '</think>';

interface TaggedText {
  readonly isThought: boolean;
  readonly text: string;
}

export class ThinkTags {
  #state: 'start' | 'thought' | 'gap' | 'text' = 'start';
  /** What may be the beginning of a tag. */
  #held = '';
  #hasThought = false;

  /** What follows is text, whatever stands in it: the answer has begun, or the server keeps its thoughts apart. */
  stop(): void {
    if (this.#state === 'start') this.#state = 'text';
  }

  *take(delta: string): Generator<TaggedText> {
    this.#held += delta;
    if (this.#state === 'start') this.#begin();
    if (this.#state === 'thought') yield* this.#think();
    if (this.#state === 'gap') this.#skipGap();
    if (this.#state === 'text') yield* this.end();
  }

  /** Nothing follows. */
  *end(): Generator<TaggedText> {
    const text = this.#held;
    this.#held = '';
    if (text !== '' && this.#state !== 'gap') yield { isThought: this.#state === 'thought', text };
  }

  #begin(): void {
    const written = this.#held.trimStart();
    if (written.startsWith(OPENING)) {
      this.#state = 'thought';
      this.#held = written.slice(OPENING.length);
    } else if (!OPENING.startsWith(written)) this.#state = 'text';
  }

  *#think(): Generator<TaggedText> {
    const at = this.#held.indexOf(CLOSING);
    const until = at < 0 ? this.#held.length - endOfTag(this.#held) : at;
    const thought = this.#held.slice(0, until);
    const text = this.#hasThought ? thought : thought.trimStart();
    this.#held = this.#held.slice(at < 0 ? until : at + CLOSING.length);
    if (at >= 0) this.#state = 'gap';
    if (text === '') return;
    this.#hasThought = true;
    yield { isThought: true, text };
  }

  #skipGap(): void {
    this.#held = this.#held.trimStart();
    if (this.#held !== '') this.#state = 'text';
  }
}

/** How much of the end of a text may be the beginning of the closing tag. */
function endOfTag(text: string): number {
  let chars = Math.min(text.length, CLOSING.length - 1);
  while (chars > 0 && !text.endsWith(CLOSING.slice(0, chars))) chars -= 1;
  return chars;
}
