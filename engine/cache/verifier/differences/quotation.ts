/** What is quoted counts letter by letter; the other prompt may have it without quotation marks. */
import type { Side } from '../compare-facts.ts';
import { expandContractions } from '../normalise/contractions.ts';
import type { Veto } from './difference.ts';

/** In a sentence a comma or a contraction is no part of what is asked; in a word or a term it may be. */
const FEWEST_WORDS = 4;

export const quotation: Veto = ({ left, right, isTight }) => {
  const [first, second] = [missingQuotation(left, right), missingQuotation(right, left)];
  if (first !== undefined && second !== undefined)
    return { kind: 'quotation', detail: `${first} and ${second}` };
  // A paraphrase may say in its own words what the other prompt quotes.
  const single = first ?? second;
  return single !== undefined && isTight ? { kind: 'quotation', detail: single } : null;
};

function missingQuotation({ facts }: Side, { facts: other }: Side): string | undefined {
  return facts.quotations.find((quoted) => {
    const text = quoted
      .toLowerCase()
      .replace(/\s+/g, ' ')
      .replace(/[.,;:!?]+$/, '')
      .trim();
    if (text === '' || other.written.includes(text)) return false;
    return text.split(' ').length < FEWEST_WORDS || !lettersOf(other.written).includes(lettersOf(text));
  });
}

/** What is left if contractions are written out and marks left out. */
function lettersOf(text: string): string {
  return expandContractions(text).replace(/[^\p{L}\p{M}\p{N}]+/gu, '');
}
