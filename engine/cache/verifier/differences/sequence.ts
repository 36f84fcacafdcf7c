/** By author, then by title; by title, then by author. */
import { type Difference, wordSet } from './difference.ts';

const THEN = /\b(?:and )?then\b/;
const BESIDE = wordSet('a an the and by with to of in on it its them my your our first');

/** What comes second in the one prompt comes first in the other. */
export function differentSequence(prompt: string, other: string): Difference | null {
  const [own, theirs] = [partsOf(prompt.toLowerCase()), partsOf(other.toLowerCase())];
  if (own === null || theirs === null) return null;
  const isTurned =
    own.after.every((word) => theirs.before.includes(word)) &&
    theirs.after.every((word) => own.before.includes(word));
  const isKept = own.after.some((word) => theirs.after.includes(word));
  return isTurned && !isKept ? { kind: 'order', detail: `then ${own.after.join(' ')}` } : null;
}

/** null: nothing is asked for after another thing. */
function partsOf(text: string): Readonly<Record<'before' | 'after', readonly string[]>> | null {
  const [before = '', after, ...more] = text.split(THEN);
  if (after === undefined || more.length > 0) return null;
  const words = (part: string) => (part.match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !BESIDE.has(word));
  const [clause = ''] = after.split(/[.,;:!?]/);
  const parts = { before: words(before), after: words(clause) };
  return parts.after.length === 0 ? null : parts;
}
