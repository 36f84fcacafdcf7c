/**
 * Finds what of each prompt the other one lacks: words without an equal, a synonym, a typing error or an abbreviation
 * in the other, and numbers without an equal. The kinds of difference are decided on what is left over.
 */

import type { Lexicon } from './lexicon.ts';
import { findWrittenOut, isShortFor } from './normalise/abbreviations.ts';
import { isTypoOf } from './normalise/spelling.ts';
import { MONTHS } from './normalise/times.ts';
import type { Facts, FactWord } from './read-facts.ts';
import { compareNumbers, type NumberFact } from './read-numbers.ts';
import type { WordNet } from './wordnet.ts';

export interface Side {
  readonly facts: Facts;
  readonly words: readonly FactWord[];
  readonly numbers: readonly NumberFact[];
  /** Words of any kind that the other prompt lacks, such as `if`. */
  readonly telling: ReadonlySet<string>;
}

export interface Comparison {
  readonly left: Side;
  readonly right: Side;
  /** The share of words that have a counterpart. */
  readonly overlap: number;
  /** One prompt is the other with little changed: then a changed number or name counts, wherever it stands. */
  readonly isClose: boolean;
  /** A word or two stand in place of others. */
  readonly isExchange: boolean;
  /** Hardly a word has changed: then each telling word counts. */
  readonly isTight: boolean;
  readonly areOpposites: (a: string, b: string) => boolean;
  /** The word itself, and what the lexicon has for it: enable, turn on. */
  readonly aliasesOf: (lemma: string) => readonly string[];
  readonly hasTypos: boolean;
}

interface Dictionary {
  readonly wordNet: WordNet;
  readonly lexicon: Lexicon;
  readonly areOpposites: (a: string, b: string) => boolean;
}

/** Shares of the words of both prompts that have no counterpart. */
const CLOSE = 0.3;
const TIGHT = 0.12;
/** A word or phrase in place of another, in a prompt that has more. */
const MOST_EXCHANGED = 2;
const FEWEST_AROUND_EXCHANGE = 4;
/** Words that are compared with each other for typing errors; more are not two versions of one prompt. */
const MOST_LEFT_OVER = 60;

export function compareFacts(left: Facts, right: Facts, dictionary: Dictionary): Comparison {
  const onlyLeft = withoutEquals(left, right, dictionary);
  const onlyRight = withoutEquals(right, left, dictionary);
  const rewritten = new Set<FactWord>();
  const [freeLeft, freeRight] = [onlyLeft.slice(0, MOST_LEFT_OVER), onlyRight.slice(0, MOST_LEFT_OVER)];
  const hasTypos =
    joinSpellings(freeLeft, freeRight, right, rewritten) ||
    joinSpellings(freeRight, freeLeft, left, rewritten);
  const rest = (words: readonly FactWord[]) => words.filter((word) => !rewritten.has(word));
  const [leftWords, rightWords] = [rest(onlyLeft), rest(onlyRight)];
  const total = left.words.length + right.words.length;
  const isFew = (words: readonly FactWord[]) => words.length > 0 && words.length <= MOST_EXCHANGED;
  const isExchange = isFew(leftWords) && isFew(rightWords) && total >= FEWEST_AROUND_EXCHANGE;
  const overlap = total === 0 ? 1 : 1 - (leftWords.length + rightWords.length) / total;
  return {
    left: {
      facts: left,
      words: leftWords,
      numbers: numbersWithoutEqual(left.numbers, right),
      telling: difference(left, right),
    },
    right: {
      facts: right,
      words: rightWords,
      numbers: numbersWithoutEqual(right.numbers, left),
      telling: difference(right, left),
    },
    overlap,
    isClose: leftWords.length + rightWords.length <= Math.max(2, total * CLOSE),
    isExchange,
    isTight: leftWords.length + rightWords.length <= Math.max(1, total * TIGHT),
    areOpposites: dictionary.areOpposites,
    aliasesOf: (lemma) => aliasesOf(lemma, dictionary.lexicon),
    hasTypos,
  };
}

