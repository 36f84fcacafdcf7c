/** All, some, only, first, partial: how much of the thing is meant. */
import { anyOnlyOneHas, type Check, wordSet } from './difference.ts';

const SCOPES = wordSet(
  'all every each any some many most few several only half whole entire partial both either neither first last next ' +
    'previous other another same own whose always never sometimes often again already still yet even except besides ' +
    'temporary temporarily permanent permanently automatic automatically public private free paid internal external ' +
    'global local single multiple more less least max min high low average total within before after until since ' +
    'during per over under above below outside inside without up down off out back left right',
);

export const scope: Check = anyOnlyOneHas(
  'scope',
  ({ lemma, word }) => SCOPES.has(lemma) || SCOPES.has(word) || word.startsWith('#'),
);
