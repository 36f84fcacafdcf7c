/**
 * Whether a prompt is English, which the rules and the model read. A prompt in another language must not reach them:
 * they would not see its negations. What an English prompt is about may be in any language; that part is a quotation.
 */
import { eld } from 'eld/extrasmall';
import { BoundedMap } from '../../../platform/bounded-map.ts';

export interface LanguageReading {
  readonly isEnglish: boolean;
  /** Of an English prompt, the parts in another language, in their order: they must be equal. */
  readonly foreign: readonly string[];
}

const REMEMBERED = 500;
/** No opening mark inside: a text of opening marks alone is read once, not once for each of them. */
const QUOTED = /"[^"]*"|“[^“”]*”|„[^„“”]*[“”]|«[^«»]*»|‹[^‹›]*›|`[^`]*`|「[^「」]*」|『[^『』]*』|‘[^‘’]*’/gu;
/** A run of words in a script that English does not use. */
const OTHER_SCRIPT =
  /(?:(?!\p{Script=Latin})[\p{L}\p{M}])+(?:[\s\p{N}、。・，]*(?:(?!\p{Script=Latin})[\p{L}\p{M}])+)*/gu;
/** Signs of units and formulas, such as Ω and µ, and marks of emoji are no words. */
const FOREIGN_WORD = /(?!\p{Script=Latin}|\p{Script=Greek}|\p{Script=Common})\p{L}|\p{Script=Greek}{2}/u;
const WORD = /\p{L}[\p{L}\p{M}’']*/gu;
/** The task, and what it is to be done with: `Translate into English: ...`. */
const TASK_AND_TEXT = /^([^:\n]{4,200})(?::\s|\n)([\s\S]+)$/u;
const LEAST_TASK_WORDS = 2;
const FEW_WORDS = 2;
/** Shares of the words: other languages share many with English, and its writers make typing errors. */
const MOST_KNOWN = 0.6;
const NEARLY_ALL_KNOWN = 0.85;
/** Scores are from 0 to 1, and those of related languages are close. */
const CLOSE_SCORES = 0.12;

/** @param isWord whether a word in lower case is in the English dictionary. */
export function createLanguageReader(isWord: (word: string) => boolean): (text: string) => LanguageReading {
  const readings = new BoundedMap<string, LanguageReading>(REMEMBERED);
  const isEnglish = (text: string) => isEnglishText(text, isWord);
  return (text) => readings.getOrCreate(text, () => readLanguage(text, isEnglish));
}

function readLanguage(text: string, isEnglish: (text: string) => boolean): LanguageReading {
  const quoted = text.match(QUOTED) ?? [];
  const unquoted = text.replace(QUOTED, ' ');
  const runs = unquoted.match(OTHER_SCRIPT) ?? [];
  const outer = unquoted.replace(OTHER_SCRIPT, ' ');
  const words = outer.match(WORD)?.length ?? 0;
  // Latin words in a text of another script are names.
  if (runs.join('').length > 0 && (words < LEAST_TASK_WORDS || runs.join('').length > outer.length)) {
    return { isEnglish: false, foreign: [] };
  }
  // An English quotation is compared with what the other prompt says.
  const isForeign = (quotation: string) => !isEnglish(quotation.slice(1, -1));
  const foreign = [...quoted.filter(isForeign), ...runs.filter((run) => FOREIGN_WORD.test(run))];
  const [, task = '', material = ''] = TASK_AND_TEXT.exec(text) ?? [];
  const hasTask = (task.match(WORD)?.length ?? 0) >= LEAST_TASK_WORDS;
  if (hasTask && !isEnglish(material) && isEnglish(task.replace(QUOTED, ' '))) {
    return { isEnglish: true, foreign: [...foreign, material.trim()] };
  }
  return isEnglish(outer) ? { isEnglish: true, foreign } : { isEnglish: false, foreign: [] };
}

function isEnglishText(text: string, isWord: (word: string) => boolean): boolean {
  const all = text.match(WORD) ?? [];
  // Numbers, signs and names are the same in all languages.
  const words = all.filter((word, at) => at === 0 || !/^\p{Lu}/u.test(word));
  if (words.length === 0) return true;
  const known = words.filter((word) => isEnglishWord(word, isWord)).length / words.length;
  // Letters say little of one or two words.
  if (all.length <= FEW_WORDS && known === 1) return true;
  const detected = eld.detect(text);
  const { en = 0, ...others } = detected.getScores();
  const next = Math.max(0, ...Object.values(others));
  if (detected.language === 'en') return known >= MOST_KNOWN || en - next >= CLOSE_SCORES;
  const isClose = detected.language === '' || next - en < CLOSE_SCORES;
  return all.length > FEW_WORDS && known >= NEARLY_ALL_KNOWN && isClose;
}

const SHORT_ENGLISH = new Set(
  (
    'a i an am as at be by do go he hi if in is it me my no of ok on or so to up us we vs pc tv id ip ui ai us uk eu hr ' +
    'it’s i’m'
  ).split(' '),
);

/** The dictionary has chemical signs and states among its words of two letters. */
export function isEnglishWord(word: string, isWord: (word: string) => boolean): boolean {
  const lower = word.toLowerCase().replace(/[’']s?$/u, '');
  if (lower.length <= 2) return SHORT_ENGLISH.has(lower);
  return /^[a-z’']+$/.test(lower) && (FUNCTION_WORDS.has(lower) || isWord(lower));
}

/** The dictionary has nouns, verbs, adjectives and adverbs only. */
const FUNCTION_WORDS = new Set(
  (
    'the and but for nor not yet you your yours our ours his her hers its their theirs them they she him who whom whose ' +
    'what which when where why how that this these those with without from into onto than then there here about above ' +
    'after against along among around before behind below beneath beside between beyond despite down during except ' +
    'inside near off out outside over past per since through throughout till toward under until upon via versus within ' +
    'are was were been being has have had having does did doing can could may might must shall should will would ought ' +
    'any all both each every either neither none some such many much more most other another else only just also very ' +
    'too please because although though unless whether while whereas anyone anything everyone everything someone ' +
    "something nobody nothing myself yourself itself themselves ourselves don't doesn't didn't isn't aren't wasn't " +
    "can't couldn't won't wouldn't shouldn't haven't hasn't i'm i've i'd i'll you're you've it's that's what's who's " +
    "where's how's there's let's we're we've they're dont doesnt didnt isnt cant wont im ive whats hows"
  ).split(' '),
);