function aliasesOf(lemma: string, { meanings, members }: Lexicon): string[] {
  return [lemma, ...[...(meanings.get(lemma) ?? [])].flatMap((line) => members[line] ?? [])];
}

function difference(own: Facts, other: Facts): ReadonlySet<string> {
  const theirs = new Set(other.all);
  return new Set(own.all.filter((word) => !theirs.has(word)));
}

function withoutEquals(own: Facts, other: Facts, { wordNet, lexicon, areOpposites }: Dictionary): FactWord[] {
  return own.words.filter((word) => {
    const { lemma } = word;
    if (other.lemmas.has(lemma) || other.lemmas.has(word.word) || other.nouns.has(lemma)) return false;
    for (const line of lexicon.meanings.get(lemma) ?? []) if (other.meanings.has(line)) return false;
    const { synonyms, derived, pertains } = wordNet.relations(lemma);
    for (const synonym of synonyms.keys())
      if (other.lemmas.has(synonym) && !areOpposites(synonym, lemma)) return false;
    for (const relative of derived) if (other.lemmas.has(relative)) return false;
    for (const noun of pertains) if (other.lemmas.has(noun)) return false;
    return !isWrittenApart(word, other);
  });
}

/** `drop-in` and `dropin`, `mx-5` and `mx5`, `win10` and `windows 10`: the same letters in the other prompt. */
function isWrittenApart({ word, isKnown }: FactWord, other: Facts): boolean {
  const squeezed = word.replace(/[^\p{L}\p{N}]+/gu, '');
  if (squeezed.length < 3) return false;
  return (!isKnown || squeezed.length > 4) && other.squeezed.includes(squeezed);
}

/** Adds to `rewritten` the words that are others in another spelling. @returns whether one has a typing error. */
function joinSpellings(
  own: readonly FactWord[],
  others: readonly FactWord[],
  other: Facts,
  rewritten: Set<FactWord>,
): boolean {
  let hasTypos = false;
  for (const word of own) {
    if (word.isKnown) continue;
    const short = other.words.find((written) => isShortFor(word.word, written.word));
    const written = short === undefined ? findWrittenOut(word.word, other.all) : null;
    const meant =
      short ?? [...others, ...other.words].find((candidate) => isTypoOf(word.word, candidate.word));
    // A word such as `should` is compared with none, but may be mistyped.
    const isTypo = meant !== undefined || other.all.some((candidate) => isTypoOf(word.word, candidate));
    if (!isTypo && written === null) continue;
    hasTypos ||= short === undefined && written === null;
    rewritten.add(word);
    for (const each of others) if (each === meant || written?.includes(each.at)) rewritten.add(each);
  }
  return hasTypos;
}

function numbersWithoutEqual(own: readonly NumberFact[], other: Facts): NumberFact[] {
  return own.filter(
    (number) =>
      !number.isImplied &&
      !other.numbers.some((each) => compareNumbers(number, each) === 'same') &&
      !isInName(number, other) &&
      !isPartOfTime(number, other),
  );
}

/** PS5 and PlayStation 5; win10 and Windows 10; 14/10 and 14 October. */
function isInName({ word }: NumberFact, { words, all }: Facts): boolean {
  const digits = word.replace(/\D/g, '');
  if (MONTHS.some((month, index) => index + 1 === Number(word) && all.includes(month))) return true;
  return words.some(({ word: name }) => /\d/.test(name) && name.match(/\d+/g)?.includes(digits) === true);
}

/** `six forty five` and 6:45. */
function isPartOfTime(number: NumberFact, { numbers }: Facts): boolean {
  const hasCount = (value: number) =>
    numbers.some(({ kind, values }) => kind === 'count' && values.includes(value));
  const partsOf = ({ values: [minutes = 0] }: NumberFact) => [(minutes / 60) | 0, minutes % 60] as const;
  if (number.kind === 'clock') {
    const [hour, minute] = partsOf(number);
    return (hasCount(hour) || hasCount(hour % 12)) && hasCount(minute);
  }
  const [value = 0] = number.values;
  return numbers.some((clock) => {
    const [hour, minute] = partsOf(clock);
    return clock.kind === 'clock' && minute > 0 && (value === minute || value % 12 === hour % 12);
  });
}
