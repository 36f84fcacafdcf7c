/** Emoji, brackets, signs of formulas and code: a model with a vocabulary of words sees few of them, or none. */
import type { Comparison } from '../compare-facts.ts';
import type { Veto } from './difference.ts';

const NO_ASCII = /\P{ASCII}/u;
/** Of code and formulas. The others are punctuation that prose uses too. */
const CODE = /[[\]{}\\|<>^=*+@~_]/g;
/** An equals sign may stand for a word. */
const OPERATORS = /[[\]{}\\|<>^*+@~]/g;
/** They are never punctuation. */
const HARD_CODE = /[[\]{}\\|]/g;

export const symbols: Veto = ({ left, right, isClose, isTight }: Comparison) => {
  const [ofLeft, ofRight] = [left.facts.symbols, right.facts.symbols];
  const differ = (pick: (symbol: string) => string) =>
    ofLeft.map(pick).join('') !== ofRight.map(pick).join('');
  const isUnseen = differ((symbol) => (NO_ASCII.test(symbol) ? symbol : ''));
  const only = (pattern: RegExp) => (symbol: string) => symbol.match(pattern)?.join('') ?? '';
  const kinds = (all: readonly string[]) => new Set(all.join('').match(HARD_CODE));
  const [kindsLeft, kindsRight] = [kinds(ofLeft), kinds(ofRight)];
  const areOther = kindsLeft.size !== kindsRight.size || [...kindsLeft].some((kind) => !kindsRight.has(kind));
  const haveBoth = [ofLeft, ofRight].every((all) => all.some((symbol) => symbol.match(CODE) !== null));
  if (
    isUnseen ||
    (isTight && differ(only(haveBoth ? CODE : OPERATORS))) ||
    (isClose && haveBoth && differ(only(OPERATORS))) ||
    (haveBoth && areOther)
  ) {
    return { kind: 'symbol', detail: `${ofLeft.join(' ')} and ${ofRight.join(' ')}` };
  }
  return null;
};
