/**
 * Whether a stored answer may be given to another prompt. The two are aligned word by word; every word that has no
 * counterpart, and every kind of difference, is a reason not to. In doubt there is no hit.
 */
import { BoundedMap } from '../../../platform/bounded-map.ts';
import { align, createWords } from './align.ts';
import { antonym } from './differences/antonym.ts';
import { date } from './differences/date.ts';
import type { Check, Difference } from './differences/difference.ts';
import { entity } from './differences/entity.ts';
import { format } from './differences/format.ts';
import { language } from './differences/language.ts';
import { negation } from './differences/negation.ts';
import { number } from './differences/number.ts';
import { question } from './differences/question.ts';
import { roles } from './differences/roles.ts';
import { scope } from './differences/scope.ts';
import { unit } from './differences/unit.ts';
import { version } from './differences/version.ts';
import { createLemmatizer } from './lemma.ts';
import { loadLexicon } from './lexicon.ts';
import { createPromptReader, type PromptReading } from './read-prompt.ts';
import { isSlip, veto } from './veto.ts';
import { loadWordNet } from './wordnet.ts';

export type Verdict =
  | { readonly verdict: 'same' }
  | { readonly verdict: 'different'; readonly difference: Difference }
  /** Words are left over, and nobody here knows whether they matter. A judge may. */
  | { readonly verdict: 'unsure'; readonly words: readonly string[] };

export interface Verifier {
  verify(one: string, other: string): Verdict;
  /**
   * Numbers, quotations, signs and count of negations: prompts that ask the same have the same signature. So the store can
   * filter by it, and among many prompts that differ by a number the right one is found.
   */
  signatureOf(text: string): string;
}

/** The narrow kinds first, so that the name that a difference gets is the most telling. */
const CHECKS: readonly Check[] = [
  negation,
  antonym,
  version,
  date,
  unit,
  number,
  language,
  format,
  entity,
  scope,
  question,
  roles,
];
/** Of up to 250 words each. */
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
  const verify: Verifier['verify'] = (one, other) => {
    if (one === other) return { verdict: 'same' };
    const [left, right] = [read(one), read(other)];
    const vetoed = veto(left, right);
    if (vetoed !== null) return vetoed;
    const alignment = align(left, right, words);
    for (const check of CHECKS) {
      const difference = check(alignment, words);
      if (difference !== null) return { verdict: 'different', difference };
    }
    const unmatched = [...alignment.onlyLeft, ...alignment.onlyRight].map(({ word }) => word);
    // Nothing to compare is no proof that they are the same.
    if (unmatched.length > 0 || alignment.pairs.length === 0 || isSlip(one, other)) {
      return { verdict: 'unsure', words: unmatched };
    }
    return { verdict: 'same' };
  };
  return {
    verify,
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
