/** Differences that the facts of two prompts do not show, but their texts. */
import type { Writing } from '../writing.ts';
import type { Difference } from './difference.ts';
import { differentExchange } from './exchange.ts';
import { differentLetters } from './letters.ts';
import { differentNeighbours } from './neighbours.ts';
import { differentRate } from './rates.ts';
import { differentSequence } from './sequence.ts';

interface TextGrammar {
  readonly isCommon: (word: string) => boolean;
  readonly lemmatize: (word: string) => string;
  /** The word that forms and adjectives of a word have in common: bake, France. */
  readonly baseOf: (word: string) => string;
  readonly areSynonyms: (a: string, b: string) => boolean;
}

export function differentTexts(
  prompt: string,
  other: string,
  writings: readonly [Writing, Writing],
  grammar: TextGrammar,
): Difference | null {
  return (
    differentLetters(prompt, other, writings, grammar) ??
    differentRate(prompt, other, grammar.lemmatize) ??
    differentSequence(prompt, other) ??
    differentExchange(prompt, other, grammar.baseOf) ??
    differentNeighbours(prompt, other, grammar)
  );
}
