/** A difference that makes two prompts different questions, and what a comparison of two prompts concludes. */
import type { Comparison } from '../compare-facts.ts';
import type { Alignment, Words } from '../proof/align.ts';

export interface Difference {
  readonly kind:
    | 'negation'
    | 'number'
    | 'unit'
    | 'date'
    | 'entity'
    | 'roles'
    | 'antonym'
    | 'scope'
    | 'version'
    | 'format'
    | 'language'
    | 'question'
    | 'quotation'
    | 'audience'
    | 'comparison'
    | 'condition'
    | 'order'
    | 'tense'
    | 'symbol'
    | 'unreadable';
  /** The words that differ, for a log or a test; never shown to another user. */
  readonly detail: string;
}

export type Verdict =
  /** Both read the same, word by word. */
  | { readonly verdict: 'same' }
  /** Each word has its counterpart, in other words: the same, unless a model is sure that they differ. */
  | { readonly verdict: 'aligned' }
  | { readonly verdict: 'different'; readonly difference: Difference }
  /** Words are left over, and no rule says whether they matter. A judge may decide. */
  | { readonly verdict: 'unsure'; readonly words: readonly string[] };

/** A fact that rules out the same answer, whatever the other words say. */
export type Veto = (comparison: Comparison) => Difference | null;

/** A reason why two prompts are not proven to ask the same. */
export type Check = (alignment: Alignment, words: Words) => Difference | null;

export function wordSet(words: string): ReadonlySet<string> {
  return new Set(words.split(' '));
}
