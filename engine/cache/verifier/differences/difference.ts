/** What makes two prompts different questions. Each file beside this one looks for one kind. */
import type { Alignment, Words } from '../align.ts';
import type { Token } from '../read-prompt.ts';

export const differenceKinds = [
  'negation',
  'number',
  'unit',
  'date',
  'entity',
  'roles',
  'antonym',
  'scope',
  'version',
  'format',
  'language',
  'question',
  'symbol',
  'unreadable',
] as const;

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

export type Check = (alignment: Alignment, words: Words) => Difference | null;

/** A difference of this kind where a token that only one prompt has is one of these. */
export function anyOnlyOneHas(
  kind: Difference['kind'],
  isOne: (token: Token, alignment: Alignment) => boolean,
): Check {
  return (alignment) => {
    const found = [...alignment.onlyLeft, ...alignment.onlyRight].find((token) => isOne(token, alignment));
    return found === undefined ? null : { kind, detail: found.word };
  };
}

export function wordSet(words: string): ReadonlySet<string> {
  return new Set(words.split(' '));
}
