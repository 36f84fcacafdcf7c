/**
 * What each item of a response has shown in one connection. Events that end an item repeat all of it, and some servers
 * say there what they have sent no delta of: the rest of a text, or all of it.
 */

/** How much of the end of a text is compared: enough to tell its continuation from another text. */
const END_CHARS = 64;

/** A text that grows. Of what it has, only the length and the end are kept. */
export class GrowingText {
  #chars = 0;
  #end = '';

  push(delta: string): void {
    this.#chars += delta.length;
    this.#end = `${this.#end}${delta}`.slice(-END_CHARS);
  }

  /** What of the whole text is still to come; '' if the whole does not continue it. */
  restOf(whole: string): string {
    return whole.slice(0, this.#chars).endsWith(this.#end) ? whole.slice(this.#chars) : '';
  }
}

export class StreamedItems {
  readonly #began = new Set<number>();
  readonly #texts = new Map<number, GrowingText>();
  readonly #annotations = new Map<number, number>();
  readonly #isWhole: boolean;

  /** @param isWhole whether the connection has all of the response: else an item may have had its text before. */
  constructor({ isWhole }: { readonly isWhole: boolean }) {
    this.#isWhole = isWhole;
  }

  noteStart(outputIndex: number): void {
    this.#began.add(outputIndex);
    this.#texts.delete(outputIndex);
    this.#annotations.delete(outputIndex);
  }

  noteText(outputIndex: number, delta: string): void {
    const text = this.#texts.get(outputIndex) ?? new GrowingText();
    text.push(delta);
    this.#texts.set(outputIndex, text);
  }

  noteAnnotation(outputIndex: number): void {
    this.#annotations.set(outputIndex, (this.#annotations.get(outputIndex) ?? 0) + 1);
  }

  isWithoutText(outputIndex: number): boolean {
    return !this.#texts.has(outputIndex) && this.#isKnown(outputIndex);
  }

  /** What of the item's whole text is still to come. */
  restOf(outputIndex: number, whole: string): string {
    if (!this.#isKnown(outputIndex)) return '';
    return this.#texts.get(outputIndex)?.restOf(whole) ?? whole;
  }

  /** The annotations of the item that no event has brought. */
  newAnnotations<Annotation>(outputIndex: number, all: readonly Annotation[]): readonly Annotation[] {
    return this.#isKnown(outputIndex) ? all.slice(this.#annotations.get(outputIndex) ?? 0) : [];
  }

  /** Whether this connection has had all of the item so far. */
  #isKnown(outputIndex: number): boolean {
    return this.#isWhole || this.#began.has(outputIndex);
  }
}
