/**
 * Letters that a model without capitals and accents does not see, where they make another word (US and us, mW and MW,
 * sí and si), and each letter of a text that the prompt is about.
 */
import { isInCapitals } from '../normalise/signs.ts';
import { withoutMarks } from '../normalise/spelling.ts';
import { MONTHS } from '../normalise/times.ts';
import { FREE_NAMES, type Writing } from '../writing.ts';
import { type Difference, wordSet } from './difference.ts';

/** A quotation is compared as a quotation. */
const QUOTED = /["“`][^"“”`\n]+["”`]/u;

interface LetterGrammar {
  readonly isCommon: (word: string) => boolean;
  readonly lemmatize: (word: string) => string;
  readonly areSynonyms: (a: string, b: string) => boolean;
}

/** In capitals they are names; other small words in capitals are stressed. */
const ALSO_ACRONYMS = wordSet('us it who aids pin ram');
/** Other words with a capital. */
const ALSO_NAMES = wordSet(
  'polish china turkey nice reading bath cork chile lima jersey mobile bill mark frank rose grace hope grant pat rob sue jack ' +
    'dean drew chase miles art gene apple amazon shell visa target gap',
);
const FEWEST_IN_CAPITALS = 2;
const MOST_IN_CAPITALS = 4;
const UNIT = /\d\s?(\p{L}{2,3})(?![\p{L}\d])/gu;
const OPTION = /(?<=\s-)\p{L}(?!\p{L})/gu;
const IDENTIFIER = /(?<![\p{L}\d])\p{Ll}+(?:\p{Lu}\p{L}*)+/gu;
/** The prompt asks about the letters, the sound or the translation of what it names. */
const ABOUT_LETTERS =
  /\b(?:spell(?:ed|ing|t)?|rhymes? with|vowels?|consonants?|syllables?|letters (?:are|in|of|does)|plural of|past tense of|antonyms?|synonyms?|opposite of|translate|pronounc\w*|pronunciation|anagrams?|palindromes?|md5|sha-?\d+|base64|encode|decode|count the (?:words|letters|vowels|characters)|how (?:do|would|to) (?:you |i |we )?say|say in)\b/i;
/** The text behind the colon is what something is done to. */
const OPERATION =
  /^[^:]{0,60}\b(?:fix|edit|correct|proofread|shorten|simplify|summari[sz]e|sort|count|reverse|classify|translate|rewrite|rephrase|spaces|lines|valid|grammar|spelling|sentiment)\b[^:]{0,60}:\s*(\S[\s\S]*)$/i;

const THANKS =
  /\b(?:please|pls|plz|(?:many )?(?:thanks|thank you|thx)(?: (?:so|very) much| a lot| in advance)?)[\s.!]{0,8}$/i;
