/**
 * Two things that have changed places while all around them stays: diesel in a petrol car, petrol in a diesel car. A
 * reworded prompt moves a phrase as a whole, or changes words around it.
 */
import { type Difference, wordSet } from './difference.ts';

/** Also the sign between two numbers: 7 / 2. */
const WORD = /[\p{L}\p{N}](?:[^\s]*[\p{L}\p{N}%])?|(?<=\d\s*)[/^÷](?=\s*\d)/gu;
/** Not the `A` of a column or a grade. */
const ARTICLE = /^(?:a|[Aa]n|AN|[Tt]he|THE)$/;
/** What stands on either side of these may change places: salt and pepper, the capital is what. */
export const SYMMETRIC = wordSet('and or nor vs versus plus be is are was were');
/** `compare tea with coffee`: which one comes first says nothing. */
const COMPARING = /\b(?:compar|differ|similar|versus|vs\b)/i;
/** They keep what follows them what it is: `in Rome with a friend`, `with a friend in Rome`. */
const MARKS = wordSet(
  'in on at of for with without from by about into onto over under through during before after since until if when ' +
    'while because as per via within between near inside outside',
);
/** A longer prompt has more words than a swap is worth looking for in. */
export const MOST_WORDS = 80;

/** @param baseOf the word that forms and adjectives of a word have in common: bake, France. */
export function differentExchange(
  prompt: string,
  other: string,
  baseOf: (word: string) => string,
): Difference | null {
  const wordsOf = (text: string) =>
    (text.replace(/(^|[.!?] )A /g, '$1a ').match(WORD) ?? [])
      .filter((word) => !ARTICLE.test(word))
      .map((word) => baseOf(word.toLowerCase()));
  const [own, theirs] = [wordsOf(prompt), wordsOf(other)];
  if (own.length !== theirs.length || own.length > MOST_WORDS || COMPARING.test(prompt)) return null;
  if ([...own].sort().join(' ') !== [...theirs].sort().join(' ')) return null;
  const first = own.findIndex((word, at) => word !== theirs[at]);
  if (first < 0) return null;
  const end = own.findLastIndex((word, at) => word !== theirs[at]) + 1;
  const [left, right] = [own.slice(first, end), theirs.slice(first, end)];
  const exchanged = exchangedWords(left, right) ?? exchangedPhrases(left, right);
  return exchanged === null ? null : { kind: 'roles', detail: exchanged };
}

/** Each of some words stands wherever another one of them stood: a round tin and a square one. */
function exchangedWords(left: readonly string[], right: readonly string[]): string | null {
  const other = new Map<string, string>();
  const between: string[] = [];
  for (const [at, word] of left.entries()) {
    const there = right[at] ?? '';
    if (word === there) between.push(word);
    else if (MARKS.has(word) || (other.get(word) ?? there) !== there) return null;
    else other.set(word, there);
  }
  const taken = new Set(other.values());
  const isExchange = taken.size === other.size && [...taken].every((word) => other.has(word));
  return isExchange && !isSymmetric(between) ? [...taken].join(' and ') : null;
}

/** The one stands before what is between them, the other behind it, and then the other way round. */
function exchangedPhrases(left: readonly string[], right: readonly string[]): string | null {
  const size = left.length;
  const start = (length: number) => isEqual(left.slice(0, length), right.slice(size - length));
  const ending = (length: number) => isEqual(left.slice(size - length), right.slice(0, length));
  for (let before = 1; before < size - 1; before += 1) {
    if (!start(before)) continue;
    for (let behind = 1; before + behind < size; behind += 1) {
      if (!ending(behind)) continue;
      const between = left.slice(before, size - behind);
      if (isSymmetric(between) || !isEqual(between, right.slice(behind, size - before))) continue;
      const phrases = [left.slice(0, before), left.slice(size - behind)];
      if (phrases.some(([start = '']) => MARKS.has(start))) continue;
      return phrases.map((phrase) => phrase.join(' ')).join(' and ');
    }
  }
  return null;
}

function isSymmetric(between: readonly string[]): boolean {
  return between.every((word) => SYMMETRIC.has(word));
}

function isEqual(some: readonly string[], others: readonly string[]): boolean {
  return some.every((word, at) => word === others[at]);
}
