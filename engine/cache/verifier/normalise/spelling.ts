/** British and American spelling, and typing errors. */

const VARIANTS: readonly (readonly [RegExp, string])[] = [
  [/^(.{2,})is(e|es|ed|ing|er|ers|ation|ations)$/, '$1iz$2'],
  [/^(.{2,})ys(e|es|ed|ing|er|ers)$/, '$1yz$2'],
  [/^(behavi|col|fav|flav|hon|hum|lab|neighb|harb|rum|vap|od|arm|sav|vig|endeav)our(.*)$/, '$1or$2'],
  [
    /^(travel|cancel|label|model|level|signal|total|fuel|jewel|counsel|marvel|quarrel|channel)l(ed|ing|er|ers|ery)$/,
    '$1$2',
  ],
  [/^(catalog|dialog|analog|monolog|prolog|epilog)ue(s?)$/, '$1$2'],
  [/^(orthop|p|gyn|h|an|f|ch|pal|encyclop)ae(.{2,})$/, '$1e$2'],
  [/^(di|o)(arrh|str)oea(.*)$/, '$1$2ea$3'],
];
const WHOLE = new Map(
  (
    'grey gray;tyre tire;tyres tires;kerb curb;plough plow;programme program;programmes programs;cheque check;' +
    'cheques checks;storey story;aluminium aluminum;moustache mustache;pyjamas pajamas;sceptical skeptical;' +
    'practise practice;mum mom;mums moms;mam mom;maths math;tsp teaspoon;diarrhoea diarrhea;oestrogen estrogen;' +
    'haemoglobin hemoglobin;anaemia anemia;paediatric pediatric;orthopaedic orthopedic;foetus fetus;draught draft;' +
    'jewellery jewelry;centre center;centres centers;theatre theater;theatres theaters;metre meter;metres meters;' +
    'litre liter;litres liters;fibre fiber;fibres fibers;calibre caliber;sombre somber;spectre specter;' +
    'learnt learned;burnt burned;spelt spelled;dreamt dreamed;leapt leaped;analogue analog;judgement judgment;' +
    'ageing aging;cosy cozy;doughnut donut;yoghurt yogurt;omelette omelet;whisky whiskey;ax axe;tonne ton;' +
    'colour color;per_cent percent;licence license;defence defense;offence offense;skilful skillful;enrol enroll'
  )
    .split(';')
    .map((pair) => pair.split(' ') as [string, string]),
);

/** @returns the American spelling; the word itself if it has no other. */
export function americanSpelling(word: string, isKnown: (word: string) => boolean): string {
  const whole = WHOLE.get(word);
  if (whole !== undefined) return whole;
  for (const [pattern, replacement] of VARIANTS) {
    if (!pattern.test(word)) continue;
    const variant = word.replace(pattern, replacement);
    if (!variant.includes('@') && isKnown(variant)) return variant;
  }
  return word;
}

/** Without accents, tones and vowel signs, decomposed (NFD). */
export function withoutMarks(text: string): string {
  return text.normalize('NFD').replace(/\p{M}+/gu, '');
}

/** Shorter words are too near to too many others. */
const FEWEST_LETTERS = 4;
const LETTERS_FOR_TWO_EDITS = 8;

/**
 * True if the word is the other one with a typing error: a letter that is missing, doubled, wrong or exchanged with its
 * neighbour; two in a long word. Nobody mistypes the first letter without seeing it.
 */
export function isTypoOf(word: string, other: string): boolean {
  if (word.length < FEWEST_LETTERS - 1 || other.length < FEWEST_LETTERS || word[0] !== other[0]) return false;
  if (!/^\p{L}+$/u.test(word) || !/^\p{L}+$/u.test(other)) return false;
  const most = Math.min(word.length, other.length) >= LETTERS_FOR_TWO_EDITS ? 2 : 1;
  return isWithin(most, word, other);
}

/** Edits: a letter more, less or other, or two neighbours exchanged. */
function isWithin(edits: number, a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > edits) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  const [restA, restB] = [a.slice(start), b.slice(start)];
  if (restA === restB) return true;
  if (edits === 0) return false;
  if (restA[0] === restB[1] && restA[1] === restB[0] && isWithin(edits - 1, restA.slice(2), restB.slice(2)))
    return true;
  return (
    isWithin(edits - 1, restA.slice(1), restB) ||
    isWithin(edits - 1, restA, restB.slice(1)) ||
    isWithin(edits - 1, restA.slice(1), restB.slice(1))
  );
}
