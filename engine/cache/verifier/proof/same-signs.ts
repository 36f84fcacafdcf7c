/**
 * What the words cannot outweigh in a proof that two prompts are the same: other signs, and the same words with
 * different characters between them.
 */
import { withoutMarks } from '../normalise/spelling.ts';
import type { PromptReading } from '../read-prompt.ts';
import { agree } from '../writing.ts';

/** Whether both have the same quotations and signs in the same order, and are written alike. */
export function haveSameSigns(left: PromptReading, right: PromptReading): boolean {
  return (
    left.exact.length === right.exact.length &&
    left.exact.every((word, index) => word === right.exact[index]) &&
    agree(left.writing, right.writing)
  );
}

/** No user rephrases a question by one sign or letter: it is a typing error, or the reason to ask again. */
export function isSlip(a: string, b: string): boolean {
  return differOnlyInSigns(a, b) || isOneInsertion(a, b) || differOnlyInMarks(a, b);
}

const NUMERIC_DATE = /(?<!\d)\d{1,4}([-/.])\d{1,2}\1\d{1,4}(?!\d)/gu;
const ABOUT_FORMATS =
  /\b(?:regex\w*|formats?|formatted|patterns?|pars\w+|like|convert\w*|match\w*|written|looks?)\b/iu;

/** A regex for dates such as 2024-03-31 is none for 31-03-2024. */
export function writeDatesAlike(a: string, b: string): boolean {
  if (!ABOUT_FORMATS.test(a) && !ABOUT_FORMATS.test(b)) return true;
  const shapesOf = (text: string) =>
    (text.match(NUMERIC_DATE) ?? []).map((date) => date.replace(/\d{4}/u, 'y').replace(/\d+/gu, 'd'));
  return shapesOf(a).join() === shapesOf(b).join();
}

function differOnlyInSigns(a: string, b: string): boolean {
  const wordsOf = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{M}\p{N}]+/gu, '');
  const shown = (text: string) => text.toLowerCase().replace(/\s+/g, '');
  return shown(a) !== shown(b) && wordsOf(a) === wordsOf(b);
}

/** Tones, accents and vowel signs: sí is not si. */
function differOnlyInMarks(a: string, b: string): boolean {
  return a.normalize('NFC') !== b.normalize('NFC') && withoutMarks(a) === withoutMarks(b);
}

/** One text is the other with one more character, which is not a space. */
function isOneInsertion(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  let at = 0;
  while (at < short.length && short[at] === long[at]) at += 1;
  const inserted = long.slice(at, at + long.length - short.length);
  return (
    [...inserted].length === 1 &&
    inserted.trim() !== '' &&
    short.slice(at) === long.slice(at + inserted.length)
  );
}
