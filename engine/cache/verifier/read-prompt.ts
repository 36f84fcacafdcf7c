/** Reads a prompt for the verifier: frames (what it asks), tokens in order with their roles, and tense. */
import { isExact, isReadable } from './exact-words.ts';
import { rewriteFrames } from './frames.ts';
import type { Lexicon } from './lexicon.ts';
import { withoutCourtesy } from './normalise/courtesy.ts';
import { readWords } from './words.ts';
import { readWriting, type Writing, type WritingGrammar } from './writing.ts';

export interface Token {
  readonly lemma: string;
  readonly word: string;
  readonly kind: 'word' | 'number' | 'quote' | 'symbol';
  readonly isName: boolean;
  /** The preposition that governs it, such as `from`; null if there is none. */
  readonly role: string | null;
  /** Neighbours with the same number are one phrase, such as `shipping address`. */
  readonly phrase: number;
  /** Stands in the place of a verb; it may change places with its object. */
  readonly isVerb: boolean;
  /** After a form of `be`: its object stands before it. */
  readonly isPassive: boolean;
  /** A noun follows: its object. */
  readonly hasObject: boolean;
  readonly isAdjective: boolean;
  /** An article or the like precedes it, so it is not a verb. */
  readonly isNoun: boolean;
  /** Nothing follows it in its phrase. */
  readonly isLast: boolean;
  /** The order of the active voice: the agent comes first, even if the prompt says `done by`. */
  readonly place: number;
  /** May be left out if the other prompt has none of its kind. */
  readonly isOptional: boolean;
}

type Tense = 'past' | 'future' | 'present';

export interface PromptReading {
  /** False if the prompt cannot be read or is too long: then only the same words ask the same. */
  readonly isComparable: boolean;
  /** Quotations and signs, in their order: paraphrases do not change them. */
  readonly exact: readonly string[];
  readonly frames: readonly string[];
  readonly tokens: readonly Token[];
  readonly tense: Tense | null;
  readonly negations: number;
  readonly writing: Writing;
}

/** Words without a meaning in a request. */
export const EMPTY = new Set(
  (
    'a an the this that these those it its i my mine we our you your he she they their one be am is are was were been ' +
    "being do does did done doing to of and or 's , ¶ : have has had having will would shall should can could may might " +
    'there here any such so then as if when which who what whose am also too very quite let need want like for people ' +
    'person else something thing way kind sort type while whether'
  ).split(' '),
);
const EMPTY_LEMMAS = new Set('need want'.split(' '));
/** Prepositions that a paraphrase may replace by another. */
const WEAK_PREPOSITIONS = new Set(
  'of in on at for to from by with into about as onto among via using through during between'.split(' '),
);
const DETERMINERS = new Set(
  'a an the this that these those my your our its their his her each every'.split(' '),
);
export const NEGATIONS = new Set('not no never none nobody nothing neither nor without'.split(' '));
const PAST = new Set('was were did had'.split(' '));
const PRESENT = new Set('is are am do does'.split(' '));
const FUTURE = new Set('will shall'.split(' '));
const BE = new Set('be is are was were been being am'.split(' '));
/** Words that a verb follows. */
const BEFORE_VERB = new Set('i you we they can could should would will may might must not'.split(' '));
export const CLAUSE_ENDS = new Set(['¶', ',', ':']);
const FRAME = /^<[a-z]+>$/;
/** Words between `be` and its participle, and between the participle and `by`. */
const PASSIVE_REACH = 8;

export interface Grammar extends WritingGrammar {
  readonly lemmatize: (word: string) => string;
  readonly isVerb: (lemma: string) => boolean;
  readonly isAdjective: (lemma: string) => boolean;
  /** True if the dictionary has the lemma; a word that it lacks is a name. */
  readonly isKnown: (lemma: string) => boolean;
  readonly lexicon: Lexicon;
}

/** Words of a prompt that is compared. The cost of an alignment grows with their square. */
const MOST_WORDS = 250;
/** Signs of formulas and code. Others may stand for words: a hyphen is a dash, km/s are kilometres per second. */
const SIGN = /^[<>=+*^&@|]$/;
const UNREAD: PromptReading = {
  isComparable: false,
  exact: [],
  frames: [],
  tokens: [],
  tense: null,
  negations: 0,
  writing: { forms: new Map(), caseMatters: new Set(), layout: '', repeated: '', given: '', text: null },
};

export function createPromptReader(grammar: Grammar): (text: string) => PromptReading {
  return (text) => {
    if (!isReadable(text)) return UNREAD;
    const { words, names } = readWords(text, (word) => grammar.isKnown(grammar.lemmatize(word)));
    if (words.length > MOST_WORDS) return UNREAD;
    const rewritten = rewriteFrames(withoutCourtesy(words.join(' ')))
      .split(' ')
      .filter((word) => word !== '');
    return {
      isComparable: true,
      exact: words.filter((word) => isExact(word) || SIGN.test(word)),
      frames: rewritten.filter((word) => FRAME.test(word)),
      tokens: readTokens(joinPhrases(rewritten, grammar), names, grammar),
      tense: tenseOf(
        words
          .join(' ')
          .replace(/\bwhat (?:is|are) the (?:reasons?|causes?)\b/g, '')
          .split(' '),
      ),
      negations: words.filter((word) => NEGATIONS.has(word)).length,
      writing: readWriting(text.normalize('NFC'), grammar),
    };
  };
}

