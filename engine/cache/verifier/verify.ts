/**
 * Decides whether the answer to one prompt may be given to another. The two are aligned word by word; a word without a
 * counterpart, or a difference of any kind, is a reason against it. In doubt there is no hit.
 */
import { BoundedMap } from '../../../platform/bounded-map.ts';
import { align, createWords } from './align.ts';
import { CHECKS } from './differences/checks.ts';
import type { Verdict } from './differences/difference.ts';
import { createLanguageReader, type LanguageReading } from './language.ts';
import { createLemmatizer } from './lemma.ts';
import { loadLexicon } from './lexicon.ts';
import { createPromptReader, type PromptReading } from './read-prompt.ts';
import { isSlip, veto } from './veto.ts';
import { loadWordNet } from './wordnet.ts';

export interface Verifier {
  verify(prompt: string, other: string): Verdict;
  /**
   * Numbers, quotations, signs and the count of negations. Prompts that ask the same have the same signature, so the
   * store can filter by it and finds the right one among many prompts that differ by a number.
   */
  signatureOf(text: string): string;
  readonly readLanguage: (text: string) => LanguageReading;
}

/** Readings of up to 250 words each. */
const REMEMBERED_READINGS = 500;

/** Loads the dictionary: some 40 ms, 25 MB. */
export function createVerifier(): Verifier {
  const wordNet = loadWordNet();
  const lemmatize = createLemmatizer(wordNet);
  const lexicon = loadLexicon(lemmatize);
  const words = createWords(wordNet, lexicon);
  const isVerb = (lemma: string) => wordNet.has(lemma, 'verb');
  const bases = (lemma: string) => [lemma, ...['er', 'est', 'r', 'st'].map((end) => withoutEnd(lemma, end))];
  const isAdjective = (lemma: string) => bases(lemma).some((base) => wordNet.has(base, 'adj'));
  const isKnown = (lemma: string) =>
    !/^[a-z]+$/.test(lemma) || bases(lemma).some((base) => wordNet.relations(base).isKnown);
  const readPrompt = createPromptReader({
    lemmatize,
    isVerb,
    isAdjective,
    isKnown,
    lexicon,
    isCommon: (word) => bases(lemmatize(word)).some(wordNet.isCommon) || wordNet.isCommon(word),
  });
  const readings = new BoundedMap<string, PromptReading>(REMEMBERED_READINGS);
  const read = (text: string) => readings.getOrCreate(text, () => readPrompt(text));
  const verify: Verifier['verify'] = (prompt, other) => {
    if (prompt === other) return { verdict: 'same' };
    const [left, right] = [read(prompt), read(other)];
    const vetoed = veto(left, right);
    if (vetoed !== null) return vetoed;
    const alignment = align(left, right, words);
    for (const check of CHECKS) {
      const difference = check(alignment, words);
      if (difference !== null) return { verdict: 'different', difference };
    }
    const unmatched = [...alignment.onlyLeft, ...alignment.onlyRight].map(({ word }) => word);
    // Two prompts without words to compare are not proven to be the same.
    if (unmatched.length > 0 || alignment.pairs.length === 0 || isSlip(prompt, other)) {
      return { verdict: 'unsure', words: unmatched };
    }
    return { verdict: 'same' };
  };
  return {
    verify,
    readLanguage: createLanguageReader((word) => isKnown(lemmatize(word))),
    signatureOf(text) {
      const { isComparable, tokens, negations } = read(text);
      if (!isComparable) return JSON.stringify([text]);
      const exact = tokens.filter(({ kind }) => kind === 'number' || kind === 'quote' || kind === 'symbol');
      return JSON.stringify([negations, ...exact.map(({ lemma }) => lemma).sort()]);
    },
  };
}

/** larger: large; heaviest: heavy. */
function withoutEnd(word: string, end: string): string {
  if (!word.endsWith(end) || word.length - end.length < 3) return word;
  const base = word.slice(0, -end.length);
  return base.endsWith('i') ? `${base.slice(0, -1)}y` : base;
}
