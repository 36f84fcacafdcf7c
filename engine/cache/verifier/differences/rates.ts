/** 20 m/s and 20 km/h, 30 °C and 30 °F, $20 an hour and $20 a day: one number of two compound units. */
import { dimensionOf, unitAfterNumber } from '../normalise/units.ts';
import type { Difference } from './difference.ts';

const NUMBER = String.raw`(?<![\p{L}\d.,])(\d+(?:[.,]\d+)*)`;
const RATE = new RegExp(
  String.raw`${NUMBER}\s?([\p{L}µ€£%]{1,12})?\s?(\/|\b(?:per|an?|each|every)\b)\s?(\p{L}{1,12})\b`,
  'giu',
);
const TEMPERATURE = new RegExp(String.raw`${NUMBER}\s?°\s?([CF])\b`, 'giu');
/** Units that are written as one word. */
const WRITTEN = new RegExp(String.raw`${NUMBER}\s?(kmh|kph|mph)\b`, 'giu');
const MEANT: Readonly<Record<string, string>> = { kmh: 'km/h', kph: 'km/h', mph: 'mi/h' };
const SIGNS: Readonly<Record<string, string>> = { '€': 'eur', '%': 'percent' };
/** Amounts of substance, which are no units elsewhere. */
const MOLES = /^(?:[munpµ]?mol|(?:milli|micro|nano)?moles?)$/;
const DENOMINATORS = new Set(['time', 'length', 'mass', 'volume']);
/** `a second laptop` is no rate. */
const ORDINAL = /^seconds?$/i;

interface Rate {
  /** null: another thing than a unit, such as requests, or nothing. */
  readonly of: string | null;
  readonly by: string | null;
}

export function differentRate(
  prompt: string,
  other: string,
  lemmatize: (word: string) => string,
): Difference | null {
  const [own, theirs] = [ratesIn(prompt, lemmatize), ratesIn(other, lemmatize)];
  for (const [value, rate] of own) {
    const there = theirs.get(value);
    if (rate === null || there === undefined || there === null) continue;
    const isOther = rate.by !== there.by || (rate.of !== null && there.of !== null && rate.of !== there.of);
    if (isOther) return { kind: 'unit', detail: `${value} ${nameOf(rate)} and ${nameOf(there)}` };
  }
  return null;
}

function nameOf({ of, by }: Rate): string {
  return `${of ?? ''}/${by ?? ''}`;
}

/** Each number with its rate; null where it has several. */
function ratesIn(text: string, lemmatize: (word: string) => string): Map<string, Rate | null> {
  const rates = new Map<string, Rate | null>();
  const add = (value: string, rate: Rate) => {
    const known = rates.get(value);
    const isNew = known === undefined || (known !== null && nameOf(known) === nameOf(rate));
    rates.set(value, isNew ? rate : null);
  };
  const unitOf = (word: string): string | null => {
    const lower = word.toLowerCase();
    if (MOLES.test(lower)) return lower.replace(/moles?$/, 'mol').replace('milli', 'm');
    const unit = SIGNS[lower] ?? unitAfterNumber(lemmatize(lower));
    // Pounds are money or a weight.
    return unit === 'lb' || unit === 'pound' ? null : unit;
  };
  for (const [, value = '', of = '', between = '', by = ''] of text.matchAll(RATE)) {
    const unit = unitOf(by);
    const isOrdinal = ORDINAL.test(by) && between !== '/';
    if (unit === null || isOrdinal || !DENOMINATORS.has(dimensionOf(unit))) continue;
    add(value, { of: unitOf(of), by: unit });
  }
  for (const [, value = '', scale = ''] of text.matchAll(TEMPERATURE)) {
    add(value, { of: scale.toLowerCase(), by: null });
  }
  for (const [, value = '', written = ''] of text.matchAll(WRITTEN)) {
    const [of = null, by = null] = MEANT[written.toLowerCase()]?.split('/') ?? [];
    add(value, { of, by });
  }
  return rates;
}
