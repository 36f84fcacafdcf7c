/**
 * Recognises an answer that was restarted behind another opening, or in partly other words: soon after its beginning it
 * has most of the word triples that the delivered answer begins with. A continuation has hardly any of them.
 */
const OPENING_WORDS = 24;
/** Fewer common triples may be a coincidence, so an answer of fewer than ten words is not compared. */
const LEAST_COMMON_TRIPLES = 8;
/** A restart shows within this many words, its own opening included. */
const HEARD_WORDS = 64;
const RESTARTED_SHARE = 0.45;
/** An answer whose later text has this share of its opening repeats itself, as tables and lists do. */
const SELF_REPEATED_SHARE = 0.3;

export class RepeatedOpening {
  readonly #opening: ReadonlySet<string>;
  #isOver: boolean;

  constructor(delivered: string) {
    const words = wordsOf(delivered);
    this.#opening = triplesOf(words.slice(0, OPENING_WORDS));
    this.#isOver =
      this.#opening.size < LEAST_COMMON_TRIPLES ||
      commonIn(this.#opening, triplesOf(words.slice(OPENING_WORDS))) >=
        SELF_REPEATED_SHARE * this.#opening.size;
  }

  /** False once the text is long enough to be a continuation. */
  get isWatching(): boolean {
    return !this.#isOver;
  }

  /** @param heard the continuation from its beginning. */
  isRestartedIn(heard: string): boolean {
    if (this.#isOver) return false;
    const words = wordsOf(heard);
    this.#isOver = words.length > HEARD_WORDS;
    const common = commonIn(this.#opening, triplesOf(words.slice(0, HEARD_WORDS)));
    return common >= Math.max(LEAST_COMMON_TRIPLES, RESTARTED_SHARE * this.#opening.size);
  }
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

function triplesOf(words: readonly string[]): ReadonlySet<string> {
  return new Set(words.slice(2).map((word, index) => `${words[index]} ${words[index + 1]} ${word}`));
}

function commonIn(triples: ReadonlySet<string>, others: ReadonlySet<string>): number {
  return [...triples].filter((triple) => others.has(triple)).length;
}
