/** A name that only one prompt has: a person, place, product, or a word of code. */
import { anyOnlyOneHas, type Check } from './difference.ts';

export const entity: Check = anyOnlyOneHas(
  'entity',
  ({ isName, kind, word }) => isName || kind === 'quote' || /[\d.#+]/.test(word),
);
