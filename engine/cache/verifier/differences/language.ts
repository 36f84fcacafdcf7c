/** The language of the answer, of people or of machines. */
import { anyOnlyOneHas, type Check, wordSet } from './difference.ts';

const LANGUAGES = wordSet(
  'english german french spanish italian portuguese dutch polish czech russian ukrainian turkish arabic hebrew hindi ' +
    'chinese mandarin japanese korean swedish norwegian danish finnish greek hungarian romanian thai vietnamese latin ' +
    'python py java javascript js typescript ts golang ruby php kotlin scala c++ c# sql bash matlab haskell lua elixir',
);

/** Words of everyday too: only with a capital they are languages. */
const NAMED = wordSet('c r go rust swift dart julia perl');

export const language: Check = anyOnlyOneHas(
  'language',
  ({ lemma, word, isName }) => LANGUAGES.has(lemma) || LANGUAGES.has(word) || (isName && NAMED.has(word)),
);
