/**
 * A phrase that stands in another place as a whole: "in Excel, how do I hide a row". It keeps its preposition, so what
 * it is to the rest is the same; two things that have changed places are not, as each needs a move.
 */
import type { Token } from '../read-prompt.ts';
import type { Alignment } from './align.ts';

/** The end and the start have changed places. */
const HALVES = 2;
/** A half of fewer tokens may be a thing that has changed places with another. */
const FEWEST_IN_HALF = 2;
/** The phrase, and what stands before and behind it. */
const MOST_RUNS = 3;

interface Run {
  readonly first: readonly [Token | undefined, Token | undefined];
  readonly size: number;
  readonly isMoved: boolean;
}

export function isMovedPhrase(alignment: Alignment): boolean {
  const runs = runsOf(alignment);
  if (runs.length === HALVES && runs.every(({ size }) => size >= FEWEST_IN_HALF)) return true;
  return runs.length <= MOST_RUNS && runs.some(({ first, isMoved }) => isMoved && isMarked(first));
}

/** Tokens that follow each other in both prompts. */
function runsOf({ left, right, pairs }: Alignment): Run[] {
  const sorted = [...pairs].sort((a, b) => a.left - b.left);
  const places = sorted.map((pair) => pair.right).sort((a, b) => a - b);
  const order = sorted.map((pair) => places.indexOf(pair.right));
  const starts = order.flatMap((place, at) => (at > 0 && place === (order[at - 1] ?? 0) + 1 ? [] : [at]));
  return starts.map((start, run) => {
    const pair = sorted[start];
    return {
      first: [left.tokens[pair?.left ?? -1], right.tokens[pair?.right ?? -1]],
      size: (starts[run + 1] ?? order.length) - start,
      isMoved: order[start] !== start,
    };
  });
}

function isMarked([token, counterpart]: Run['first']): boolean {
  return token !== undefined && token.role !== null && token.role === counterpart?.role;
}
