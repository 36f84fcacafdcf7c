/**
 * The thoughts that a model writes before its answer, in tags, where its server leaves them in the text: MiniMax,
 * Gemini in this format, and servers of open models without a parser for them. Tags that stand anywhere else are text.
 */
const TAGS = [
  ['<think>', '</think>'],
  ['<thinking>', '</thinking>'],
  // Gemini API, "OpenAI compatibility": with `include_thoughts`.
  ['<thought>', '</thought>'],
  // Magistral's own tokens, where its server does not parse them.
  ['[THINK]', '[/THINK]'],
] as const;

interface TaggedText {
  readonly isThought: boolean;
  readonly text: string;
}

export class ThinkTags {
  #state: 'start' | 'thought' | 'gap' | 'text' = 'start';
  /** What may be the beginning of a tag. */
  #held = '';
  #hasThought = false;
  #closing: string = TAGS[0][1];

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
    const tag = TAGS.find(([opening]) => written.startsWith(opening));
    if (tag !== undefined) {
      this.#state = 'thought';
      this.#closing = tag[1];
      this.#held = written.slice(tag[0].length);
    } else if (!TAGS.some(([opening]) => opening.startsWith(written))) this.#state = 'text';
  }

  *#think(): Generator<TaggedText> {
    const closing = this.#closing;
    const at = this.#held.indexOf(closing);
    const until = at < 0 ? this.#held.length - endOfTag(this.#held, closing) : at;
    const thought = this.#held.slice(0, until);
    const text = this.#hasThought ? thought : thought.trimStart();
    this.#held = this.#held.slice(at < 0 ? until : at + closing.length);
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
function endOfTag(text: string, closing: string): number {
  let chars = Math.min(text.length, closing.length - 1);
  while (chars > 0 && !text.endsWith(closing.slice(0, chars))) chars -= 1;
  return chars;
}
