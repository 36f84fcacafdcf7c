/** When an alignment of all words is proof enough: in a short prompt, and if the words stand in the same order. */
import type { Alignment } from './align.ts';

/** In a longer prompt, words that the alignment leaves out (would, did, just) change too much. */
const MOST_WORDS = 8;
/** Fewer words have one order that makes sense: UDP and TCP, TCP and UDP. */
const FEWEST_ORDERED = 6;

export function isShort({ left, right }: Alignment): boolean {
  return [left, right].every(
    ({ tokens }) => tokens.filter(({ kind }) => kind === 'word').length <= MOST_WORDS,
  );
}

export function isInOrder(alignment: Alignment): boolean {
  return alignment.pairs.length < FEWEST_ORDERED || areInOneOrder(alignment);
}

export function areInOneOrder({ pairs }: Alignment): boolean {
  const places = [...pairs].sort((a, b) => a.left - b.left).map(({ right }) => right);
  return places.every((place, at) => at === 0 || place >= (places[at - 1] ?? 0));
}
