/**
 * What a model writes before a continuation although it was asked not to: a remark about continuing ("Sure, here is the
 * rest:"), or the fence of a code block that is open already. Neither is part of the answer.
 */

/** How remarks begin, in lower case; they are sentences, with a capital. Any other text is taken for the answer. */
const OPENERS = [
  'sure',
  'certainly',
  'of course',
  'absolutely',
  'okay',
  'ok',
  'alright',
  'understood',
  'got it',
  'no problem',
  'as requested',
  'sorry',
  "i'm sorry",
  'i apologize',
  'i apologise',
  'apologies',
  'my apologies',
  'continuing',
  'continued',
  'let me continue',
  "i'll continue",
  'i will continue',
  'here is',
  "here's",
  'here’s',
  'here are',
  'here it is',
  '(continu',
  '[continu',
];
/** What a remark is about; a line without any of it belongs to the answer. */
const ABOUT_CONTINUING =
  /continu|resum|\brest\b|remain|left off|pick(?:ing)? up|stopped|interrupt|cut off|\bagain\b|from the (?:start|beginning|top)|\b(?:full|whole|complete|entire) (?:answer|text|response|story|version)/i;
const MOST_REMARK_CHARS = 160;
const MOST_FENCE_CHARS = 60;

/** `undecided`: more text is needed to tell. */
type Preamble =
  | { readonly kind: 'undecided' | 'none' }
  /** `rest` follows the preamble, which is not part of the answer. */
  | { readonly kind: 'remark' | 'fence'; readonly rest: string };

const UNDECIDED: Preamble = { kind: 'undecided' };
const NONE: Preamble = { kind: 'none' };

/** @param delivered the text that the model was asked to continue. */
export function findPreamble(heard: string, delivered: string): Preamble {
  const remark = findRemark(heard, delivered);
  if (!('rest' in remark)) return remark.kind === 'undecided' ? remark : findFence(heard);
  const fence = findFence(remark.rest);
  return fence.kind === 'fence' && isInCodeBlock(delivered) ? { ...fence, kind: 'remark' } : remark;
}

function findRemark(heard: string, delivered: string): Preamble {
  const text = heard.trimStart();
  if (text !== '' && !/^[\p{Lu}([]/u.test(text)) return NONE;
  const lower = text.toLowerCase();
  if (OPENERS.some((opener) => opener.startsWith(lower))) return UNDECIDED;
  const opener = OPENERS.find((start) => lower.startsWith(start));
  if (opener === undefined) return NONE;
  // A word that only begins like one: okra, surely.
  if (/^[a-z]/.test(lower.slice(opener.length)) && !opener.endsWith('continu')) return NONE;
  const end = /:(?=\s)|\n/.exec(text);
  if (end === null) return text.length > MOST_REMARK_CHARS ? NONE : UNDECIDED;
  if (end.index > MOST_REMARK_CHARS || !ABOUT_CONTINUING.test(text.slice(0, end.index))) return NONE;
  return { kind: 'remark', rest: withoutSeparator(text.slice(end.index).replace(/^:/, ''), delivered) };
}

/** A blank line after the remark separates. So does a space, unless it is the one between two words of the answer. */
function withoutSeparator(text: string, delivered: string): string {
  const lineBreak = /^[ \t]*\n(?:[ \t]*\n)?/.exec(text);
  if (lineBreak !== null) return text.slice(lineBreak[0].length);
  return text.startsWith('  ') || /\s$/.test(delivered) ? text.slice(1) : text;
}

/** An opening fence that names a language: a closing one has no name (CommonMark 0.31, "Fenced code blocks"). */
function findFence(heard: string): Preamble {
  const text = heard.trimStart();
  if (/^(?:`{1,3}|~{1,3})$/.test(text)) return UNDECIDED;
  const fence = /^(?:```|~~~)[\w+#.-]+[ \t]*(\n|$)/.exec(text);
  if (fence === null) return NONE;
  if (fence[1] === '') return text.length > MOST_FENCE_CHARS ? NONE : UNDECIDED;
  return { kind: 'fence', rest: text.slice(fence[0].length) };
}

/** Whether a text ends inside a fenced code block. */
export function isInCodeBlock(text: string): boolean {
  return text
    .split('\n')
    .reduce((isOpen, line) => (/^\s{0,3}(?:```|~~~)/.test(line) ? !isOpen : isOpen), false);
}
