/** Numbers in words and digits: `two hundred`, `half a dozen`, `$10k`, `10,000`, `-3`, `1st`, `twenty fifteen`. */
import { isExact } from '../exact-words.ts';

const NUMBER_WORDS =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen ' +
  'eighteen nineteen';
const TENS = 'twenty thirty forty fifty sixty seventy eighty ninety';
const ORDINALS =
  'zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth ' +
  'fifteenth sixteenth seventeenth eighteenth nineteenth twentieth';
const VALUES = new Map<string, number>([
  ...NUMBER_WORDS.split(' ').map((word, value) => [word, value] as const),
  ...TENS.split(' ').map((word, index) => [word, (index + 2) * 10] as const),
]);
const SCALES = new Map([
  ['hundred', 100],
  ['dozen', 12],
  ['thousand', 1_000],
  ['grand', 1_000],
  ['million', 1_000_000],
  ['billion', 1_000_000_000],
]);
/** After an article these count: a hundred, half a million. */
const COUNTED_BY_ARTICLE = /^(?:hundred|dozen|thousand|million|billion)$/;
const ORDINAL_VALUES = new Map(ORDINALS.split(' ').map((word, value) => [word, value]));
ORDINAL_VALUES.set('thirtieth', 30);
const CURRENCIES = new Map([
  ['$', 'dollar'],
  ['€', 'euro'],
  ['£', 'pound'],
  ['¥', 'yen'],
]);
/** First halves of a year in words: nineteen eighty, twenty fifteen. */
const CENTURIES = { from: 15, to: 20 };
const DIGITS = /^\d/;

interface NumberRead {
  readonly value: string;
  readonly currency: string | null;
  readonly next: number;
}

export function joinNumbers(raw: readonly string[]): string[] {
  const words: string[] = [];
  for (let index = 0; index < raw.length; ) {
    const number = readNumber(raw, index);
    if (number !== null) {
      words.push(number.value);
      if (number.currency !== null) words.push(number.currency);
      index = number.next;
      continue;
    }
    words.push(...readWord(raw[index] ?? '', raw[index - 1]));
    index += 1;
  }
  return words;
}

function readWord(word: string, before: string | undefined): string[] {
  if (word.endsWith("'s")) return [word.slice(0, -2), "'s"];
  if (word.endsWith("'")) return [word.slice(0, -1), "'s"];
  if (/^[.?!;]$/.test(word)) return ['¶'];
  if (word === '%') return ['percent'];
  if (word === 'twice' || word === 'thrice') return [word === 'twice' ? '2' : '3', 'times'];
  const currency = CURRENCIES.get(word);
  if (currency !== undefined && DIGITS.test(before ?? '')) return [currency];
  const ordinal = ORDINAL_VALUES.get(word);
  const isUnit =
    word === 'second' && (/^(?:per|a|each|every)$/.test(before ?? '') || DIGITS.test(before ?? ''));
  return ordinal !== undefined && !isUnit ? [`#${ordinal}`] : [word];
}

function readNumber(raw: readonly string[], from: number): NumberRead | null {
  let index = from;
  const currency = CURRENCIES.get(raw[index] ?? '') ?? null;
  if (currency !== null) index += 1;
  const isNegative = raw[index] === 'negative';
  if (isNegative) index += 1;
  const first = raw[index] ?? '';
  // 007 is not a number: it is part of a name.
  if (/^0\d/.test(first)) return null;
  const isDigits = DIGITS.test(first);
  const start = isDigits
    ? { value: Number(first.replaceAll(',', '')), next: index + 1 }
    : startOf(raw, index);
  if (start === null) return null;
  // A version such as 3.12.1 is not a number and stays as it is.
  if (Number.isNaN(start.value)) return { value: first, currency, next: index + 1 };
  const { value, next } = isDigits ? scaled(raw, start) : inWords(raw, start);
  if (isDigits && /^(st|nd|rd|th)$/.test(raw[next] ?? ''))
    return { value: `#${value}`, currency, next: next + 1 };
  const ordinal =
    isDigits || value < 20 || value % 10 !== 0 ? undefined : ORDINAL_VALUES.get(raw[next] ?? '');
  if (ordinal !== undefined && ordinal < 10)
    return { value: `#${value + ordinal}`, currency, next: next + 1 };
  const isAsWritten = isDigits && first.includes('.') && value === Number(first);
  const written = isAsWritten ? first.replaceAll(',', '') : String(value);
  return { value: isNegative ? `-${written}` : written, currency, next };
}

