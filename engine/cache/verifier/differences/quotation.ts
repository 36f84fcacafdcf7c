/** What is quoted counts letter by letter; the other prompt may have it without quotation marks. */
import type { Side } from '../compare-facts.ts';
import type { Veto } from './difference.ts';

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
    return text !== '' && !other.written.includes(text);
  });
}