const QUOTATION = /^["“]([^"“”]*)["”]$/u;

export function differentLetters(
  prompt: string,
  other: string,
  [left, right]: readonly [Writing, Writing],
  grammar: LetterGrammar,
): Difference | null {
  const detail =
    differentCase(prompt, other, [left, right]) ??
    differentMarks(prompt, other, grammar) ??
    differentText(prompt, other, grammar);
  return detail === null ? null : { kind: 'symbol', detail };
}

function differentCase(
  prompt: string,
  other: string,
  [left, right]: readonly [Writing, Writing],
): string | null {
  for (const pattern of [UNIT, OPTION, IDENTIFIER]) {
    const [first, second] = [formsOf(prompt, pattern), formsOf(other, pattern)];
    for (const [lower, form] of first) {
      const counterpart = second.get(lower);
      const areBothWritten =
        pattern === OPTION || (/\p{Lu}/u.test(form) && /\p{Lu}/u.test(counterpart ?? ''));
      if (counterpart !== undefined && counterpart !== form && areBothWritten)
        return `${form} and ${counterpart}`;
    }
  }
  if (isInCapitals(prompt) || isInCapitals(other)) return null;
  // Who writes no capitals says nothing by a small letter.
  if (![prompt, other].every((text) => /^\P{L}*\p{Lu}/u.test(text))) return null;
  for (const [word, forms] of left.forms) {
    const theirs = right.forms.get(word);
    if (
      theirs === undefined ||
      word.length < FEWEST_IN_CAPITALS ||
      FREE_NAMES.has(word) ||
      MONTHS.includes(word)
    )
      continue;
    const [first, second] = [forms[0] ?? '', theirs[0] ?? ''];
    if (first === '' || second === '' || first === second) continue;
    const isCapitals = [first, second].some(
      (form) =>
        form === form.toUpperCase() && form.length >= FEWEST_IN_CAPITALS && form.length <= MOST_IN_CAPITALS,
    );
    const isSmall = first === word || second === word;
    if (!isSmall) continue;
    if (isCapitals ? ALSO_ACRONYMS.has(word) : ALSO_NAMES.has(word)) return `${first} and ${second}`;
  }
  return null;
}

function formsOf(text: string, pattern: RegExp): Map<string, string> {
  return new Map(
    [...text.matchAll(pattern)].map((match) => [(match[1] ?? match[0]).toLowerCase(), match[1] ?? match[0]]),
  );
}

/** `cafe` is `café`; other words without their marks are other words. */
function differentMarks(
  prompt: string,
  other: string,
  { isCommon, lemmatize }: LetterGrammar,
): string | null {
  const [first, second] = [markedWords(prompt), markedWords(other)];
  const [bareFirst, bareSecond] = [wordsOf(prompt), wordsOf(other)];
  for (const [marked, bare, own, theirs] of [
    ...[...first].map(([marked, bare]) => [marked, bare, bareFirst, bareSecond] as const),
    ...[...second].map(([marked, bare]) => [marked, bare, bareSecond, bareFirst] as const),
  ]) {
    if (theirs.has(marked) || !theirs.has(bare)) continue;
    const isEnglish = isCommon(lemmatize(bare)) && !own.has(bare);
    if (!isEnglish && /^\p{Ll}/u.test(marked)) return `${marked} and ${bare}`;
  }
  return null;
}

function wordsOf(text: string): Set<string> {
  return new Set(text.normalize('NFC').match(/\p{L}[\p{L}\p{M}]*/gu));
}

function markedWords(text: string): Map<string, string> {
  const marked = new Map<string, string>();
  for (const word of wordsOf(text)) {
    const bare = withoutMarks(word);
    if (bare !== word) marked.set(word, bare);
  }
  return marked;
}

/** A word of the text in another form, where normalising would make both one. */
function differentText(prompt: string, other: string, grammar: LetterGrammar): string | null {
  const [material, materialToo] = [OPERATION.exec(prompt)?.[1], OPERATION.exec(other)?.[1]];
  const plain = (text: string) => {
    const rest = text
      .replace(THANKS, '')
      .replace(/[\s,.;!]{1,8}$/, '')
      .trim();
    return (QUOTATION.exec(rest)?.[1] ?? rest).replace(/[.?!]+$/, '');
  };
  if (material !== undefined && materialToo !== undefined && plain(material) !== plain(materialToo))
    return 'the text';
  if ([prompt, other].some((text) => QUOTED.test(text))) return null;
  if (!ABOUT_LETTERS.test(prompt) || !ABOUT_LETTERS.test(other)) return null;
  const [words, wordsToo] = [rawWords(prompt), rawWords(other)];
  const onlyFirst = [...words].filter((word) => !wordsToo.has(word));
  const onlySecond = [...wordsToo].filter((word) => !words.has(word));
  for (const word of onlyFirst) {
    for (const counterpart of onlySecond) {
      if (isMerged(word, counterpart, grammar)) return `${word} and ${counterpart}`;
    }
  }
  return null;
}

function rawWords(text: string): Set<string> {
  const words = text.match(/[\p{L}\p{M}\p{N}'’]+/gu) ?? [];
  return new Set(words.filter((word, at) => at > 0 && !ABOUT_LETTERS.test(word)));
}

function isMerged(a: string, b: string, { lemmatize, areSynonyms }: LetterGrammar): boolean {
  const [first, second] = [lemmatize(a.toLowerCase()), lemmatize(b.toLowerCase())];
  if (first === second || areSynonyms(first, second)) return true;
  const isNumber = (word: string) => /^\d+$/.test(word);
  return isNumber(a) !== isNumber(b) && NUMBER_WORD.test(isNumber(a) ? b : a);
}

const NUMBER_WORD =
  /^(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty|hundred)$/i;