interface Reached {
  readonly value: number;
  readonly next: number;
}

/** The first word of a number: `twenty`, `a hundred`, `half a dozen`; not the pronoun of `a new one`. */
function startOf(raw: readonly string[], index: number): Reached | null {
  const [first = '', second = '', third = ''] = raw.slice(index, index + 3);
  if (first === 'half' && second === 'a' && COUNTED_BY_ARTICLE.test(third))
    return { value: 0.5, next: index + 2 };
  if (first === 'a' && COUNTED_BY_ARTICLE.test(second)) return { value: 1, next: index + 1 };
  if (COUNTED_BY_ARTICLE.test(first)) return { value: 1, next: index };
  const value = VALUES.get(first);
  if (value === undefined) return null;
  const isPronoun =
    /^[.,:;?!]?$/.test(second) ||
    isExact(second) ||
    /^(?:which|this|that|another|the)$/.test(raw[index - 1] ?? '') ||
    /^(?:of|or|that|who|is|with|for|in|on)$/.test(second);
  return first === 'one' && isPronoun ? null : { value, next: index + 1 };
}

/** 5 million, 2 and a half. */
function scaled(raw: readonly string[], { value, next }: Reached): Reached {
  let [total, index] = [value, next];
  for (let scale = scaleAt(raw, index); scale !== undefined; scale = scaleAt(raw, index)) {
    total *= scale;
    index += 1;
  }
  return withHalf(raw, { value: total, next: index });
}

function scaleAt(raw: readonly string[], index: number): number | undefined {
  return SCALES.get((raw[index] ?? '').replace(/^(hundred|thousand|million|billion|dozen)s$/, '$1'));
}

function withHalf(raw: readonly string[], { value, next }: Reached): Reached {
  const part = { half: 0.5, quarter: 0.25 }[raw[next + 2] ?? ''];
  if (part === undefined || raw[next] !== 'and' || raw[next + 1] !== 'a') return { value, next };
  return { value: value + part, next: next + 3 };
}

/** two thousand and eight, seventy-five, twenty fifteen, three point five. */
function inWords(raw: readonly string[], { value, next }: Reached): Reached {
  let [total, group, index] = [0, value, next];
  for (;;) {
    const scale = scaleAt(raw, index);
    if (scale !== undefined) {
      group = (group === 0 ? 1 : group) * scale;
      if (scale >= 1_000) [total, group] = [total + group, 0];
      index += 1;
      continue;
    }
    const skipped = raw[index] === '-' || (raw[index] === 'and' && (group >= 100 || total > 0)) ? 1 : 0;
    const word = VALUES.get(raw[index + skipped] ?? '');
    if (word === undefined || !mayFollow(group, word, total)) break;
    const isYear =
      group < 100 && word >= 10 && group % 10 !== 0 ? true : group < 100 && group > 0 && word >= 10;
    group = isYear ? group * 100 + word : group + word;
    index += 1 + skipped;
  }
  if (raw[index] === 'point' && VALUES.has(raw[index + 1] ?? ''))
    return withDecimals(raw, total + group, index + 1);
  return withHalf(raw, { value: total + group, next: index });
}

/** True if the word continues a number: `seventy five`, `two hundred five`, `nineteen eighty`; not `two three`. */
function mayFollow(group: number, word: number, total: number): boolean {
  if (group === 0) return total > 0;
  if (group >= 100)
    return group % 100 === 0 ? word < 100 : group % 10 === 0 && group % 100 >= 20 && word < 10 && word > 0;
  if (group >= 20 && group % 10 === 0 && word > 0 && word < 10) return true;
  return group >= CENTURIES.from && group <= CENTURIES.to && word >= 10;
}

function withDecimals(raw: readonly string[], whole: number, from: number): Reached {
  let digits = '';
  let index = from;
  for (
    let digit = VALUES.get(raw[index] ?? '');
    digit !== undefined && digit < 100;
    digit = VALUES.get(raw[index] ?? '')
  ) {
    digits += String(digit);
    index += 1;
  }
  return { value: Number(`${whole}.${digits}`), next: index };
}
