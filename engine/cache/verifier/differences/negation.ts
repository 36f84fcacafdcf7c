/** With and without, can and cannot: the same words, and one of them negated. */
import type { Comparison } from '../compare-facts.ts';
import type { Facts } from '../read-facts.ts';
import { NEGATIONS } from '../read-prompt.ts';
import type { Veto } from './difference.ts';

/** Negations that a paraphrase adds or leaves out. */
const IDLE =
  /\b(?:or not|yes or no|no more than|no (?:later|earlier|less|fewer) than|nothing but|nothing else|no other|not only|no idea|not sure|no problem|(?:do|does|did) not (?:know|understand|get|mind|think)|why (?:do|does|is|are|did|can|will|would|has|have) not|(?:do|does|is|are|did|can|will|would|has|have|should) (?:not (?:i|you|we|they|it|he|she)|(?:i|you|we|they|it|he|she) not))\b/g;
/** Words that say no in another way. */
const IMPLICIT =
  /\b(?:avoid\w*|stop\w*|fail\w*|lack\w*|absen\w*|refus\w*|missing|free|skip\w*|except|exclud\w*|only|instead|rather|ignor\w*|prevent\w*|hardly|barely|zero|leav\w*|left|rid|off|broken?|dead|wrong|keep\w*|ran|run|out)\b|\b(?:un|in|dis|non)\w{4,}/g;

/** A longer prompt may deny by the way. */
const FEW_WORDS = 15;

export const negation: Veto = ({ left, right, isClose, isTight, overlap }: Comparison) => {
  const [ofLeft, ofRight] = [negationsOf(left.facts), negationsOf(right.facts)];
  const isShort = left.facts.words.length <= FEW_WORDS && right.facts.words.length <= FEW_WORDS;
  if (!(isTight || (isClose && isShort)) || ofLeft === ofRight) return null;
  if (implicitOf(left.facts) !== implicitOf(right.facts)) return null;
  const turned = isTight ? '' : turnedWord(left.facts, right.facts);
  if (turned === null || overlap === 0) return null;
  return { kind: 'negation', detail: `${ofLeft} and ${ofRight} negations ${turned}`.trim() };
};

function negationsOf({ text }: Facts): number {
  return text
    .replace(IDLE, ' ')
    .split(' ')
    .filter((word) => NEGATIONS.has(word)).length;
}

function implicitOf({ text }: Facts): number {
  return text.match(IMPLICIT)?.length ?? 0;
}

/** A word that is negated in one prompt only. */
function turnedWord(left: Facts, right: Facts): string | null {
  for (const [lemma, own] of left.lemmas) {
    const other = right.lemmas.get(lemma);
    if (other === undefined) continue;
    const [first] = own;
    const isTurned =
      first !== undefined &&
      own.every(({ isNegated }) => isNegated === first.isNegated) &&
      other.every(({ isNegated }) => isNegated !== first.isNegated);
    if (isTurned) return lemma;
  }
  return null;
}
