/**
 * What prompts with the same answer have in common for certain. A number of a unit may be in another unit in the other
 * prompt, and a small one in other words or left out, so neither is part of it.
 */
import type { Facts } from './read-facts.ts';
import type { NumberFact } from './read-numbers.ts';

const FEWEST = 1_000;
const NO_ASCII = /\P{ASCII}/u;

export function signatureOf({ numbers, symbols }: Facts): string {
  const certain = numbers.filter(isCertain).map(({ values }) => values[0] ?? 0);
  return JSON.stringify([
    [...new Set(certain)].sort((a, b) => a - b),
    symbols.filter((symbol) => NO_ASCII.test(symbol)),
  ]);
}

function isCertain({ kind, unit, values }: NumberFact): boolean {
  return kind === 'count' && unit === null && values.length === 1 && (values[0] ?? 0) >= FEWEST;
}
