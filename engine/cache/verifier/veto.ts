/**
 * What no reading of the words may overrule: a prompt that cannot be read in full, other signs, and prompts of the same
 * words that differ by what was put between them.
 */
import type { PromptReading } from './read-prompt.ts';
import type { Verdict } from './verify.ts';
import { agree } from './writing.ts';

/** null: the words decide. */
export function veto(one: PromptReading, other: PromptReading): Verdict | null {
  if (!one.isComparable || !other.isComparable) {
    return { verdict: 'different', difference: { kind: 'unreadable', detail: 'only the same words' } };
  }
  const [left, right] = [one.exact, other.exact];
  if (left.length !== right.length || left.some((word, index) => word !== right[index])) {
    return { verdict: 'different', difference: { kind: 'symbol', detail: 'quotations or signs' } };
  }
  if (!agree(one.writing, other.writing)) {
    return {
      verdict: 'different',
      difference: { kind: 'symbol', detail: 'case of letters, or white space' },
    };
  }
  return null;
}

/** Nobody rephrases a question by one sign or letter: where that is all, it is a slip, or why it was asked again. */
export function isSlip(one: string, other: string): boolean {
  return differOnlyInSigns(one, other) || isOneInsertion(one, other) || differOnlyInMarks(one, other);
}

function differOnlyInSigns(one: string, other: string): boolean {
  const wordsOf = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{M}\p{N}]+/gu, '');
  const shown = (text: string) => text.toLowerCase().replace(/\s+/g, '');
  return shown(one) !== shown(other) && wordsOf(one) === wordsOf(other);
}

/** Tones, accents and vowel signs: sí is not si. */
function differOnlyInMarks(one: string, other: string): boolean {
  const bare = (text: string) => text.normalize('NFD').replace(/\p{M}+/gu, '');
  return one.normalize('NFC') !== other.normalize('NFC') && bare(one) === bare(other);
}

/** One is the other with one more character, which is no space. */
function isOneInsertion(one: string, other: string): boolean {
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  let at = 0;
  while (at < short.length && short[at] === long[at]) at += 1;
  const inserted = long.slice(at, at + long.length - short.length);
  return (
    [...inserted].length === 1 &&
    inserted.trim() !== '' &&
    short.slice(at) === long.slice(at + inserted.length)
  );
}
