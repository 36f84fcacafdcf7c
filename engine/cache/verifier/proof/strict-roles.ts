/**
 * Who does what to whom, from where to where. Many paraphrases change the order of words. The harmless changes are
 * listed here; with any other, two prompts are not proven to be the same.
 */

import { type Check, wordSet } from '../differences/difference.ts';
import type { Token } from '../read-prompt.ts';
import type { Alignment } from './align.ts';

/** `the balance of my card` and `my card balance`. */
const GENITIVE = wordSet('of for in on at about between');
const DIRECTIONS: Readonly<Record<string, string>> = { from: 'from', to: 'to', into: 'to', onto: 'to' };
const LASTING = wordSet('<long> <often> <manytime>');
/** They mean the same in any place. */
const ADVERBS = wordSet(
  'fast quick quickly home today permanently legally naturally daily weekly still also together',
);

interface Placed {
  readonly left: Token;
  readonly right: Token;
}

export const roles: Check = (alignment) => {
  const placed = place(alignment);
  for (const { left, right } of placed) {
    const [from, to] = [DIRECTIONS[left.role ?? ''], DIRECTIONS[right.role ?? '']];
    if (from !== undefined && to !== undefined && from !== to) {
      return { kind: 'roles', detail: `${from} and ${to} ${left.word}` };
    }
  }
  if (alignment.left.frames.includes('<differ>') && alignment.right.frames.includes('<differ>')) return null;
  // How long an egg boils is how long one boils it; how a dog teaches is not how one teaches it.
  const mayStandAlone = [alignment.left, alignment.right].every(({ frames }) =>
    frames.some((frame) => LASTING.has(frame)),
  );
  for (const [index, first] of placed.entries()) {
    const turned = placed
      .slice(index + 1)
      .find((second) => first.right.place > second.right.place && !isHarmless(first, second, mayStandAlone));
    if (turned !== undefined) return { kind: 'roles', detail: `${first.left.word} and ${turned.left.word}` };
  }
  return null;
};

function place({ left, right, pairs }: Alignment): Placed[] {
  return pairs
    .flatMap((pair): Placed[] => {
      const [leftToken, rightToken] = [left.tokens[pair.left], right.tokens[pair.right]];
      return leftToken === undefined || rightToken === undefined
        ? []
        : [{ left: leftToken, right: rightToken }];
    })
    .sort((a, b) => a.left.place - b.left.place);
}

/** `first` stands before `second` on the left, and after it on the right. */
function isHarmless(first: Placed, second: Placed, mayStandAlone: boolean): boolean {
  if (first.left.lemma === second.left.lemma) return true;
  // A sign must not move: it binds the token before it to the one after it.
  if (first.left.kind === 'symbol' || second.left.kind === 'symbol') return false;
  if (isFree(first) || isFree(second)) return true;
  if (first.left.kind === 'number' && second.left.kind === 'number') return haveExactRoles(first, second);
  if (haveSameRoles(first, second) || isTurned(first, second, mayStandAlone)) return true;
  if (
    isPredicate(first.left, second.left, second.right, first.right) ||
    isPredicate(second.right, first.right, first.left, second.left)
  )
    return true;
  return (
    isCompound(first.left, second.left, second.right, first.right) ||
    isCompound(second.right, first.right, first.left, second.left)
  );
}

/** Means the same in any place. */
function isFree({ left, right }: Placed): boolean {
  return isMeasure(left) || isMeasure(right) || ADVERBS.has(left.lemma) || /ly$/.test(left.word);
}

/**
 * `Change the date`, `can the date be changed`, `how long does the egg boil`: a verb and its object. Not
 * `the landlord enters the flat`, `enter the landlord's flat`.
 */
function isTurned(first: Placed, second: Placed, mayStandAlone: boolean): boolean {
  const isHarmlessSide = (verb: Token) => verb.isPassive || (mayStandAlone && !verb.hasObject);
  // On the right, `second` stands before `first`; on the left, `first` before `second`.
  return isVerb(first)
    ? isHarmlessSide(first.right) || isNominal(first)
    : isVerb(second) && (isHarmlessSide(second.left) || isNominal(second));
}

function isVerb({ left, right }: Placed): boolean {
  return left.isVerb || right.isVerb;
}

/** `the assembly of a desk`, `assemble a desk`. */
function isNominal({ left, right }: Placed): boolean {
  return left.lemma !== right.lemma && left.isVerb !== right.isVerb;
}

/** `how high is the rate`, `the rate`: a word of measure comes first because it asks. */
function isMeasure({ lemma }: Token): boolean {
  return lemma.startsWith('how_');
}

/** `2 for 1` is not `1 for 2`. */
function haveExactRoles(first: Placed, second: Placed): boolean {
  const isSame = ({ left, right }: Placed) => left.role !== null && left.role === right.role;
  return isSame(first) && isSame(second) && first.left.role !== second.left.role;
}

/** Each has the same preposition in both prompts: the phrases have changed places as wholes. */
function haveSameRoles(first: Placed, second: Placed): boolean {
  const isSame = ({ left, right }: Placed) =>
    left.role === right.role || (GENITIVE.has(left.role ?? '') && GENITIVE.has(right.role ?? ''));
  const isAdjunct = (moved: Placed, still: Placed) =>
    moved.left.role !== null &&
    isSame(moved) &&
    moved.left.role !== still.left.role &&
    moved.right.role !== still.right.role;
  if (isAdjunct(first, second) || isAdjunct(second, first)) return true;
  const isMarked = first.left.role !== null || second.left.role !== null;
  // `in water than in air`: with the same preposition, only the order distinguishes them.
  const isDistinct = first.left.role !== second.left.role;
  return (
    isMarked && isDistinct && isSame(first) && isSame(second) && first.left.phrase !== second.left.phrase
  );
}

/** `head of modifier` on one side, `modifier head` in one phrase on the other. */
function isCompound(head: Token, modifier: Token, modifierBefore: Token, headAfter: Token): boolean {
  return (
    GENITIVE.has(modifier.role ?? '') &&
    modifier.phrase > head.phrase &&
    modifierBefore.phrase === headAfter.phrase
  );
}

/** `a normal rate` on one side, `the rate is normal` on the other; not `a rate at normal height`. */
function isPredicate(adjective: Token, noun: Token, nounBefore: Token, adjectiveAfter: Token): boolean {
  return (
    adjective.isAdjective &&
    adjective.phrase === noun.phrase &&
    noun.place - adjective.place <= 3 &&
    adjectiveAfter.isLast &&
    adjectiveAfter.role === nounBefore.role
  );
}
