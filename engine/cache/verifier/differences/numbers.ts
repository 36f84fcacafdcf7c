/** Another number, unit, version, year or time of the day. */
import type { Comparison, Side } from '../compare-facts.ts';
import { dimensionOf, unitNamedBy } from '../normalise/units.ts';
import { compareNumbers, type NumberFact } from '../read-numbers.ts';
import type { Difference, Veto } from './difference.ts';

/** A prompt with more numbers may leave some out. */
const FEW_NUMBERS = 3;
const FEW_WORDS = 8;
const LARGE = 10;

export const numbers: Veto = ({ left, right, isClose, isTight }) => {
  for (const number of left.numbers) {
    const inOtherUnit = right.numbers.find((other) => compareNumbers(number, other) === 'unit');
    if (inOtherUnit !== undefined)
      return { kind: 'unit', detail: `${number.word} ${number.unit} and ${inOtherUnit.unit}` };
  }
  const most = Math.max(left.facts.numbers.length, right.facts.numbers.length);
  const areFew = most <= FEW_NUMBERS;
  const areFewest = most <= 1 && Math.max(left.facts.words.length, right.facts.words.length) <= FEW_WORDS;
  for (const number of left.numbers) {
    const other = right.numbers.find(
      (each) =>
        isTight ||
        (areTelling(number, each) && (isClose || areFew || areInOnePlace(number, left, each, right))),
    );
    if (other !== undefined)
      return { kind: kindOf(number, left), detail: `${number.word} and ${other.word}` };
  }
  for (const side of [left, right]) {
    const telling = side.numbers.find(
      (number) =>
        !isDispensable(number) && (isTight || ((isClose || areFewest) && areFew && isLarge(number))),
    );
    if (telling !== undefined) return { kind: kindOf(telling, side), detail: telling.word };
  }
  return null;
};

/** Not `the two of us`, `all four walls`. */
function isLarge({ values, unit }: NumberFact): boolean {
  return unit !== null || (values[0] ?? LARGE) >= LARGE;
}

/** One, none, first: a prompt may say them in other words, or leave them out. */
function isDispensable({ kind, values, unit }: NumberFact): boolean {
  const [value = 0] = values;
  if (kind === 'ordinal') return value <= 3;
  return value === 0 || value === 1 || (value === 2 && unit === null);
}

function areTelling(a: NumberFact, b: NumberFact): boolean {
  return !isDispensable(a) && !isDispensable(b);
}

/** Both count the same thing. */
function areInOnePlace(a: NumberFact, own: Side, b: NumberFact, other: Side): boolean {
  if (a.kind !== b.kind) return false;
  if (a.kind === 'year' || a.kind === 'clock') return true;
  const neighbours = ({ at }: NumberFact, { facts }: Side, step: number) => facts.all[at + step] ?? '';
  const isSame = (step: number) => {
    const word = neighbours(a, own, step);
    return /^\p{L}{2}/u.test(word) && word === neighbours(b, other, step);
  };
  return isSame(1) || isSame(-1);
}

function kindOf(number: NumberFact, { facts }: Side): Difference['kind'] {
  if (number.kind === 'year' || number.kind === 'clock') return 'date';
  const before = facts.all[number.at - 1] ?? '';
  const isVersion = before === 'version' || facts.words.some(({ word, isName }) => isName && word === before);
  return isVersion || (number.unit === null && number.word.includes('.')) ? 'version' : 'number';
}

const ASKED_IN = /^(?:many|<many>|in|into|to|per|of)$/;

/** In newtons, in kilograms: the unit of the answer. */
export const units: Veto = ({ left, right }: Comparison) => {
  const unitsOf = (side: Side) =>
    side.words.flatMap(({ lemma, at }) =>
      ASKED_IN.test(side.facts.all[at - 1] ?? '') ? (unitNamedBy(lemma) ?? []) : [],
    );
  const [ofLeft, ofRight] = [unitsOf(left), unitsOf(right)];
  for (const unit of ofLeft) {
    const other = ofRight.find((each) => each !== unit && dimensionOf(each) === dimensionOf(unit));
    if (other !== undefined) return { kind: 'unit', detail: `${unit} and ${other}` };
  }
  return null;
};
