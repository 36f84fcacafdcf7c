/**
 * Reads the facts of a prompt that rule out a common answer: its numbers, names, dates and other telling words, after
 * normalising how they are written. Courtesy, filler and empty words are left out.
 */
import { fromExact, isExact } from './exact-words.ts';
import type { Lexicon } from './lexicon.ts';
import { withoutCourtesy } from './normalise/courtesy.ts';
import { IDENTIFIER_JOINT, readableSigns } from './normalise/signs.ts';
import { unitAfterNumber } from './normalise/units.ts';
import { type NumberFact, readNumbers } from './read-numbers.ts';
import { CLAUSE_ENDS, EMPTY, type Grammar, joinPhrases, NEGATIONS } from './read-prompt.ts';
import { readWords } from './words.ts';

export interface FactWord {
  readonly lemma: string;
  readonly word: string;
  /** Its place among all words of the prompt. */
  readonly at: number;
  /** Written like a name, or in no dictionary. */
  readonly isName: boolean;
  readonly isKnown: boolean;
  /** A particular place, person or organisation that the dictionary lists. */
  readonly isProper: boolean;
  readonly isNegated: boolean;
  /** The preposition of direction or order that governs it; null if there is none. */
  readonly role: string | null;
}

export interface Facts {
  /** All words, without courtesy; `text` joins them by spaces. */
  readonly all: readonly string[];
  readonly text: string;
  /** Before courtesy was taken out. */
  readonly whole: string;
  /** The letters and digits of the whole prompt: a name may be written in one word, in two, or with a hyphen. */
  readonly squeezed: string;
  readonly words: readonly FactWord[];
  readonly lemmas: ReadonlyMap<string, readonly FactWord[]>;
  /** Lines of the lexicon that any word stands in. */
  readonly meanings: ReadonlySet<number>;
  /** France, if the prompt has French. */
  readonly nouns: ReadonlySet<string>;
  readonly numbers: readonly NumberFact[];
  /** What stands in quotation marks, letter by letter. */
  readonly quotations: readonly string[];
  /** The prompt in lower case, with its signs made readable. */
  readonly written: string;
  /** Signs of formulas and code, and characters that no rule reads, in their order. */
  readonly symbols: readonly string[];
  readonly negations: number;
}

interface FactGrammar extends Grammar {
  /** True for the name of one thing: a city, a person. */
  readonly isInstance: (lemma: string) => boolean;
  readonly lexicon: Lexicon;
  /** French: France. */
  readonly nounsOf: (lemma: string) => Iterable<string>;
}

const SIGN = /^[<>=+*^&@|]$/;
const ROLES: Readonly<Record<string, string>> = {
  from: 'from',
  to: 'to',
  into: 'to',
  onto: 'to',
  before: 'before',
  after: 'after',
  than: 'than',
  without: 'without',
  over: 'over',
  under: 'under',
  by: 'by',
  instead_of: 'instead',
};
/** Words between a negation and what it negates. */
const NEGATED_WITHIN = 3;
const PREPOSITIONS = new Set(
  'of in on at for from to by with into about as onto among via using through during between before after without than per over under within until till since off out up down'.split(
    ' ',
  ),
);
/** They ask, point or link, and are compared elsewhere or not at all. */
const GRAMMAR_WORDS = new Set(
  (
    'me us him her them his hers myself yourself himself herself itself ourselves yourselves themselves ours yours theirs ' +
    'no not never none nobody nothing neither nor how why where yes because however although though but yet else whose ' +
    'whom whatever whichever whenever wherever each other otherwise anything something everything anyone someone ' +
    'everyone anybody somebody everybody anywhere somewhere everywhere another towards toward upon per like hey oh ' +
    'would could should must against beside besides despite unless once since until plus version number clock about'
  ).split(' '),
);
const CONTRACTED = /^(\p{L}+)['’](?:d|s|ll|ve|re|m)$/u;

export function readFacts(text: string, grammar: FactGrammar): Facts {
  const readable = readableSigns(text);
  const { words: read, names } = readWords(readable, (word) => grammar.isKnown(grammar.lemmatize(word)));
  const whole = read.join(' ');
  const rest = withoutCourtesy(whole);
  const all = joinPhrases(
    rest.split(' ').filter((word) => word !== ''),
    grammar,
  );
  const words = readFactWords(all, names, grammar);
  const lemmas = Map.groupBy(words, ({ lemma }) => lemma);
  const meanings = new Set<number>();
  for (const word of all)
    for (const line of grammar.lexicon.meanings.get(grammar.lemmatize(word)) ?? []) meanings.add(line);
  return {
    all,
    text: all.join(' '),
    whole,
    squeezed: whole.replace(/[^\p{L}\p{N}]+/gu, ''),
    words,
    lemmas,
    meanings,
    nouns: new Set(words.flatMap(({ lemma }) => [...grammar.nounsOf(lemma)])),
    numbers: readNumbers(all, grammar.lemmatize),
    quotations: read.filter((word) => word.startsWith('"')).map(fromExact),
    written: readable.toLowerCase().replace(/\s+/g, ' '),
    symbols: read
      .filter((word) => !word.startsWith('"') && (isExact(word) || SIGN.test(word)))
      .map((word) => (isExact(word) ? fromExact(word) : word)),
    negations: all.filter((word) => NEGATIONS.has(word)).length,
  };
}

function readFactWords(all: readonly string[], names: ReadonlySet<string>, grammar: FactGrammar): FactWord[] {
  const words: FactWord[] = [];
  let negatedUntil = -1;
  let role: string | null = null;
  for (const [at, written] of all.entries()) {
    const word = written.replace(CONTRACTED, '$1');
    if (CLAUSE_ENDS.has(word)) {
      role = null;
      negatedUntil = -1;
      continue;
    }
    if (NEGATIONS.has(word)) negatedUntil = at + NEGATED_WITHIN;
    if (word in ROLES) role = ROLES[word] ?? null;
    else if (PREPOSITIONS.has(word)) role = null;
    if (!/^(?:\p{L}|#?\d+_)/u.test(word) || word.startsWith('clock') || word === 'negative') continue;
    if (/^\d/.test(all[at - 1] ?? '') && unitAfterNumber(grammar.lemmatize(word)) !== null) continue;
    const isNamed = names.has(word) && word !== 'i';
    if (!isNamed && (EMPTY.has(word) || PREPOSITIONS.has(word) || GRAMMAR_WORDS.has(word))) continue;
    const lemma = grammar.lemmatize(word);
    if (lemma.length === 1) continue;
    const isKnown =
      grammar.isKnown(lemma) ||
      (word.endsWith('in') && grammar.isKnown(grammar.lemmatize(`${word}g`))) ||
      grammar.lexicon.meanings.has(lemma) ||
      word.includes('_');
    const isCode = /\d/.test(word) || word.includes(IDENTIFIER_JOINT);
    words.push({
      lemma,
      word,
      at,
      isKnown: isKnown && !isCode,
      isName:
        isNamed ||
        !isKnown ||
        isCode ||
        !(grammar.isCommon(word) || word.includes('_') || grammar.lexicon.meanings.has(lemma)),
      isProper: isKnown && !isCode && grammar.isInstance(lemma),
      isNegated: at <= negatedUntil,
      role,
    });
    if (at <= negatedUntil) negatedUntil = -1;
  }
  return words;
}