/** Phrases of the lexicon become one word, the longest first. */
export function joinPhrases(
  words: readonly string[],
  { lemmatize, lexicon }: Pick<Grammar, 'lemmatize' | 'lexicon'>,
): string[] {
  const lemmas = words.map(lemmatize);
  const joined: string[] = [];
  for (let index = 0; index < words.length; ) {
    let length = Math.min(lexicon.longestPhrase, words.length - index);
    let phrase: string | undefined;
    for (; length > 1; length -= 1) {
      phrase = lexicon.phrases.get(lemmas.slice(index, index + length).join(' '));
      if (phrase !== undefined) break;
    }
    joined.push(phrase ?? words[index] ?? '');
    index += phrase === undefined ? 1 : length;
  }
  return joined;
}

function readTokens(words: readonly string[], names: ReadonlySet<string>, grammar: Grammar): Token[] {
  const tokens: Token[] = [];
  let role: string | null = null;
  let phrase = 0;
  let clauseStart = 0;
  let sinceBe = Number.POSITIVE_INFINITY;
  let sinceParticiple = Number.POSITIVE_INFINITY;
  for (const [index, written] of words.entries()) {
    sinceBe += 1;
    sinceParticiple += 1;
    if (FRAME.test(written) || CLAUSE_ENDS.has(written)) {
      role = null;
      phrase += 1;
      clauseStart = tokens.length;
      sinceBe = sinceParticiple = Number.POSITIVE_INFINITY;
      continue;
    }
    const isOptional = written.startsWith('~');
    const word = isOptional ? written.slice(1) : written;
    if (BE.has(word)) sinceBe = 0;
    if (DETERMINERS.has(word)) phrase += 1;
    if (WEAK_PREPOSITIONS.has(word)) {
      // `in water than in air`: both are places, and only one is what it is compared with.
      if (role !== 'than') role = word;
      phrase += 1;
      continue;
    }
    // A word of a language, such as HAVING, is not what it is in a sentence.
    const isNamed = names.has(word) && word !== 'i';
    if (!isNamed && (isEmpty(word, words[index + 1]) || EMPTY_LEMMAS.has(grammar.lemmatize(word)))) {
      if (word === 'and' || word === 'or') phrase += 1;
      continue;
    }
    if (word === 'than') role = 'than';
    const lemma = grammar.lemmatize(word);
    const isBy = role === 'by' && sinceParticiple < PASSIVE_REACH;
    const isInflected = word !== lemma && !word.endsWith('s');
    const isVerb =
      grammar.isVerb(lemma) &&
      (isInflected || (word === lemma && isVerbPlace(words[index - 1], words[index + 1])));
    if (isInflected && !word.endsWith('ing') && sinceBe < PASSIVE_REACH) sinceParticiple = 0;
    tokens.push({
      lemma,
      word,
      phrase,
      isOptional,
      isVerb,
      isPassive: sinceParticiple === 0 || (sinceBe === 1 && grammar.isVerb(lemma)),
      hasObject: false,
      role: isBy ? null : role,
      place: isBy ? clauseStart - 1 + tokens.length / 10_000 : tokens.length,
      kind: kindOf(word),
      isName: isNamed || !(grammar.isKnown(lemma) || grammar.lexicon.meanings.has(lemma)),
      isAdjective: kindOf(word) === 'word' && grammar.isAdjective(lemma),
      isNoun: DETERMINERS.has(words[index - 1] ?? ''),
      isLast: true,
    });
  }
  return tokens.map((token, index) => {
    const next = tokens[index + 1];
    return {
      ...token,
      isLast: next?.phrase !== token.phrase,
      hasObject:
        next !== undefined && next.role === null && next.kind !== 'number' && !next.word.endsWith('ly'),
    };
  });
}

/** `to` stands before nouns too: only what it is done to, right after, shows a verb. */
function isVerbPlace(before: string | undefined, after: string | undefined): boolean {
  if (before === undefined) return false;
  if (before === '<how>' || before === '<long>') return true;
  if (before === 'to' || FRAME.test(before)) {
    return after === undefined || CLAUSE_ENDS.has(after) || DETERMINERS.has(after);
  }
  return BEFORE_VERB.has(before);
}

function isEmpty(word: string, next: string | undefined): boolean {
  return EMPTY.has(word) || (word === '-' && next === undefined);
}

function kindOf(word: string): Token['kind'] {
  if (word.startsWith('"')) return 'quote';
  if (/^[-#]?\d[\d.]*$/.test(word)) return 'number';
  return /[\p{L}_]/u.test(word) ? 'word' : 'symbol';
}

/** Only auxiliaries tell; a mixed prompt has no one tense. */
function tenseOf(words: readonly string[]): Tense | null {
  const past = words.some((word) => PAST.has(word));
  const future = words.some((word) => FUTURE.has(word));
  const present = words.some((word) => PRESENT.has(word));
  if (Number(past) + Number(future) + Number(present) !== 1) return null;
  return past ? 'past' : future ? 'future' : 'present';
}
