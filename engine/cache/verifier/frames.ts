/**
 * Rewrites the many ways of asking (how, why, when, what it is, to make it) to one frame such as `<how>`; the rest of
 * the prompt is its subject. Order matters: a longer pattern comes before the shorter one that it contains.
 */
import { LATE_PLACE, PLACE, QUANTITY, TIME, WHAT } from './frames/facts.ts';
import { LATE, MAKING, POSSIBILITY } from './frames/tasks.ts';
import { HOW, WHY } from './frames/ways.ts';
import { POLITENESS, WORDING } from './frames/wording.ts';

const RULES = [
  ...POLITENESS,
  ...WORDING,
  ...HOW,
  ...MAKING,
  ...QUANTITY,
  ...PLACE,
  ...TIME,
  ...LATE_PLACE,
  ...WHY,
  ...WHAT,
  ...POSSIBILITY,
  ...LATE,
].map(([pattern, replacement]) => [new RegExp(pattern, 'gu'), replacement] as const);

/** Rewrites the ways of asking to frames. Takes and gives words that are joined by single spaces. */
export function rewriteFrames(text: string): string {
  let rewritten = text;
  for (const [pattern, replacement] of RULES) {
    const next = rewritten.replace(pattern, replacement);
    if (next !== rewritten) rewritten = next.replace(/ {2,}/g, ' ').trim();
  }
  return rewritten;
}
