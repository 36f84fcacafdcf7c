/**
 * Decides by rules whether the answer to one prompt may be given to another. A fact that differs rules it out. Without
 * one, both may read the same, or be aligned: every word of a short prompt has its counterpart in its place. Else the
 * rules are unsure.
 */
import { BoundedMap } from '../../../platform/bounded-map.ts';
import { compareFacts } from './compare-facts.ts';
import type { Verdict } from './differences/difference.ts';
import { differentTexts } from './differences/texts.ts';
import { VETOES } from './differences/vetoes.ts';
import { createLanguageReader, isEnglishWord, type LanguageReading } from './language.ts';
import { createLemmatizer } from './lemma.ts';
import { type Lexicon, loadLexicon } from './lexicon.ts';
import { isListedAbbreviation } from './normalise/abbreviations.ts';
import { writeAlike } from './normalise/alike.ts';
import { align, createWords } from './proof/align.ts';
import { isInOrder, isShort } from './proof/in-order.ts';
import { readTheSame } from './proof/read-the-same.ts';
import { replacedWord } from './proof/replaced-word.ts';
import { haveSameForms } from './proof/same-forms.ts';
import { haveSameSigns, isSlip, writeDatesAlike } from './proof/same-signs.ts';
import { CHECKS } from './proof/strict-checks.ts';
import { type Facts, readFacts } from './read-facts.ts';
import { createPromptReader, type PromptReading } from './read-prompt.ts';
import { signatureOf } from './signature.ts';
import { loadWordNet, type WordNet } from './wordnet.ts';

export interface Verifier {
  /** Both prompts in the same writing: without typing errors and the like, as far as one shows what the other means. */
  writeAlike(prompt: string, other: string): readonly [string, string];
  verify(prompt: string, other: string): Verdict;
  /**
   * What a paraphrase does not change: large numbers, versions, emoji. Prompts that ask the same have the same
   * signature, so the store can filter by it and finds the right one among many that differ by an order number.
   */
  signatureOf(text: string): string;
  readonly readLanguage: (text: string) => LanguageReading;
}

/** Readings of up to 250 words each. */
const REMEMBERED_READINGS = 500;

/**
 * The frames of `write a haiku`, beside others: `what is a haiku`; and from a place in place of to it. Where every word
 * has its counterpart, these are differences; that words stand in another order is for the model to judge.
 */
const DECISIVE = /<make>|^(?:from and to|to and from) /;
const NONE: ReadonlySet<number> = new Set();

