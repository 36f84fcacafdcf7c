/** Python 3.11 is not Python 3.12: a number right after a name, or after the word version. */

import type { Alignment } from '../align.ts';
import type { Token } from '../read-prompt.ts';
import { anyOnlyOneHas, type Check } from './difference.ts';

export const version: Check = anyOnlyOneHas(
  'version',
  (token, alignment) =>
    token.lemma === 'version' ||
    (token.kind === 'number' && (token.word.includes('.') || followsName(token, alignment))),
);

function followsName(token: Token, { left, right }: Alignment): boolean {
  return [left.tokens, right.tokens].some((tokens) => {
    const before = tokens[tokens.indexOf(token) - 1];
    return before?.isName === true || before?.lemma === 'version';
  });
}
