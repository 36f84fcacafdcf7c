/** Reads the conversations that the rules are unsure of, and says what the model's estimates mean. */
import type { Agreement, Comparison } from '../question-verifier.ts';
import type { ConversationPair } from '../verifier/compare-conversations.ts';
import { closenessOf, type PerCloseness } from './closeness.ts';
import { type PairModel, probabilityOf } from './pair-model.ts';

/**
 * Of what the rules leave open, the most similar one. Each further one would be another chance of a wrong answer, for
 * which all thresholds had to be higher: measured, that finds less.
 */
export const MOST_READ = 1;
export const BETWEEN_TURNS = ' || ';
/** What the model reads of a conversation, as in training. */
export const joinTurns = (turns: readonly string[]) => turns.join(BETWEEN_TURNS);
export const textsOf = ([questions, theirs]: ConversationPair): [string, string] => [
  joinTurns(questions),
  joinTurns(theirs),
];

export interface PairsToRead {
  /** The most similar one first. */
  readonly pairs: readonly ConversationPair[];
  /** The log-odds from which on a pair is the same. */
  readonly thresholds: PerCloseness<number>;
  /** Whether all that are the same matter, or only the most similar one. */
  readonly all: boolean;
}

/** What the model estimates of a pair. */
export interface Reading {
  /** null: it cannot read the pair, or did not. */
  readonly logit: number | null;
  /** The log-odds from which on it is the same. */
  readonly least: number;
}

/** @returns a reading of each of the pairs, in their order. */
export async function readPairs(
  model: Pick<PairModel, 'read'>,
  { pairs, thresholds, all }: PairsToRead,
  readMs: number,
): Promise<Reading[]> {
  const untilMs = performance.now() + readMs;
  const texts = pairs.map(textsOf);
  const leasts = texts.map((both) => thresholds[closenessOf(...both)]);
  const logits: (number | null)[] = pairs.map(() => null);
  for (const [at, [own, other]] of texts.entries()) {
    if ((at >= MOST_READ && !all) || performance.now() > untilMs) break;
    logits[at] = await model.read(own, other, leasts[at]);
  }
  return leasts.map((least, at) => ({ logit: logits[at] ?? null, least }));
}

/**
 * A pair that the model rather takes for the same, and not surely enough, stays `unsure`, as does one that it did not
 * read: then a judge may decide.
 */
export function comparisonOf({ logit, least }: Reading): Comparison {
  if (logit === null) return { agreement: 'unsure' };
  const agreement: Agreement = logit >= least ? 'same' : logit > 0 ? 'unsure' : 'different';
  return { agreement, probability: probabilityOf(logit) };
}
