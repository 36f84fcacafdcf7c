/**
 * A text that arrives in parts, of which only the ends are looked at: the parts are put together when the whole is
 * read, and not with each part, which would take the square of its length.
 */
export class ArrivedText {
  /** The first two characters. */
  beginning = '';
  /** The last one that is not blank; '' if there is none. */
  lastCharacter = '';
  length = 0;
  #text = '';
  #parts: string[] = [];

  get isBlank(): boolean {
    return this.lastCharacter === '';
  }

  append(part: string): void {
    if (this.beginning.length < 2) this.beginning = (this.beginning + part).slice(0, 2);
    this.lastCharacter = part.trimEnd().at(-1) ?? this.lastCharacter;
    this.length += part.length;
    this.#parts.push(part);
  }

  whole(): string {
    if (this.#parts.length > 0) {
      this.#text += this.#parts.join('');
      this.#parts = [];
    }
    return this.#text;
  }
}
