/** Words as the ranking compares them: without case and endings, and without common words. */
/** With an end: a run of millions of joined parts overflows the matcher's stack. */
const WORD = /[\p{L}\p{N}]+(?:[.,:'’][\p{L}\p{N}]+){0,64}/gu;

const COMMON = new Set(
  (
    'a about after again all also am an and any are as at be because been before being between both but by can could ' +
    'did do does doing done down during each ever few for from further get gets got had has have having he her here hers ' +
    'him his how i if in into is it its itself just may me might more most must my no nor not of off on once only or ' +
    'other our out over own per s same shall she should so some such t than that the their them then there these they ' +
    'this those through to too under until up upon us very was we were what when where which while who whom whose why ' +
    'will with would you your'
  ).split(' '),
);

/** In order, with repeats. */
export function termsOf(text: string): string[] {
  const words = text.toLowerCase().match(WORD) ?? [];
  return words.filter((word) => !COMMON.has(word)).map(stemOf);
}

/** A rough stem, which finds `repaired` by `repairs`; its errors cost the ranking little. */
function stemOf(word: string): string {
  if (/\p{N}/u.test(word) || word.length < 4) return word;
  const plain = word
    .replace(/['’]s$/, '')
    .replace(/(?:ies|ied)$/, 'y')
    .replace(/(?:es|ed|ing|ly|s|e)$/, '');
  return plain.length < 3 ? word : plain.slice(0, STEM_CHARS);
}

const STEM_CHARS = 6;
