/**
 * When two texts have the same words, in any language. What a keyboard or an operating system writes in two ways is one
 * text; whatever could be part of the question stays as it is.
 */

/** A question about the characters themselves: there, each of them counts. */
const ABOUT_CHARACTERS =
  /unicode|code ?points?|\butf|\bnf[kcd]|bytes?\b|normali[sz]|combining|precomposed|diacritic|white ?space|trailing|line (?:end|feed|break)|newline|crlf/i;
const OUTER_SPACE = /^[\t\n\r \u3000]+|[\t\n\r \u3000]+$/g;

/** The form that is stored and compared: NFC, one kind of line end, no white space around it. */
export function canonicalText(text: string): string {
  if (ABOUT_CHARACTERS.test(text)) return text;
  return text.replace(/\r\n?/g, '\n').normalize('NFC').replace(OUTER_SPACE, '');
}

/** A text in which white space or the form of a letter can be the question: code, quotations, lists, lines. */
const EXACT_SIGNS = /["“”„«»「」『』‘’'`´\n\t\\{}[\]<>=|_#$@/:]/u;
/** Capitals of words as names and sentences have them. Turkish and Azeri have two letters i, which are not one. */
const CAPITALISED = /(?<![\p{L}\p{M}\p{N}.])(?![Iİ])\p{Lu}(?=\p{Ll})/gu;
const LEAST_CAPITALISED_CHARS = 4;
const WORD = /[\p{L}\p{M}]+/gu;
const END_MARKS: Readonly<Record<string, string>> = { '？': '?', '！': '!', '。': '', '．': '', '.': '' };

/**
 * True if one text is the other in another dress: more spaces, the width of the mark at the end, a full stop or no full
 * stop, the opening mark of Spanish, and capitals if one of the writers used none at all or they differ in the first
 * word alone. Units, abbreviations, short words, accents and all other signs must be equal.
 */
export function hasSameWords(text: string, other: string): boolean {
  const [left, right] = [canonicalText(text), canonicalText(other)];
  if (left === right) return true;
  if (EXACT_SIGNS.test(left) || EXACT_SIGNS.test(right)) return false;
  const [plainLeft, plainRight] = [plain(left), plain(right)];
  if (plainLeft === plainRight) return true;
  if (withLowerStart(plainLeft) === withLowerStart(plainRight)) return true;
  const isUncased = (words: string) => !/\p{Lu}/u.test(words);
  return (
    (isUncased(plainLeft) || isUncased(plainRight)) &&
    withoutCapitals(withLowerStart(plainLeft)) === withoutCapitals(withLowerStart(plainRight))
  );
}

/** Two conversations whose turns have the same words. */
export function haveSameWords(turns: readonly string[], others: readonly string[]): boolean {
  return turns.length === others.length && turns.every((turn, at) => hasSameWords(turn, others[at] ?? ''));
}

function plain(text: string): string {
  const spaced = text.replace(/[ \u3000]+/g, ' ').replace(/^[¿¡](?=.*[?!]$)/u, '');
  const last = spaced.at(-1) ?? '';
  const mark = END_MARKS[last];
  // An ellipsis, or 3. for the third, is not the end of a sentence.
  if (mark === undefined || /[\p{N}.。]$/u.test(spaced.slice(0, -1))) return spaced;
  return spaced.slice(0, -1).trimEnd() + mark;
}

function withLowerStart(text: string): string {
  const [first = ''] = text.match(WORD) ?? [];
  return text.startsWith(first) ? lowerStart(first) + text.slice(first.length) : text;
}

/** `Mg` and `mg` are signs; `Wo` is a word at the start of a sentence. */
function lowerStart(word: string): string {
  const isSign =
    word.length < LEAST_CAPITALISED_CHARS && !/[aeiouyAEIOUY]|[^A-Za-z]/u.test(word.normalize('NFD'));
  return isSign ? word : word.replace(CAPITALISED, (letter) => letter.toLowerCase());
}

function withoutCapitals(text: string): string {
  return text.replace(WORD, (word) =>
    word.length < LEAST_CAPITALISED_CHARS
      ? word
      : word.replace(CAPITALISED, (letter) => letter.toLowerCase()),
  );
}
