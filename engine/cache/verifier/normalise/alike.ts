/**
 * Writes a prompt as the other one writes it, where only the writing differs: typing errors, words spelled by ear, text
 * messages, compounds in one word or two. Only towards words of the dictionary that the other prompt has, and never
 * away from one, so that another name or word stays another. Quotations, addresses and words in capitals stay as they
 * are.
 */
import { isShortFor } from './abbreviations.ts';
import { isMisspelling } from './misspelling.ts';

interface Word {
  /** In lower case. */
  readonly word: string;
  readonly form: string;
  readonly start: number;
  readonly end: number;
}

interface Prompt {
  readonly text: string;
  readonly words: readonly Word[];
  readonly all: ReadonlySet<string>;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly by: string;
}

/** Quotations, addresses, paths and identifiers. Bounded, so that no text takes long. */
const KEPT = [
  String.raw`"[^"\n]{0,500}"|“[^”\n]{0,500}”|\x60[^\x60\n]{0,500}\x60`,
  String.raw`(?:https?:|www\.)\S{1,500}|[^\s@]{1,80}@\S{1,80}|[^\s\\/_=]{0,80}[\\/_=]\S{0,80}`,
].join('|');
const KEPT_OR_WORD = new RegExp(String.raw`(${KEPT})|[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}]+)*`, 'gu');
const ACRONYM = /^\p{Lu}[\p{Lu}\p{N}]{1,3}$/u;
/** A letter with a mark is no error: sí is not si. */
const PLAIN = /^[a-z]+$/;
/** `shld` is no short form of `shouldn't`. */
const NEGATED =
  /n't$|^(?:ca|do|wo|is|are|was|were|does|did|could|should|would|has|have|had|must|need)nt$|^cannot$/u;
const SPELLED_OUT =
  /(?<![\p{L}\p{N}.])(?:\p{L}(?:\.\p{L}){2,8}|\p{Lu}\.\p{Lu})\.?(?!\p{L})|(?<![\p{L}\p{N}'’])\p{L}(?: \p{L}){2,8}(?![\p{L}\p{N}'’])/gu;
const BETWEEN_PARTS = /^ $/;
/** There, each letter counts. */
const ABOUT_SPELLING =
  /\b(?:spell\w*|typos?|misspell\w*|letters?|characters?|vowels?|consonants?|syllables?|rhym\w*|pronounc\w*|pronunciation|gramma\w*|proofread\w*|correct\w*|punctuat\w*|capitali[sz]\w*|anagrams?|palindromes?|hyphen\w*|plurals?|apostrophes?|the words?|means?|meaning|stands? for|definition|define|slang|abbreviat\w*|acronyms?|etymolog\w*|encode\w*|decode\w*|md5|sha-?\d+|base64|regex\w*|variables?|strings?)\b/iu;
/** Reading more would not be two versions of one prompt. */
const MOST_WORDS = 250;

/** What people type instead of a word; none is another word. */
const TEXTED = new Map(
  (
    "wats what is;whts what is;wots what is;hw how;d'you do you;frm from;hv have;hav have;havnt have not;hvnt have not;" +
    'some1 someone;any1 anyone;every1 everyone;no1 no one;in2 into;2day today;2nite tonight;2moro tomorrow;shud should;' +
    'cud could;wud would;wen when;hafta have to;jst just;nxt next;n and;w with;r are;u you;ur your;y why;cos because;' +
    'cus because;wht what;wher where;whch which;pts points;grp group;cals calories;tel tell;al all;bout about;da the;' +
    'dont do not;nite night;lite light;gr8 great;m8 mate;pls please;plz please;plss please;tnx thanks;thnks thanks;' +
    'msgs messages;yrs years;dys days;dy day;mths months;mth month;wks weeks;wk week;hrs hours;thru through;tho though'
  )
    .split(';')
    .map((entry) => {
      const at = entry.indexOf(' ');
      return [entry.slice(0, at), entry.slice(at + 1)] as const;
    }),
);
/** Words that are taken for each other: only where the other prompt has the one, and this one lacks it. */
const CONFUSED = new Map(
  (
    "then than;than then;your you're;there their;their there;its it's;to too;too to;dose does;does dose;form from;" +
    'from form;payed paid;loose lose;lose loose;weather whether;witch which;off of;of off;here hear;our are;quiet quite'
  )
    .split(';')
    .map((entry) => entry.split(' ') as [string, string]),
);
/** A digit for a word of the same sound, where the other prompt has the word, and neither a 2 nor a two. */
const SOUNDING: Readonly<Record<string, { readonly words: readonly string[]; readonly number: RegExp }>> = {
  2: { words: ['to', 'too'], number: /(?<![\d.,])2(?![\d.,])|\b(?:two|2nd|second)\b/iu },
  4: { words: ['for'], number: /(?<![\d.,])4(?![\d.,])|\b(?:four|4th|fourth)\b/iu },
};
/** There, a digit is no number: `4 my dog`. */
const BEFORE_THING = /^ (?:an?|the|my|your|his|her|our|their|me|him|us|them|all)\b/iu;

/** @param isKnown whether a word in lower case is in the dictionary, in any form. */
export function writeAlike(text: string, other: string, isKnown: (word: string) => boolean): string {
  if (ABOUT_SPELLING.test(text) || ABOUT_SPELLING.test(other)) return text;
  const theirs = readPrompt(other);
  const own = readPrompt(withoutDots(text, theirs));
  if (own.words.length > MOST_WORDS || theirs.words.length > MOST_WORDS) return text;
  const edits: Edit[] = [];
  for (let at = 0; at < own.words.length; at += 1) {
    const joined = asOneWord(own, at, theirs);
    const edit = joined ?? editOf(own, at, theirs, isKnown);
    if (edit !== null) edits.push(edit);
    if (joined !== null) at += 1;
  }
  return edits.reduceRight(
    (rest, { start, end, by }) => rest.slice(0, start) + by + rest.slice(end),
    own.text,
  );
}

