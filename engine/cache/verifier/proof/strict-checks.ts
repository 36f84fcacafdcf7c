/**
 * The kinds of difference that single words show: one entry for each, in the order in which they are checked. The
 * narrow kinds come first, so that a difference gets its most telling name.
 */

import { type Check, type Difference, wordSet } from '../differences/difference.ts';
import type { Token } from '../read-prompt.ts';
import type { Alignment } from './align.ts';
import { question } from './strict-question.ts';
import { roles } from './strict-roles.ts';

const DATES = wordSet(
  'january february march april may june july august september october november december jan feb mar apr jun jul aug sep ' +
    'sept oct nov dec monday tuesday wednesday thursday friday saturday sunday today tomorrow yesterday tonight morning ' +
    'noon afternoon evening night midnight weekend weekday spring summer autumn winter christmas easter now ago',
);

const UNITS = wordSet(
  'second minute hour day week month year decade century km m cm mm mi mile foot ft inch yard kg g gram mg lb pound ounce ' +
    'oz stone ton tonne l ml litre liter gallon pint cup tablespoon teaspoon celsius fahrenheit kelvin degree dollar euro ' +
    'usd eur gbp jpy yen peso rupee franc yuan cent bit byte kb mb gb tb hertz watt volt ampere percent % am pm word ' +
    'sentence page line',
);

const LANGUAGES = wordSet(
  'english german french spanish italian portuguese dutch polish czech russian ukrainian turkish arabic hebrew hindi ' +
    'chinese mandarin japanese korean swedish norwegian danish finnish greek hungarian romanian thai vietnamese latin ' +
    'python py java javascript js typescript ts golang ruby php kotlin scala c++ c# sql bash matlab haskell lua elixir',
);

/** Common words too: they are languages only with a capital. */
const NAMED = wordSet('c r go rust swift dart julia perl');

const FORMATS = wordSet(
  'json csv xml yaml toml html markdown pdf docx xlsx parquet table list bullet paragraph essay poem haiku sonnet song ' +
    'letter email tweet post article blog report summary outline story script dialogue slide presentation chart diagram ' +
    'video image resume slogan headline title name formal informal short long brief detailed',
);

const SCOPES = wordSet(
  'all every each any some many most few several only half whole entire partial both either neither first last next ' +
    'previous other another same own whose always never sometimes often again already still yet even except besides ' +
    'temporary temporarily permanent permanently automatic automatically public private free paid internal external ' +
    'global local single multiple more less least max min high low average total within before after until since ' +
    'during per over under above below outside inside without up down off out back left right',
);

/** `with` and `without`, `can` and `cannot`. Two negations are not the same as none. */
const negation: Check = ({ left, right }) =>
  left.negations === right.negations
    ? null
    : { kind: 'negation', detail: `${left.negations} and ${right.negations} negations` };

/** Enable and disable, before and after, maximum and minimum: all other words may be the same. */
const antonym: Check = ({ onlyLeft, onlyRight }, words) => {
  for (const left of onlyLeft) {
    const opposite = onlyRight.find((right) => words.areOpposites(left.lemma, right.lemma));
    if (opposite !== undefined) return { kind: 'antonym', detail: `${left.word} and ${opposite.word}` };
  }
  return null;
};

export const CHECKS: readonly Check[] = [
  negation,
  antonym,
  // Python 3.11 is not Python 3.12: a number right after a name, or after the word version.
  forUnmatched(
    'version',
    (token, alignment) =>
      token.lemma === 'version' ||
      (token.kind === 'number' && (token.word.includes('.') || followsName(token, alignment))),
  ),
  // Another year, month or day is another question; so is yesterday.
  forUnmatched(
    'date',
    ({ lemma, word, kind }) => DATES.has(lemma) || (kind === 'number' && /^(1[5-9]|20)\d\d$/.test(word)),
  ),
  // 5 km is not 5 miles, and 30 days are not 30 hours.
  forUnmatched('unit', ({ lemma }) => UNITS.has(lemma)),
  // Every number counts, and every sign of a formula.
  forUnmatched('number', ({ kind }) => kind === 'number' || kind === 'symbol'),
  // The language of the answer, of people or of machines.
  forUnmatched(
    'language',
    ({ lemma, word, isName }) => LANGUAGES.has(lemma) || LANGUAGES.has(word) || (isName && NAMED.has(word)),
  ),
  // The form of the answer: JSON is not CSV, a poem is not an essay.
  forUnmatched('format', ({ lemma, word }) => FORMATS.has(lemma) || FORMATS.has(word)),
  // A name: a person, place, product, or a word of code.
  forUnmatched('entity', ({ isName, kind, word }) => isName || kind === 'quote' || /[\d.#+]/.test(word)),
  // All, some, only, first, partial: how much of the thing is meant.
  forUnmatched('scope', ({ lemma, word }) => SCOPES.has(lemma) || SCOPES.has(word) || word.startsWith('#')),
  question,
  roles,
];

/** Reports a difference if a token that only one of the prompts has is of this kind. */
function forUnmatched(
  kind: Difference['kind'],
  isOfKind: (token: Token, alignment: Alignment) => boolean,
): Check {
  return (alignment) => {
    const unmatched = [...alignment.onlyLeft, ...alignment.onlyRight];
    const differing = unmatched.find((token) => isOfKind(token, alignment));
    return differing === undefined ? null : { kind, detail: differing.word };
  };
}

function followsName(token: Token, { left, right }: Alignment): boolean {
  return [left.tokens, right.tokens].some((tokens) => {
    const before = tokens[tokens.indexOf(token) - 1];
    return before?.isName === true || before?.lemma === 'version';
  });
}
