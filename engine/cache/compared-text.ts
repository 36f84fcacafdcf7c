/** The text of a conversation that is compared with others: its bounds, its embedded part, and its signature. */
import { createHash } from 'node:crypto';
import { EMBEDDED_CHARS } from '../embedding/embedder.ts';
import type { QuestionVerifier } from './question-verifier.ts';

/** A longer conversation is found only by the same words: no small model can judge so much text. */
const COMPARED_CHARS = 4_000;

export function isComparable(questions: readonly string[]): boolean {
  const chars = questions.reduce((sum, question) => sum + question.length, 0);
  return chars > 0 && chars <= COMPARED_CHARS;
}

/** All that the user said in the conversation; its newest part if it is long. */
export function embeddedText(questions: readonly string[]): string {
  return questions.join('\n').slice(-EMBEDDED_CHARS);
}

export async function signatureOf(
  verifier: Pick<QuestionVerifier, 'signatureOf'>,
  questions: readonly string[],
  tenant?: string,
): Promise<string> {
  // A text that is never compared needs no signature, and reading it costs time.
  if (!isComparable(questions)) return '';
  return createHash('sha256')
    .update(await verifier.signatureOf(questions, tenant))
    .digest('hex');
}
