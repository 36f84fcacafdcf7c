/** A difference that makes two prompts different questions, and what a comparison of two prompts concludes. */
import type { Alignment, Words } from '../align.ts';

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
    | 'symbol'
    | 'unreadable';
  /** The words that differ, for a log or a test; never shown to another user. */
  readonly detail: string;
}

export type Verdict =
  | { readonly verdict: 'same' }
  | { readonly verdict: 'different'; readonly difference: Difference }
  /** Words are left over, and no rule says whether they matter. A judge may decide. */
  | { readonly verdict: 'unsure'; readonly words: readonly string[] };

export type Check = (alignment: Alignment, words: Words) => Difference | null;

export function wordSet(words: string): ReadonlySet<string> {
  return new Set(words.split(' '));
}
