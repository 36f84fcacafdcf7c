/** Hardly a word differs, but one that says how much is meant, under what condition, or in what order. */
import type { Comparison, Side } from '../compare-facts.ts';
import { type Difference, type Veto, wordSet } from './difference.ts';

const SCOPES = wordSet(
  'all every each any some only both either neither half whole entire partial first last next previous another ' +
    'always sometimes again even except several',
);
/** The words that stand for each other. */
const SAME_SCOPE: Readonly<Record<string, string>> = {
  every: 'all',
  each: 'all',
  everything: 'all',
  everyone: 'all',
  whole: 'all',
  entire: 'all',
};
const TELLING: readonly (readonly [Difference['kind'], ReadonlySet<string>])[] = [
  ['condition', wordSet('if unless')],
  ['order', wordSet('before after')],
  [
    'scope',
    wordSet(
      'all only either neither half whole first last next previous another always sometimes again except several',
    ),
  ],
];
const CONDITIONS = /\b(?:if|unless|when|whether|about|with|case|should|provided)\b/;
const ORDERS =
  /\b(?:before|after|once|when|then|following|earlier|later|till|until|ahead|prior|which|from|#1)\b/;
/** Other ways to say the same. */
const ELSEWISE: Readonly<Record<string, RegExp>> = {
  if: CONDITIONS,
  unless: CONDITIONS,
  before: ORDERS,
  after: ORDERS,
  all: /\b(?:every\w*|each|whole|entire)\b/,
  whole: /\b(?:all|entire|complete)\b/,
  only: /\b(?:just|solely|alone)\b/,
  last: /\b(?:final|latest)\b/,
};
/** They ask, thank and apologise, and add nothing to what is asked. */
const COURTEOUS = wordSet(
  'help tell wonder thank hope wish sorry message read appreciate grateful quick indeed ever show ' +
    'explain advice advise kind kindly happy glad lovely know need want question ask time bother mind',
);
/** Words that one prompt has more than the other: a condition, a remark, a wish. */
const FEWEST_ADDED = 2;

export const scope: Veto = ({ left, right, isTight, isExchange }: Comparison) => {
  if (isExchange) return exchanged(left, right);
  if (!isTight) return null;
  // All other words are the same: "if I live in Canada", "I live in Canada".
  const isSaidAnyway = left.words.length + right.words.length === 0;
  for (const [kind, words] of TELLING) {
    const word = [...words].find(
      (each) =>
        (left.telling.has(each) && !ELSEWISE[each]?.test(right.facts.whole)) ||
        (right.telling.has(each) && !ELSEWISE[each]?.test(left.facts.whole)),
    );
    if (word !== undefined && !(word === 'if' && isSaidAnyway)) return { kind, detail: word };
  }
  return added(left, right) ?? added(right, left);
};

/** All members and some members. */
function exchanged(left: Side, right: Side): Difference | null {
  // The lexicon reads `all members` as one word.
  const scopeOf = ({ words }: Side) =>
    words
      .map(({ word }) => word.split('_')[0] ?? '')
      .filter((word) => SCOPES.has(word))
      .map((word) => SAME_SCOPE[word] ?? word)[0];
  const [first, second] = [scopeOf(left), scopeOf(right)];
  return first === undefined || second === undefined || first === second
    ? null
    : { kind: 'scope', detail: `${first} and ${second}` };
}

function added(own: Side, other: Side): Difference | null {
  const words = own.words.filter(({ lemma }) => !COURTEOUS.has(lemma));
  if (words.length < FEWEST_ADDED || other.words.length > 0) return null;
  return { kind: 'condition', detail: words.map(({ word }) => word).join(' ') };
}
