/** Hardly a word differs, but one that says how much is meant, under what condition, or in what order. */
import type { Comparison, Side } from '../compare-facts.ts';
import { type Difference, type Veto, wordSet } from './difference.ts';

const SCOPES = wordSet(
  'all every each any some only both either neither half whole entire partial first last next previous another ' +
    'always sometimes again even except several',
);
const TELLING: readonly (readonly [Difference['kind'], ReadonlySet<string>])[] = [
  ['condition', wordSet('if unless')],
  ['order', wordSet('before after')],
  [
    'scope',
    wordSet(
      'all some only either neither half whole first last next previous another always sometimes again except several',
    ),
  ],
];
/** Other ways to say a condition or an order. */
const ELSEWISE: Readonly<Partial<Record<Difference['kind'], RegExp>>> = {
  condition: /\b(?:if|unless|when|about|with|case|should|provided)\b/,
  order: /\b(?:before|after|once|when|then|following|later|till|until|ahead|prior|which|from|#1)\b/,
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
  for (const [kind, words] of TELLING) {
    const word = [...words].find(
      (each) =>
        (left.telling.has(each) && !ELSEWISE[kind]?.test(right.facts.text)) ||
        (right.telling.has(each) && !ELSEWISE[kind]?.test(left.facts.text)),
    );
    if (word !== undefined) return { kind, detail: word };
  }
  return added(left, right) ?? added(right, left);
};

/** All members and some members. */
function exchanged(left: Side, right: Side): Difference | null {
  // The lexicon reads `all members` as one word.
  const scopeOf = ({ words }: Side) =>
    words.map(({ word }) => word.split('_')[0] ?? '').find((word) => SCOPES.has(word));
  const [first, second] = [scopeOf(left), scopeOf(right)];
  return first === undefined || second === undefined
    ? null
    : { kind: 'scope', detail: `${first} and ${second}` };
}

function added(own: Side, other: Side): Difference | null {
  const words = own.words.filter(({ lemma }) => !COURTEOUS.has(lemma));
  if (words.length < FEWEST_ADDED || other.words.length > 0) return null;
  return { kind: 'condition', detail: words.map(({ word }) => word).join(' ') };
}
