/**
 * Reads a text as words: lower case, contractions written out, numbers as digits. Quotations and characters that no
 * rule reads are kept exactly.
 */
import { toExact } from './exact-words.ts';
import { expandAbbreviation } from './normalise/abbreviations.ts';
import { expandContractions } from './normalise/contractions.ts';
import { joinNumbers } from './normalise/numbers.ts';
import { americanSpelling } from './normalise/spelling.ts';
import { readTimes } from './normalise/times.ts';

const QUOTATION = /"[^"\n]{1,500}"|“[^”\n]{1,500}”|`[^`\n]{1,500}`/gu;
/** The last alternative matches any other character, so no character goes unread. */
const TOKEN =
  /"[\u{F0000}-\u{FFFFF}]+|[$€£¥]|\d+(?:,\d{3})*(?:\.\d+)*|\p{L}[\p{L}\p{M}\d]*(?:[.'’]\p{L}[\p{L}\d]*)*(?:\+\+|#)?|[<>=+*/^%°&@|-]|[.,:;?!]|[^\s]/gu;
/** A word in capitals that may be an acronym. A longer word in capitals is stressed. */
const SHOUTED = /^\p{Lu}{2,3}$/u;
/** plsss, whyyy */
const STRETCHED = /(\p{L})\1{2,}/u;
const DIGIT = /^#?\d/;
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

export function readWords(text: string, isKnown: (word: string) => boolean): Words {
  const names = new Set<string>();
  const shouted = new Set<string>();
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
      if (SHOUTED.test(token)) shouted.add(token.toLowerCase());
    }
    startsSentence = /^(?:[.?!:]$|")/.test(token);
  }
  const words = joinNumbers(raw);
  return { words: words.flatMap((word, at) => writeOut(word, words, at)), names };

  function writeOut(word: string, all: readonly string[], at: number): readonly string[] {
    // HR is no hour, and SEC no second.
    if (shouted.has(word)) return [word];
    if (STRETCHED.test(word)) return writeOut(word.replace(STRETCHED, '$1'), all, at);
    const isBesideNumber = DIGIT.test(all[at - 1] ?? '') || DIGIT.test(all[at + 1] ?? '');
    return expandAbbreviation(word, isBesideNumber) ?? [americanSpelling(word, isKnown)];
  }
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
  const expanded = text
    .replaceAll('’', "'")
    // Named after a paragraph of a law; the number is not a quantity.
    .replace(/\b401 ?\(?k\)?(?!\w)/gi, 'plan401k')
    .replace(/(\d+(?:\.\d+)?)k\b/gi, (_, number) => String(Number(number) * 1_000))
    // A hyphen between words is read as a space. Between two numbers it is a sign.
    .replace(/(?<=\p{L})-(?=[\p{L}\d])|(?<=\d)-(?=\p{L})/gu, ' ');
  return expandContractions(readTimes(expanded));
}

/** `-20` is a number below zero; `2 - 20` and `2-20` are not. */
function isNegativeSign(text: string, index: number): boolean {
  return /\d/.test(text[index + 1] ?? '') && (index === 0 || /[\s(]/.test(text[index - 1] ?? ''));
}
