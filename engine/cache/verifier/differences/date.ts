/** Another year, month or day is another question; so is yesterday. */
import { anyOnlyOneHas, type Check, wordSet } from './difference.ts';

const DATES = wordSet(
  'january february march april may june july august september october november december jan feb mar apr jun jul aug sep ' +
    'sept oct nov dec monday tuesday wednesday thursday friday saturday sunday today tomorrow yesterday tonight morning ' +
    'noon afternoon evening night midnight weekend weekday spring summer autumn winter christmas easter now ago',
);

export const date: Check = anyOnlyOneHas(
  'date',
  ({ lemma, word, kind }) => DATES.has(lemma) || (kind === 'number' && /^(1[5-9]|20)\d\d$/.test(word)),
);
