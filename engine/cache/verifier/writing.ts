/**
 * How a prompt is written, as far as that is part of the question: the case of letters that distinguishes words (us and
 * US, mW and MW, polish and Polish), white space that is more than a space (indents, lines, tabs), and each letter of a
 * text that is the subject as a text (spell it, translate it, correct it). The words alone show none of this.
 */
export interface Writing {
  /** The forms of each word by its lower case, in their order; `''` if the start of a sentence hides the form. */
  readonly forms: ReadonlyMap<string, readonly string[]>;
  /** The words, in lower case, that become another word in another case. */
  readonly caseMatters: ReadonlySet<string>;
  /** White space between words that is not one space, each with the text before it. */
  readonly layout: string;
  /** Words that occur twice in a row, in their order: in a prompt that sorts, counts or spells words, each counts. */
  readonly repeated: string;
  /** The text after the first colon or on the next lines: the material of the question. */
  readonly given: string;
  /** The words of a prompt about a text; null for a prompt about anything else. */
  readonly text: string | null;
}

export interface WritingGrammar {
  /** True if the dictionary has the word in lower case. */
  readonly isCommon: (word: string) => boolean;
}

const WORD = /\p{L}[\p{L}\p{M}\d]*/gu;
const SENTENCE_START = /(?:^|[.?!:¿¡\n])[\s"'“‘(¿¡]*$/u;
/** The most characters before a word that decide whether it starts a sentence. */
const LOOK_BACK = 8;
const AFTER_NUMBER = /\d\s?$/;
const MOST_UNIT_CHARS = 3;
/** Names that users also write in lower case, and that are not mistaken for the common word. */
export const FREE_NAMES = new Set(['git', 'python', 'java', 'i']);
/** The dictionary has nouns, verbs and adjectives only, so it lacks these. */
const FUNCTION_WORDS = new Set(
  (
    'us it who or and in is me am so no he she we they you my our your his her its may will can do does did has have had ' +
    'as at by for from of on to with into than then that this these those what when where which why how if but not nor ' +
    'be was were are the a an i all any some none'
  ).split(' '),
);
const LANGUAGES =
  'french|german|spanish|italian|portuguese|dutch|polish|russian|turkish|arabic|hebrew|hindi|chinese|mandarin|japanese|' +
  'korean|latin|greek|swedish|danish|norwegian|finnish|english';
/** Words of a prompt that asks about the letters, words, grammar, encoding or translation of a text. */
const ABOUT_TEXT = new RegExp(
  `\\b(?:${[
    'spell\\w*|rhym\\w*|(?:letters|characters|words) (?:are|in|of|does)|(?:first|last) letter|vowels?|consonants?|syllables?',
    'alphabet\\w*|the words?|an? word|sentences?|phrases?|synonyms?|antonyms?|plurals?|singular|tenses?|pronounc\\w*',
    'pronunciation|gramma\\w*|proofread\\w*|correct|corrected|corrections?|rewrite|reword|rephrase|paraphrase|punctuat\\w*',
    'capitali[sz]\\w*|capitals|anagrams?|palindromes?|abbreviat\\w*|translat\\w*|conjugat\\w*|hyphen\\w*|typos?|etymolog\\w*',
    'prefix\\w*|suffix\\w*|stem|nouns?|verbs?|adjectives?|adverbs?|apostrophes?|acronyms?|initials|backwards',
    'write (?:your|its)|the string|md5|sha-?\\d+|base64|morse|encode[sd]?|decode[sd]?|scrabble|origin of',
    `sign language|in (?:${LANGUAGES})|(?:${LANGUAGES}) (?:for|word)`,
  ].join('|')})\\b`,
  'iu',
);
/** Words of asking, which say nothing about the text. */
const ASKING = new Set(
  'please how do does i you one what is are the of in to for can could would tell me give a an it this that there'.split(
    ' ',
  ),
);
/** A clause that asks for something to be done with the text behind its colon. */
const GIVEN =
  /\b(?:fix|edit|improve|polish|shorten|simplify|extend|summari[sz]e|make|turn|sort|order|rank|count|reverse|pick|choose|longest|shortest|sum|average|classify|label|sentiment|check|review|complete|continue|fill|extract|find|explain|spaces|lines|valid|correct|this|following)\b[^:"“`]{0,80}:\s+([^"“`]*)$/isu;
const QUOTED = /"[^"\n]+"|“[^”\n]+”|`[^`\n]+`/u;

export function readWriting(text: string, { isCommon }: WritingGrammar): Writing {
  const forms = new Map<string, string[]>();
  const caseMatters = new Set<string>();
  const repeated: string[] = [];
  let end = 0;
  let last = '';
  for (const { 0: form, index } of text.matchAll(WORD)) {
    const word = form.toLowerCase();
    const before = text.slice(Math.max(0, index - LOOK_BACK), index);
    const isHidden =
      /^\p{Lu}[^\p{Lu}]*$/u.test(form) && (index === 0 || SENTENCE_START.test(before)) && form.length > 1;
    if (word === last && text.slice(end, index).trim() === '') repeated.push(word);
    [last, end] = [word, index + form.length];
    const known = forms.get(word) ?? [];
    known.push(isHidden ? '' : form);
    forms.set(word, known);
    const isUnit = form.length <= MOST_UNIT_CHARS && AFTER_NUMBER.test(before);
    if (isUnit || isCode(form, before, text.slice(end, end + 2))) caseMatters.add(word);
    else if (!FREE_NAMES.has(word) && (form.length === 1 || isCommon(word))) caseMatters.add(word);
  }
  return {
    forms,
    caseMatters,
    layout: layoutOf(text),
    repeated: repeated.join(' '),
    given: givenIn(text).replace(/[.?!]$/, ''),
    text: textAskedAbout(text),
  };
}

/** True if the writing of two prompts does not make them different questions. */
export function agree(left: Writing, right: Writing): boolean {
  return (
    left.layout === right.layout &&
    left.text === right.text &&
    left.given === right.given &&
    left.repeated === right.repeated &&
    [...left.forms].every(([word, forms]) => agreeOnCase(word, forms, left, right)) &&
    [...right.forms].every(([word, forms]) => agreeOnCase(word, forms, right, left))
  );
}

function agreeOnCase(word: string, forms: readonly string[], own: Writing, other: Writing): boolean {
  const theirs = other.forms.get(word);
  // A word such as IN or OR in capitals is a name: it is not the function word, and cannot be left out like it.
  if (FUNCTION_WORDS.has(word)) {
    if (theirs === undefined) return word === 'us' || !forms.some(isShouted);
    return forms.some(isShouted) === theirs.some(isShouted);
  }
  if (theirs === undefined) return true;
  if (!own.caseMatters.has(word) && !other.caseMatters.has(word)) return true;
  if (forms.length !== theirs.length)
    return forms.every((form) => theirs.some((otherForm) => isSameForm(form, otherForm)));
  return forms.every((form, at) => isSameForm(form, theirs[at] ?? ''));
}

/** A part of an identifier: a path, a call, camelCase. */
function isCode(form: string, before: string, after: string): boolean {
  return (
    /[./\\_=$@#]$/.test(before) || /^(?:[/\\_=([{]|\.\p{L})/u.test(after) || /^\p{Ll}+\p{Lu}/u.test(form)
  );
}

function givenIn(text: string): string {
  return GIVEN.exec(text)?.[1]?.trim() ?? '';
}

function isShouted(form: string): boolean {
  return form.length > 1 && form === form.toUpperCase();
}

/** The first word of a sentence may be either form of its word, but not all capitals. */
function isSameForm(form: string, other: string): boolean {
  if (form === other) return true;
  if (form !== '' && other !== '') return false;
  return !/\p{Lu}/u.test((form + other).slice(1));
}

function layoutOf(text: string): string {
  const trimmed = text.trim();
  return /\s\s|[^\S ]/.test(trimmed) ? (trimmed.match(/\S{1,8}(?:\s\s+|[^\S ])/g) ?? []).join('\u0000') : '';
}

/** A quotation is compared letter by letter elsewhere; without one, the text is among the words. */
function textAskedAbout(text: string): string | null {
  if (!ABOUT_TEXT.test(text) || QUOTED.test(text)) return null;
  const givenText = givenIn(text);
  const words = text
    .slice(0, text.length - givenText.length)
    .split(/\s+/)
    .map((word) => word.replace(/^[¿¡(]+|[.,;:?!)]+$/g, ''))
    .filter((word) => word !== '' && !ASKING.has(word.toLowerCase()))
    .map((word, at) => (at === 0 ? word.toLowerCase() : word));
  return JSON.stringify([words.sort(), givenText]);
}