/** Loads the dictionary: some 40 ms, 25 MB. */
export function createVerifier(): Verifier {
  const wordNet = loadWordNet();
  const lemmatize = createLemmatizer(wordNet);
  const lexicon = loadLexicon(lemmatize);
  const words = createWords(wordNet, lexicon);
  const grammar = createGrammar(wordNet, lexicon, lemmatize);
  const isKnownWord = (word: string) => grammar.isKnown(lemmatize(word));
  const readPrompt = createPromptReader(grammar);
  const readings = new BoundedMap<string, PromptReading>(REMEMBERED_READINGS);
  const read = (text: string) => readings.getOrCreate(text, () => readPrompt(text));
  const allFacts = new BoundedMap<string, Facts>(REMEMBERED_READINGS);
  const factsOf = (text: string) => allFacts.getOrCreate(text, () => readFacts(text, grammar));
  const dictionary = { wordNet, lexicon, areOpposites: words.areOpposites };
  const areSynonyms = (a: string, b: string) =>
    wordNet.relations(a).synonyms.has(b) || sharesMeaning(lexicon, a, b);
  const textGrammar = { isCommon: grammar.isCommon, baseOf: grammar.baseOf, lemmatize, areSynonyms };
  const verify: Verifier['verify'] = (prompt, other) => {
    if (prompt === other) return { verdict: 'same' };
    const [left, right] = [read(prompt), read(other)];
    if (!left.isComparable || !right.isComparable) {
      return { verdict: 'different', difference: { kind: 'unreadable', detail: 'only the same words' } };
    }
    const [facts, otherFacts] = [factsOf(prompt), factsOf(other)];
    const comparison = compareFacts(facts, otherFacts, dictionary);
    for (const rulesOut of VETOES) {
      const difference = rulesOut(comparison);
      if (difference !== null) return { verdict: 'different', difference };
    }
    const inText = differentTexts(prompt, other, [left.writing, right.writing], textGrammar);
    if (inText !== null) return { verdict: 'different', difference: inText };
    const unsure = (rest: readonly string[]): Verdict => ({ verdict: 'unsure', words: rest });
    if (!haveSameSigns(left, right) || !writeDatesAlike(prompt, other)) return unsure([]);
    if (readTheSame(facts, otherFacts, isKnownWord)) return { verdict: 'same' };
    if (isSlip(prompt, other)) return unsure([]);
    const alignment = align(left, right, words);
    const unmatched = [...alignment.onlyLeft, ...alignment.onlyRight].map(({ word }) => word);
    const replaced = replacedWord(alignment, wordNet);
    if (replaced !== null) return { verdict: 'different', difference: replaced };
    for (const check of CHECKS) {
      const difference = check(alignment, words);
      // Every word has its counterpart, and they stand in another relation.
      if (difference === null) continue;
      const isOther = unmatched.length === 0 && DECISIVE.test(difference.detail);
      return isOther ? { verdict: 'different', difference } : unsure(unmatched);
    }
    // Two prompts without words to compare are not proven to be the same.
    const isProven = unmatched.length === 0 && alignment.pairs.length > 0;
    return isProven && isShort(alignment) && isInOrder(alignment) && haveSameForms(prompt, other, alignment)
      ? { verdict: 'aligned' }
      : unsure(unmatched);
  };
  const isWord = (word: string) => isEnglishWord(word, isKnownWord) || isListedAbbreviation(word);
  return {
    verify,
    writeAlike(prompt, other) {
      const first = writeAlike(prompt, other, isWord);
      const second = writeAlike(other, first, isWord);
      return [writeAlike(first, second, isWord), second];
    },
    readLanguage: createLanguageReader(isKnownWord),
    signatureOf(text) {
      if (!read(text).isComparable) return JSON.stringify([text]);
      return signatureOf(factsOf(text));
    },
  };
}

function createGrammar(wordNet: WordNet, lexicon: Lexicon, lemmatize: (word: string) => string) {
  const bases = (lemma: string) => [lemma, ...['er', 'est', 'r', 'st'].map((end) => withoutEnd(lemma, end))];
  const isAdjective = (lemma: string) => bases(lemma).some((base) => wordNet.has(base, 'adj'));
  const isKnown = (lemma: string) =>
    !/^[a-z]+$/.test(lemma) || bases(lemma).some((base) => wordNet.relations(base).isKnown);
  return {
    lemmatize,
    isVerb: (lemma: string) => wordNet.has(lemma, 'verb'),
    isAdjective,
    isKnown,
    lexicon,
    isInstance: wordNet.isInstance,
    nounsOf: (lemma: string) => wordNet.relations(lemma).pertains,
    baseOf: (word: string) => {
      const lemma = lemmatize(word.replace(/['’]s?$/, ''));
      return [...wordNet.relations(lemma).pertains][0] ?? lemma;
    },
    isCommon: (word: string) => bases(lemmatize(word)).some(wordNet.isCommon) || wordNet.isCommon(word),
  };
}

function sharesMeaning({ meanings }: Lexicon, a: string, b: string): boolean {
  const ofB = meanings.get(b) ?? NONE;
  return [...(meanings.get(a) ?? NONE)].some((line) => ofB.has(line));
}

/** larger: large; heaviest: heavy. */
function withoutEnd(word: string, end: string): string {
  if (!word.endsWith(end) || word.length - end.length < 3) return word;
  const base = word.slice(0, -end.length);
  return base.endsWith('i') ? `${base.slice(0, -1)}y` : base;
}
