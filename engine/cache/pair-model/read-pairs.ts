/** Reads the conversations that the rules are unsure of, and says what the model's estimates mean. */
import type { Agreement, Comparison } from '../question-verifier.ts';
import { type PairModel, probabilityOf } from './pair-model.ts';

/** Pairs that a look-up waits for, some 5 ms each. */
const MOST_READ = 4;
/** Between the turns of a conversation, as in training. */
const NEXT_TURN = ' || ';

export interface PairsToRead {
  readonly questions: readonly string[];
  /** The most similar one first. */
  readonly others: readonly (readonly string[])[];
  /** The log-odds from which on a pair is the same. */
  readonly leastLogit: number;
  /** Whether all that are the same matter, or only the first of them. */
  readonly all: boolean;
}

/** @returns the log-odds of each of the others, in their order; null for those that it cannot read, or did not. */
export async function readPairs(
  model: Pick<PairModel, 'read'>,
  { questions, others, leastLogit, all }: PairsToRead,
  readMs: number,
): Promise<(number | null)[]> {
  const untilMs = performance.now() + readMs;
  const own = questions.join(NEXT_TURN);
  const logits: (number | null)[] = others.map(() => null);
  for (const [at, other] of others.entries()) {
    if ((at >= MOST_READ && !all) || performance.now() > untilMs) break;
    const logit = await model.read(own, other.join(NEXT_TURN), leastLogit);
    logits[at] = logit;
    if (logit !== null && logit >= leastLogit && !all) break;
  }
  return logits;
}

/**
 * A pair that the model rather takes for the same, and not surely enough, stays `unsure`, as does one that it did not
 * read: then a judge may decide.
 */
export function comparisonOf(logit: number | null, leastLogit: number): Comparison {
  if (logit === null) return { agreement: 'unsure' };
  const agreement: Agreement = logit >= leastLogit ? 'same' : logit > 0 ? 'unsure' : 'different';
  return { agreement, probability: probabilityOf(logit) };
}
