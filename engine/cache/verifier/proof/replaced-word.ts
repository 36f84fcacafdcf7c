/**
 * One word in the place of another that has nothing to do with it, where all others have their counterparts: rows and
 * columns, a phone and a laptop. Reworded prompts that want the same answer hardly ever differ so: of 185 pairs of the
 * training that do, 178 want other answers.
 */
import type { Difference } from '../differences/difference.ts';
import { isMisspelling } from '../normalise/misspelling.ts';
import type { Token } from '../read-prompt.ts';
import type { WordNet } from '../wordnet.ts';
import type { Alignment } from './align.ts';

/** Shorter words are often short for others. */
const LETTERS = /^[a-z]{3,}$/;
/** Both are of one part of speech, and it is one that has many words. */
const OPEN = ['noun', 'verb', 'adj'] as const;
/** Words that begin so alike are often of one root: cook, cooker. */
const SAME_START = 4;

export function replacedWord(
  alignment: Alignment,
  { has, areRelated }: Pick<WordNet, 'has' | 'areRelated'>,
): Difference | null {
  const { left, right, onlyLeft, onlyRight } = alignment;
  const [own, ...others] = onlyLeft;
  const [other, ...more] = onlyRight;
  if (own === undefined || other === undefined || others.length + more.length > 0) return null;
  if (left.frames.join() !== right.frames.join() || !standInOnePlace(alignment, own, other)) return null;
  const isWord = ({ kind, word }: Token) => kind === 'word' && LETTERS.test(word);
  if (!isWord(own) || !isWord(other)) return null;
  if (!OPEN.some((part) => has(own.lemma, part) && has(other.lemma, part))) return null;
  if (startAlike(own.lemma, other.lemma) || isMisspelling(own.word, other.word)) return null;
  if (areRelated(own.lemma, other.lemma) || areRelated(own.word, other.word)) return null;
  return { kind: 'entity', detail: `${own.word} and ${other.word}` };
}

/** All other words are the same, in the same order. */
function standInOnePlace({ left, right, pairs }: Alignment, own: Token, other: Token): boolean {
  return (
    left.tokens.length === right.tokens.length &&
    left.tokens.indexOf(own) === right.tokens.indexOf(other) &&
    pairs.every((pair) => pair.left === pair.right)
  );
}

function startAlike(a: string, b: string): boolean {
  const letters = Math.min(SAME_START, a.length, b.length);
  return a.slice(0, letters) === b.slice(0, letters);
}
