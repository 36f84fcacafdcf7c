/** The form of the answer: JSON is not CSV, a poem is not an essay. */
import { anyOnlyOneHas, type Check, wordSet } from './difference.ts';

const FORMATS = wordSet(
  'json csv xml yaml toml html markdown pdf docx xlsx parquet table list bullet paragraph essay poem haiku sonnet song ' +
    'letter email tweet post article blog report summary outline story script dialogue slide presentation chart diagram ' +
    'video image resume slogan headline title name formal informal short long brief detailed',
);

export const format: Check = anyOnlyOneHas(
  'format',
  ({ lemma, word }) => FORMATS.has(lemma) || FORMATS.has(word),
);
