/** Compares conversations turn by turn: they ask the same if each turn of the user does. */
import type { Agreement } from '../question-verifier.ts';
import type { Verifier } from './verify.ts';

/**
 * @param untilMs of `performance.now()`; conversations that are not reached by then count as different.
 * @returns one agreement for each of the others, in their order.
 */
export function compareConversations(
  verifier: Verifier,
  questions: readonly string[],
  others: readonly (readonly string[])[],
  untilMs: number,
): Agreement[] {
  return others.map((theirs) =>
    performance.now() > untilMs ? 'different' : agreementOf(verifier, questions, theirs),
  );
}

function agreementOf(verifier: Verifier, questions: readonly string[], theirs: readonly string[]): Agreement {
  if (questions.length !== theirs.length) return 'different';
  let agreement: Agreement = 'same';
  for (const [turn, question] of questions.entries()) {
    const { verdict } = verifier.verify(question, theirs[turn] ?? '');
    if (verdict === 'different') return 'different';
    if (verdict === 'unsure') agreement = 'unsure';
  }
  return agreement;
}
