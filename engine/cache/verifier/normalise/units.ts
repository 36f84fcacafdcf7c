/** Units, and what a number of them is in the base unit of its dimension. */

interface Unit {
  /** Units of one dimension with a factor are converted; the others are equal only to themselves. */
  readonly dimension: string;
  readonly factor: number | null;
}

/** Dimension, then each unit with its factor (none: not converted) and its names. */
const TABLE = `
time s=1 second sec s;min=60 minute min mins;h=3600 hour hr h;day=86400 day d;week=604800 week wk;month=2629746 month mth;year=31556952 year yr;decade=315569520 decade;century=3155695200 century;ms=0.001 millisecond ms;us=0.000001 microsecond;ns=0.000000001 nanosecond
length mm=0.001 millimeter millimetre mm;cm=0.01 centimeter centimetre cm;m=1 meter metre m;km=1000 kilometer kilometre km kms;in=0.0254 inch inche inches in;ft=0.3048 foot ft feet;yd=0.9144 yard yd;mi=1609.344 mile mi
mass mcg=0.000001 microgram mcg ug µg;mg=0.001 milligram mg;g=1 gram gramme g gm;kg=1000 kilogram kilo kg kgs kilogramme;t=1000000 ton tonne;oz=28.349523125 ounce oz;st=6350.29318 stone
pound lb pound lb lbs gbp sterling
volume ml=1 milliliter millilitre ml;cl=10 centiliter cl;dl=100 deciliter dl;l=1000 liter litre l ltr;gal gallon;pt pint;cup cup;tbsp tablespoon tbsp;tsp teaspoon tsp
data bit bit;byte=1 byte;kb=1000 kilobyte kb;mb=1000000 megabyte mb;gb=1000000000 gigabyte gb gig gigs;tb=1000000000000 terabyte tb;mib mi mib mebibyte;gib gi gib gibibyte;kib ki kib kibibyte;tib ti tib tebibyte
rate mbps mbps megabit mbit;gbps gbps gigabit gbit;kbps kbps kilobit
temperature c celsius centigrade;f fahrenheit;k kelvin;degree degree deg
money usd dollar usd us_dollar;eur euro eur;yen yen jpy;rupee rupee inr;franc franc chf;cent cent;pence penny pence p;yuan yuan;peso peso
angle rad radian
speed mph mph;kmh kmh kph
energy kcal kcal calorie;kj kj kilojoule;kwh kwh;joule joule;ev ev
power watt watt w;kw kw kilowatt;mw megawatt
electric volt volt v;mv mv millivolt;amp amp ampere a;ma ma milliamp;ohm ohm;hz hertz hz;khz khz;mhz mhz;ghz ghz
pressure psi psi;bar bar;pa pascal;kpa kpa;atm atmosphere
force n newton;nm nm newton_meter
share percent percent percentage pct
text word word;sentence sentence;line line;page page;paragraph paragraph;character character char
`;

const UNITS = new Map<string, { readonly name: string } & Unit>();
for (const row of TABLE.trim().split('\n')) {
  const [dimension = '', ...rest] = row.split(' ');
  for (const entry of rest.join(' ').split(';')) {
    const [head = '', ...names] = entry.split(' ');
    const [name = '', factor] = head.split('=');
    for (const each of names) {
      UNITS.set(each, { name, dimension, factor: factor === undefined ? null : Number(factor) });
    }
  }
}
/** Letters that are units only right after a number. */
const ONLY_AFTER_NUMBER = new Set('s h d m g l t c f k n w v a p in min st mi ft ma bar'.split(' '));
/** Words that are units only with a number. */
const ALSO_COMMON = new Set(
  'second foot yard stone ton cup pound bar cent page line word degree sentence character paragraph mi'.split(
    ' ',
  ),
);

export function unitAfterNumber(lemma: string): string | null {
  const temperature = { c: 'c', f: 'f', k: 'k' }[lemma];
  return temperature ?? UNITS.get(lemma)?.name ?? null;
}

/** @returns the unit that a word names without a number: `in newtons`; null for words that may be anything else. */
export function unitNamedBy(lemma: string): string | null {
  if (ONLY_AFTER_NUMBER.has(lemma) || ALSO_COMMON.has(lemma)) return null;
  return UNITS.get(lemma)?.name ?? null;
}

const BY_NAME = new Map([...UNITS.values()].map((unit) => [unit.name, unit] as const));

export function dimensionOf(unit: string): string {
  return BY_NAME.get(unit)?.dimension ?? unit;
}

/** @returns null if the unit is not converted. */
export function inBaseUnit(value: number, unit: string): number | null {
  const factor = BY_NAME.get(unit)?.factor ?? null;
  return factor === null ? null : value * factor;
}
