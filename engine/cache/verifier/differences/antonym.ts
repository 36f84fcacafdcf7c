/** Enable and disable, before and after, maximum and minimum: the rest of the words may be the same. */
import type { Check } from './difference.ts';

export const antonym: Check = ({ onlyLeft, onlyRight }, words) => {
  for (const left of onlyLeft) {
    const right = onlyRight.find((one) => words.areOpposites(left.lemma, one.lemma));
    if (right !== undefined) return { kind: 'antonym', detail: `${left.word} and ${right.word}` };
  }
  return null;
};
