/** Another name: of a place, a person, a product, a part of a program. */
import type { Comparison, Side } from '../compare-facts.ts';
import { MONTHS, WEEKDAYS } from '../normalise/times.ts';
import type { FactWord } from '../read-facts.ts';
import { type Veto, wordSet } from './difference.ts';

/** Written with a capital or in no dictionary, and yet no names. */
const NO_NAMES = wordSet(
  'mum mom dad gran nan grandma grandad grandpa god internet web wifi tv pc ok okay dr mr mrs ms gp pls app apps online ' +
    'email website sim id faq tbh imo etc wtf covid versus til ive yo',
);

export const entities: Veto = ({ left, right, isClose, isTight }: Comparison) => {
  const [ofLeft, ofRight] = [namesOf(left), namesOf(right)];
  const pair = isClose
    ? ([ofLeft[0], ofRight[0]] as const)
    : ([ofLeft.find(({ isProper }) => isProper), ofRight.find(({ isProper }) => isProper)] as const);
  if (pair[0] !== undefined && pair[1] !== undefined) {
    return { kind: 'entity', detail: `${pair[0].word} and ${pair[1].word}` };
  }
  const [single] = isTight ? [...ofLeft, ...ofRight] : [];
  return single === undefined ? null : { kind: 'entity', detail: single.word };
};

function namesOf({ words }: Side): FactWord[] {
  return words.filter(
    ({ isName, word, lemma }) => isName && !NO_NAMES.has(word) && !NO_NAMES.has(lemma) && !isDate(lemma),
  );
}

/** Dates are compared as dates. */
function isDate(word: string): boolean {
  return [...MONTHS, ...WEEKDAYS].some(
    (date) => date === word || (word.length === 3 && date.startsWith(word)),
  );
}
