/** Recognises a continuation that begins with the end of the answer again: its last sentence, or last characters. */
import { LIMITS } from '../../contracts/limits.ts';

/** At the beginning of a sentence or line. */
const LEAST_SENTENCE_CHARS = 8;
/** At the beginning of a word. */
const LEAST_WORDS_CHARS = 16;

/** How many characters at the beginning of `text` repeat the end of the answer; 0 if it continues. */
export function repeatedEndChars(end: string, text: string): number {
  for (let chars = Math.min(end.length, text.length); chars >= LEAST_SENTENCE_CHARS; chars -= 1) {
    if (text.startsWith(end.slice(-chars))) return isRepeatedEnd(end, chars) ? chars : 0;
  }
  return 0;
}

/** Whether so many characters are no coincidence. What repeats itself, as rows of a table do, may do so again. */
export function isRepeatedEnd(end: string, chars: number): boolean {
  const repeated = end.slice(-chars);
  const start = end.length - chars;
  if (end.indexOf(repeated) !== start || isPeriodic(repeated)) return false;
  if (chars >= LIMITS.leastContinuedChars) return true;
  const before = end.slice(0, start);
  if (before === '' || /(?:[.!?:;]["')\]]*\s+|\n\s*)$/.test(before)) return chars >= LEAST_SENTENCE_CHARS;
  return /\s$/.test(before) && chars >= LEAST_WORDS_CHARS;
}

/** Whether a text consists of a shorter one, over and over: 0, 0, 0, */
function isPeriodic(text: string): boolean {
  for (let period = 1; period <= text.length / 2; period += 1) {
    if (text.startsWith(text.slice(period))) return true;
  }
  return false;
}
