/**
 * Differences that the words cannot outweigh: a prompt that cannot be read in full, other signs, and prompts of the
 * same words with different characters between them.
 */
import type { Verdict } from './differences/difference.ts';
import type { PromptReading } from './read-prompt.ts';
import { agree } from './writing.ts';

/** null: the words decide. */
export function veto(left: PromptReading, right: PromptReading): Verdict | null {
  if (!left.isComparable || !right.isComparable) {
    return { verdict: 'different', difference: { kind: 'unreadable', detail: 'only the same words' } };
  }
  const isExact =
    left.exact.length === right.exact.length &&
    left.exact.every((word, index) => word === right.exact[index]);
  if (!isExact) {
    return { verdict: 'different', difference: { kind: 'symbol', detail: 'quotations or signs' } };
  }
  if (!agree(left.writing, right.writing)) {
    return {
      verdict: 'different',
      difference: { kind: 'symbol', detail: 'case of letters, or white space' },
    };
  }
  return null;
}

/** No user rephrases a question by one sign or letter: it is a typing error, or the reason to ask again. */
export function isSlip(a: string, b: string): boolean {
  return differOnlyInSigns(a, b) || isOneInsertion(a, b) || differOnlyInMarks(a, b);
}

function differOnlyInSigns(a: string, b: string): boolean {
  const wordsOf = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{M}\p{N}]+/gu, '');
  const shown = (text: string) => text.toLowerCase().replace(/\s+/g, '');
  return shown(a) !== shown(b) && wordsOf(a) === wordsOf(b);
}

/** Tones, accents and vowel signs: sí is not si. */
function differOnlyInMarks(a: string, b: string): boolean {
  const bare = (text: string) => text.normalize('NFD').replace(/\p{M}+/gu, '');
  return a.normalize('NFC') !== b.normalize('NFC') && bare(a) === bare(b);
}

/** One text is the other with one more character, which is not a space. */
function isOneInsertion(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  let at = 0;
  while (at < short.length && short[at] === long[at]) at += 1;
  const inserted = long.slice(at, at + long.length - short.length);
  return (
    [...inserted].length === 1 &&
    inserted.trim() !== '' &&
    short.slice(at) === long.slice(at + inserted.length)
  );
}
