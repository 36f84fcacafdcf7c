/**
 * Reads a text as words: lower case, contractions written out, numbers as digits. Quotations and characters that no
 * rule reads are kept exactly.
 */
import { isExact, toExact } from './exact-words.ts';

/** Written out before anything else is read. */
const CONTRACTIONS: readonly (readonly [RegExp, string])[] = [
  [/\bcan['’]?t\b|\bcannot\b/g, 'can not'],
  [/\bwon['’]t\b/g, 'will not'],
  [/\bshan['’]t\b/g, 'shall not'],
  [/n['’]t\b/g, ' not'],
  [/\b(i|you|we|they)['’]ve\b/g, '$1 have'],
  [/\b(i|you|we|they|he|she|it)['’]ll\b/g, '$1 will'],
  [/\b(i|you|we|they|he|she)['’]d (like|love|rather)\b/g, '$1 would $2'],
  [/\bi['’]m\b/g, 'i am'],
  [/\b(you|we|they)['’]re\b/g, '$1 are'],
  [/\b(what|who|where|when|how|why|it|that|there|here|he|she|which)['’]s\b/g, '$1 is'],
  [/\blet['’]s\b/g, 'let us'],
];

const NUMBER_WORDS =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen ' +
  'eighteen nineteen';
const TENS = 'twenty thirty forty fifty sixty seventy eighty ninety';
const ORDINALS = 'zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth';
const VALUES = new Map<string, number>([
  ...NUMBER_WORDS.split(' ').map((word, value) => [word, value] as const),
  ...TENS.split(' ').map((word, index) => [word, (index + 2) * 10] as const),
]);
const SCALES = new Map([
  ['hundred', 100],
  ['thousand', 1_000],
  ['million', 1_000_000],
  ['billion', 1_000_000_000],
]);
const ORDINAL_VALUES = new Map(ORDINALS.split(' ').map((word, value) => [word, value]));
const CURRENCIES = new Map([
  ['$', 'dollar'],
  ['€', 'euro'],
  ['£', 'pound'],
  ['¥', 'yen'],
]);

const QUOTATION = /"[^"\n]{1,500}"|“[^”\n]{1,500}”|`[^`\n]{1,500}`/gu;
/** The last alternative matches any other character, so no character goes unread. */
const TOKEN =
  /"[\u{F0000}-\u{FFFFF}]+|[$€£¥]|\d+(?:,\d{3})*(?:\.\d+)*|\p{L}[\p{L}\p{M}\d]*(?:[.'’]\p{L}[\p{L}\d]*)*(?:\+\+|#)?|[<>=+*/^%°&@|-]|[.,:;?!]|[^\s]/gu;
/** Ends a sentence or clause if it stands between a word and a space; else it is part of a formula or name. */
const PUNCTUATION = /^[.,:;?!]$/;

interface Words {
  /**
   * Lower case; `¶` ends a sentence, `,` and `:` stay; a number is its digits, an ordinal `#2`. A quotation is `"` and
   * its exact word; a run of other characters is one exact word.
   */
  readonly words: readonly string[];
  /** Names, which are words with a capital inside a sentence; in lower case. */
  readonly names: ReadonlySet<string>;
}

export function readWords(text: string): Words {
  const names = new Set<string>();
  let startsSentence = true;
  const raw: string[] = [];
  const expanded = expand(keepQuotations(text.normalize('NFC')));
  let symbolEnd = -1;
  for (const match of expanded.matchAll(TOKEN)) {
    const [token] = match;
    if (isSymbol(token, expanded, match.index)) {
      const symbol = toExact(token);
      if (symbolEnd === match.index) raw.push((raw.pop() ?? '') + symbol);
      else raw.push(symbol);
      symbolEnd = match.index + token.length;
    } else if (token.startsWith('"')) {
      raw.push(token);
    } else {
      const isSign = token === '-' && isNegativeSign(expanded, match.index);
      raw.push(isSign ? 'negative' : token.toLowerCase());
      if (/^\p{Lu}/u.test(token) && token !== 'I' && (!startsSentence || /^.+\p{Lu}/u.test(token))) {
        names.add(token.toLowerCase());
      }
    }
    startsSentence = /^[.?!:]$/.test(token);
  }
  return { words: joinNumbers(raw), names };
}

/** Before any rewriting: a quotation counts letter by letter, except the full stop of the sentence around it. */
function keepQuotations(text: string): string {
  return text.replace(QUOTATION, (quotation) => {
    const inside = quotation.slice(1, -1).replace(/(?<=\p{L})[.,]$/u, '');
    return `"${toExact(inside)}`;
  });
}

/** True for a token that the rules of words, numbers and sentences do not read. */
function isSymbol(token: string, text: string, index: number): boolean {
  if (PUNCTUATION.test(token)) {
    const [before, after] = [text[index - 1] ?? '', text[index + 1] ?? ''];
    // 5! is a number, and 3:2 a ratio.
    const endsWord = token === '!' ? /[\p{L}\p{M}]/u : /[\p{L}\p{M}\p{N}%)+#\uDC00-\uDFFF]/u;
    return !(endsWord.test(before) && /^\s?$/.test(after));
  }
  // 5% is a share; 5%2 and % alone are of a formula or a program.
  if (token === '%')
    return !(
      /\d\s?$/.test(text.slice(Math.max(0, index - 2), index)) &&
      /^(?![\p{L}\p{N}])/u.test(text.slice(index + 1, index + 3))
    );
  return !/^["$€£¥\d<>=+*/^%°&@|-]|^\p{L}/u.test(token) || token === '"';
}

/** The case of letters is kept, because it marks names. */
function expand(text: string): string {
  let expanded = text
    .replaceAll('’', "'")
    // Named after a paragraph of a law; the number is not a quantity.
    .replace(/\b401 ?\(?k\)?(?!\w)/gi, 'plan401k')
    .replace(/(\d+(?:\.\d+)?)k\b/gi, (_, number) => String(Number(number) * 1_000))
    // A hyphen between words is read as a space. Between two numbers it is a sign.
    .replace(/(?<=\p{L})-(?=[\p{L}\d])|(?<=\d)-(?=\p{L})/gu, ' ');
  for (const [pattern, replacement] of CONTRACTIONS) {
    expanded = expanded.replace(new RegExp(pattern.source, 'gi'), replacement);
  }
  return expanded;
}

/** `-20` is a number below zero; `2 - 20` and `2-20` are not. */
function isNegativeSign(text: string, index: number): boolean {
  return /\d/.test(text[index + 1] ?? '') && (index === 0 || /[\s(]/.test(text[index - 1] ?? ''));
}

function joinNumbers(raw: readonly string[]): string[] {
  const words: string[] = [];
  for (let index = 0; index < raw.length; ) {
    const number = readNumber(raw, index);
    if (number !== null) {
      if (number.currency !== null) words.push(number.value, number.currency);
      else words.push(number.value);
      index = number.next;
      continue;
    }
    const word = raw[index] ?? '';
    words.push(...readWord(word, raw[index - 1]));
    index += 1;
  }
  return words;
}

function readWord(word: string, before: string | undefined): string[] {
  if (word.endsWith("'s")) return [word.slice(0, -2), "'s"];
  if (word.endsWith("'")) return [word.slice(0, -1), "'s"];
  if (/^[.?!;]$/.test(word)) return ['¶'];
  if (word === '%') return ['percent'];
  const ordinal = ORDINAL_VALUES.get(word);
  if (ordinal !== undefined && !(word === 'second' && before === 'per')) return [`#${ordinal}`];
  return [word];
}

interface NumberRead {
  readonly value: string;
  readonly currency: string | null;
  readonly next: number;
}

/** `two hundred`, `$10k`, `10,000`, `-3`, `1st`. */
function readNumber(raw: readonly string[], from: number): NumberRead | null {
  let index = from;
  const currency = CURRENCIES.get(raw[index] ?? '') ?? null;
  if (currency !== null) index += 1;
  const isNegative = raw[index] === 'negative';
  if (isNegative) index += 1;
  const first = raw[index] ?? '';
  // 007 is not a number: it is part of a name.
  if (/^0\d/.test(first)) return null;
  const digits = /^\d/.test(first);
  let value = digits ? Number(first.replaceAll(',', '')) : VALUES.get(first);
  if (value === undefined) return null;
  // `a new one` counts nothing.
  const after = raw[index + 1] ?? '';
  const isPronoun =
    /^[.,:;?!]?$/.test(after) || isExact(after) || /^(which|this|that|another)$/.test(raw[index - 1] ?? '');
  if (first === 'one' && isPronoun) return null;
  // A version such as 3.12.1 is not a number and stays as it is.
  if (Number.isNaN(value)) return { value: first, currency, next: index + 1 };
  const isDecimal = first.includes('.');
  index += 1;
  for (;;) {
    const word = raw[index] ?? '';
    const unit = raw[index] === '-' ? VALUES.get(raw[index + 1] ?? '') : VALUES.get(word);
    const scale = SCALES.get(word);
    if (scale !== undefined) {
      value *= scale;
      index += 1;
    } else if (!digits && unit !== undefined && unit < 10 && value >= 20 && value % 10 === 0) {
      value += unit;
      index += word === '-' ? 2 : 1;
    } else break;
  }
  if (digits && /^(st|nd|rd|th)$/.test(raw[index] ?? ''))
    return { value: `#${value}`, currency, next: index + 1 };
  const written = isDecimal && value === Number(first) ? first.replaceAll(',', '') : String(value);
  return { value: isNegative ? `-${written}` : written, currency, next: index };
}
