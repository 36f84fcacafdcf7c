import type { Ruled, Ruling } from '../../../engine/cache/verifier/compare-conversations.ts';
import type { Verifier } from '../../../engine/cache/verifier/verify.ts';

/** What the rules say alone: no model has to confirm what they align. */
export const withoutModel = ({ ruling }: Pick<Ruled, 'ruling'>) => (ruling === 'aligned' ? 'same' : ruling);

/** Of two English prompts, written alike first, as the cache does. */
export function verdictOf(
  verifier: Verifier,
  prompt: string,
  other: string,
): ReturnType<typeof withoutModel> {
  const ruling: Ruling = verifier.verify(...verifier.writeAlike(prompt, other)).verdict;
  return withoutModel({ ruling });
}
