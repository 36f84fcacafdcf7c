/**
 * A word that means exactly its characters: a quotation, or signs that no rule reads. It is spelled in characters for
 * private use, so that no rule for words can match inside it, and no prompt can contain one.
 */

/** Plane 15: one character for each UTF-16 unit. */
const FIRST = 0xf0000;
const EXACT = /^"?[\u{F0000}-\u{FFFFF}]*$/u;

export function toExact(text: string): string {
  return Array.from({ length: text.length }, (_, at) =>
    String.fromCodePoint(FIRST + text.charCodeAt(at)),
  ).join('');
}

/** The text that `toExact` spelled; the quotation mark before it is left out. */
export function fromExact(word: string): string {
  const spelled = [...word]
    .flatMap((character) => character.codePointAt(0) ?? [])
    .filter((code) => code >= FIRST);
  return String.fromCharCode(...spelled.map((code) => code - FIRST));
}

export function isExact(word: string): boolean {
  return word !== '' && EXACT.test(word);
}

/**
 * Control and format characters, tags, variation selectors, fillers, and code points that are private or unassigned: a
 * model may read them, and a person does not see them.
 */
const UNREADABLE = /[[\p{C}\p{Default_Ignorable_Code_Point}]--[\t\n\v\f\r]]/v;

export function isReadable(text: string): boolean {
  return !UNREADABLE.test(text);
}