/** U.K. is UK, and g d p r is gdpr, if the other prompt has it so. */
function withoutDots(text: string, { all }: Prompt): string {
  return text.replace(SPELLED_OUT, (letters) => {
    const joined = letters.replace(/[. ]/gu, '');
    return all.has(joined.toLowerCase()) ? joined : letters;
  });
}

function readPrompt(text: string): Prompt {
  const words = [...text.matchAll(KEPT_OR_WORD)]
    .filter(([, kept]) => kept === undefined)
    .map(({ 0: form, index }) => ({
      word: form.toLowerCase().replaceAll('’', "'"),
      form,
      start: index,
      end: index + form.length,
    }));
  return { text, words, all: new Set(words.map(({ word }) => word)) };
}

/** `dead line`, if the other prompt has `deadline`. */
function asOneWord(own: Prompt, at: number, theirs: Prompt): Edit | null {
  const [first, second] = [own.words[at], own.words[at + 1]];
  if (first === undefined || second === undefined) return null;
  if (!BETWEEN_PARTS.test(own.text.slice(first.end, second.start))) return null;
  const joined = first.word + second.word;
  if (/\p{N}/u.test(joined) || own.all.has(joined) || !theirs.all.has(joined)) return null;
  return { start: first.start, end: second.end, by: formOf(joined, theirs) };
}

function editOf(own: Prompt, at: number, theirs: Prompt, isKnown: (word: string) => boolean): Edit | null {
  const each = own.words[at];
  if (each === undefined || theirs.all.has(each.word)) return null;
  const by = writtenAs(own, at, theirs, isKnown);
  return by === undefined ? null : { start: each.start, end: each.end, by };
}

/** How the other prompt writes this word, which it lacks as it stands; undefined: it is another. */
function writtenAs(
  own: Prompt,
  at: number,
  theirs: Prompt,
  isKnown: (word: string) => boolean,
): string | undefined {
  const each = own.words[at];
  if (each === undefined) return undefined;
  const { word, form } = each;
  if (word in SOUNDING) return soundingLike(own, at, theirs);
  if (ACRONYM.test(form)) return undefined;
  const apart = asTwoWords(word, theirs);
  if (apart !== undefined) return apart;
  const texted = TEXTED.get(word);
  if (texted !== undefined && !isAmongLetters(own.words, at)) {
    // in2 may also be a slip of the finger, and r a language.
    const isPlain = PLAIN.test(word) && word.length > 2;
    const isMeant = isPlain || texted.split(' ').every((part) => theirs.all.has(part));
    return isMeant ? texted : undefined;
  }
  const confused = CONFUSED.get(word);
  if (confused !== undefined && theirs.all.has(confused) && !own.all.has(confused)) return confused;
  if (!isWhole(each, own) || isKnown(word)) return undefined;
  return meantBy(word, own, theirs, isKnown)?.form;
}

/** `dead line` for `deadline`, if the other prompt has it so. */
function asTwoWords(word: string, { text, words }: Prompt): string | undefined {
  if (/\p{N}/u.test(word)) return undefined;
  for (const [at, first] of words.entries()) {
    const second = words[at + 1];
    if (second === undefined || first.word + second.word !== word) continue;
    if (BETWEEN_PARTS.test(text.slice(first.end, second.start))) return text.slice(first.start, second.end);
  }
  return undefined;
}

/** Between the same words as in the other prompt, or before an article or the like. */
function soundingLike(own: Prompt, at: number, theirs: Prompt): string | undefined {
  const digit = own.words[at];
  const sounding = SOUNDING[digit?.word ?? ''];
  if (digit === undefined || sounding === undefined || sounding.number.test(theirs.text)) return undefined;
  if (BEFORE_THING.test(own.text.slice(digit.end))) return sounding.words[0];
  const around = (words: readonly Word[], place: number) =>
    [words[place - 1]?.word ?? '', words[place + 1]?.word ?? ''].join(' ');
  return theirs.words.find(
    ({ word }, place) =>
      sounding.words.includes(word) && around(theirs.words, place) === around(own.words, at),
  )?.word;
}

/** The n of `c n 22` is a letter. */
function isAmongLetters(words: readonly Word[], at: number): boolean {
  const isLetter = (word: Word | undefined) => word !== undefined && /^\p{L}$/u.test(word.word);
  return isLetter(words[at]) && (isLetter(words[at - 1]) || isLetter(words[at + 1]));
}

/** The word of the dictionary, in the other prompt, that this one is a wrong spelling of. */
function meantBy(
  word: string,
  own: Prompt,
  theirs: Prompt,
  isKnown: (word: string) => boolean,
): Word | undefined {
  const likely = theirs.words.filter(
    (other) => isWhole(other, theirs) && !NEGATED.test(other.word) && isKnown(other.word),
  );
  const lacking = likely.filter(({ word: other }) => !own.all.has(other));
  return (
    lacking.find(({ word: other }) => isMisspelling(word, other)) ??
    lacking.find(({ word: other }) => isShortFor(word, other)) ??
    likely.find(({ word: other }) => isMisspelling(word, other))
  );
}

/** Of letters alone, and no part of a word with a hyphen. */
function isWhole({ word, start, end }: Word, { text }: Prompt): boolean {
  return PLAIN.test(word) && text[start - 1] !== '-' && text[end] !== '-';
}

function formOf(word: string, { words }: Prompt): string {
  return words.find((each) => each.word === word)?.form ?? word;
}
