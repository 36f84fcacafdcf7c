/** Asks each prompt as a question of a cache that has stored all the others at once. */
import type { Thresholds } from '../../engine/cache/pair-model/calibration.ts';
import type { LookUps } from './look-ups.ts';
import type { Share } from './rates.ts';
import type { StoredPrompt } from './written-pairs.ts';

export interface AskedPrompt {
  readonly prompt: StoredPrompt;
  /** What is given while its own answer is stored for other words. `none` also if there are no other words. */
  readonly repeated: 'right' | 'wrong' | 'none';
  /** Whether a stored answer is given while its own is not stored: then each is wrong. */
  readonly isWrongIfNew: boolean;
  readonly hasOtherWords: boolean;
}

export async function askEach(
  lookUps: LookUps,
  prompts: readonly StoredPrompt[],
  thresholds: Thresholds,
): Promise<AskedPrompt[]> {
  const questions: AskedPrompt[] = [];
  for (const prompt of prompts) {
    const others = await lookUps.neighboursOf(prompt);
    const wrong = others.filter((other) => other.prompt.meaning !== prompt.meaning);
    const answered = await lookUps.lookUp(prompt, others, thresholds);
    const answeredIfNew = await lookUps.lookUp(prompt, wrong, thresholds);
    questions.push({
      prompt,
      repeated: answered === null ? 'none' : answered.meaning === prompt.meaning ? 'right' : 'wrong',
      isWrongIfNew: answeredIfNew !== null,
      hasOtherWords: wrong.length < others.length,
    });
  }
  return questions;
}

/** What is found and what is wrong, if the answer is stored for other words; and what is wrong if it is not. */
export function sharesOf(questions: readonly AskedPrompt[]): Record<'found' | 'wrong' | 'wrongIfNew', Share> {
  const repeated = questions.filter(({ hasOtherWords }) => hasOtherWords);
  const shareOf = (outcome: AskedPrompt['repeated']) => ({
    hits: repeated.filter((question) => question.repeated === outcome).length,
    of: repeated.length,
  });
  return {
    found: shareOf('right'),
    wrong: shareOf('wrong'),
    wrongIfNew: { hits: questions.filter(({ isWrongIfNew }) => isWrongIfNew).length, of: questions.length },
  };
}
