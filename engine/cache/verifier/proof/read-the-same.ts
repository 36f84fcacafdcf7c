/**
 * Two prompts that are read the same, word by word: they differ only by courtesy, typing errors, abbreviations and
 * articles.
 */
import { isShortFor } from '../normalise/abbreviations.ts';
import { isTypoOf } from '../normalise/spelling.ts';
import type { Facts } from '../read-facts.ts';

const ARTICLES = new Set(['a', 'an', 'the']);

/**
 * @param isKnown false for a word that no dictionary has: only such a word is another one in a wrong spelling. Two of
 * them may be two names.
 */
export function readTheSame(left: Facts, right: Facts, isKnown: (word: string) => boolean): boolean {
  const [words, others] = [readWordsOf(left), readWordsOf(right)];
  if (words.length !== others.length || words.length === 0 || signsOf(left) !== signsOf(right)) return false;
  // A word that both prompts have is not the wrong spelling of another.
  const isWrong = (word: string, theirs: readonly string[]) => !theirs.includes(word) && !isKnown(word);
  return words.every((word, at) => {
    const other = others[at] ?? '';
    if (word === other) return true;
    return (
      (isWrong(word, others) && isKnown(other) && isMeant(word, other)) ||
      (isWrong(other, words) && isKnown(word) && isMeant(other, word))
    );
  });
}

/** Brackets and the like: sin(x^2) is not (sin x)^2. */
function signsOf({ written }: Facts): string {
  return written.replace(/[\p{L}\p{M}\p{N}\s.,;:!?'’"]/gu, '');
}

function readWordsOf({ all }: Facts): string[] {
  return all.filter((word) => /[\p{L}\p{N}]/u.test(word) && !ARTICLES.has(word));
}

function isMeant(written: string, word: string): boolean {
  return isTypoOf(written, word) || isShortFor(written, word);
}
