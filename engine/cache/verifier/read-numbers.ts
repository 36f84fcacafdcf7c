/** The numbers of a prompt with their units, in a form that can be compared: 1.5 h is 90 min, 5 pm is 17:00. */
import { CLOCK_WORD } from './normalise/times.ts';
import { dimensionOf, inBaseUnit, unitAfterNumber } from './normalise/units.ts';

export interface NumberFact {
  readonly word: string;
  /** What it may be: `40 m` is 40 metres or 40 million. */
  readonly values: readonly number[];
  readonly unit: string | null;
  readonly kind: 'count' | 'ordinal' | 'year' | 'clock' | 'code';
  /** Minutes, for a clock; unsure: in the morning or in the afternoon. */
  readonly isUnsure: boolean;
  /** An hour, every year: one, but not written. */
  readonly isImplied: boolean;
  /** Its place among the words. */
  readonly at: number;
}

/** The lexicon reads `an hour` and `every year` as one word. */
const JOINED = /^(?:an?|per|each|every|for_each|in_each)_(\w+)$/;
const ARTICLE = /^(?:a|an|per|each|every)$/;

const NUMBER = /^([-#]?)(\d+(?:\.\d+)?)$/;
const DIGITS = /^\d[\d.,]*$/;
const HALF_DAY = 720;
const YEARS = { from: 1400, to: 2100 };
/** Two readings of a measure that are the same. */
const TOLERANCE = 1e-6;

export function readNumbers(words: readonly string[], lemmatize: (word: string) => string): NumberFact[] {
  const numbers: NumberFact[] = [];
  for (const [at, word] of words.entries()) {
    const clock = CLOCK_WORD.exec(word);
    if (clock !== null) {
      const minutes = Number(clock[1]) * 60 + Number(clock[2]);
      numbers.push({
        word,
        values: [minutes],
        unit: null,
        kind: 'clock',
        isUnsure: clock[3] !== '',
        isImplied: false,
        at,
      });
      continue;
    }
    const joined = JOINED.exec(word)?.[1];
    const unit =
      joined !== undefined || ARTICLE.test(words[at - 1] ?? '')
        ? unitAfterNumber(joined ?? lemmatize(word))
        : null;
    if (unit !== null && word.length > 2) {
      numbers.push({ word, values: [1], unit, kind: 'count', isUnsure: false, isImplied: true, at });
      continue;
    }
    const number = NUMBER.exec(word);
    if (number !== null && !/^0\d/.test(word))
      numbers.push({ ...readNumber(word, number, words.slice(at + 1, at + 4), lemmatize), at });
    else if (DIGITS.test(word))
      numbers.push({ word, values: [], unit: null, kind: 'code', isUnsure: false, isImplied: false, at });
  }
  return numbers;
}

function readNumber(
  word: string,
  [, sign, digits]: RegExpExecArray,
  after: readonly string[],
  lemmatize: (word: string) => string,
): Omit<NumberFact, 'at'> {
  const value = Number(digits) * (sign === '-' ? -1 : 1);
  const [unitWord = '', following = ''] = /^(?:[°-]|degrees?)$/.test(after[0] ?? '') ? after.slice(1) : after;
  // `9 in the evening`, `5 a week`, `25 degrees`.
  const isWord = /^(?:in|a|p|at|s|of|to|and|is)$/.test(unitWord) && /^[\p{L}#\d]/u.test(following);
  const unit = sign === '#' || isWord ? null : unitAfterNumber(lemmatize(unitWord));
  const isYear = unit === null && Number.isInteger(value) && value >= YEARS.from && value <= YEARS.to;
  const values = [value];
  if (unitWord === 'm') values.push(value * 1_000_000);
  // A 5k run.
  if (unit === 'km') values.push(value * 1_000);
  // A full stop between thousands.
  if (/^\d{1,3}\.\d{3}$/.test(word)) values.push(value * 1_000);
  return {
    word,
    values,
    unit,
    kind: sign === '#' ? 'ordinal' : isYear ? 'year' : 'count',
    isUnsure: false,
    isImplied: false,
  };
}

type NumberRelation = 'same' | 'unit' | 'other';

export function compareNumbers(a: NumberFact, b: NumberFact): NumberRelation {
  if (a.kind === 'code' || b.kind === 'code') return a.word === b.word ? 'same' : 'other';
  if (a.kind === 'clock' || b.kind === 'clock') return compareClocks(a, b);
  if (isShortYear(a, b) || isShortYear(b, a)) return 'same';
  const isEqual = a.values.some((value) => b.values.includes(value)) || isScaled(a, b);
  if (a.unit === null || b.unit === null || a.unit === b.unit) return isEqual ? 'same' : 'other';
  const [baseA, baseB] = [inBaseUnit(a.values[0] ?? 0, a.unit), inBaseUnit(b.values[0] ?? 0, b.unit)];
  const areComparable = baseA !== null && baseB !== null && dimensionOf(a.unit) === dimensionOf(b.unit);
  if (areComparable && Math.abs(baseA - baseB) <= TOLERANCE * Math.abs(baseA)) return 'same';
  if (isEqual && a.values.length + b.values.length > 2) return 'same';
  return isEqual ? 'unit' : 'other';
}

/** `0.08 m ... 0.15 m` and `8 ... 15, all cm`. */
function isScaled(a: NumberFact, b: NumberFact): boolean {
  if ((a.unit === null) === (b.unit === null)) return false;
  const [small = 0, large = 0] = [a.values[0] ?? 0, b.values[0] ?? 0].sort((x, y) => x - y);
  return (
    !Number.isInteger(small) &&
    Number.isInteger(large) &&
    [10, 100, 1_000].includes(Math.round(large / small))
  );
}

/** '97 is 1997. */
function isShortYear(year: NumberFact, { values: [value = 0], unit }: NumberFact): boolean {
  return year.kind === 'year' && unit === null && value < 100 && (year.values[0] ?? 0) % 100 === value;
}

/** 5 pm is 17:00; 5:00 and 5 may be either. */
function compareClocks(a: NumberFact, b: NumberFact): NumberRelation {
  if (a.kind === b.kind) {
    const [first = 0, second = 0] = [a.values[0], b.values[0]];
    const isSame = a.isUnsure || b.isUnsure ? (first - second) % HALF_DAY === 0 : first === second;
    return isSame ? 'same' : 'other';
  }
  const [clock, count] = a.kind === 'clock' ? [a, b] : [b, a];
  const hours = (clock.values[0] ?? 0) / 60;
  const [, written, minutes] = /^(\d\d?)\.([0-5]\d)$/.exec(count.word) ?? [];
  if (written !== undefined) {
    return (Number(written) * 60 + Number(minutes) - (clock.values[0] ?? 0)) % HALF_DAY === 0
      ? 'same'
      : 'other';
  }
  return count.unit === null && count.values.some((value) => (value - hours) % 12 === 0) ? 'same' : 'other';
}
