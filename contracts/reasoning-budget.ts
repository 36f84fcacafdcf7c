/** The nearest effort to a budget of tokens, for vendors that take no budget. */
import type { ReasoningEffort } from './generation.ts';

const LOW_TOKENS = 4_096;
const MEDIUM_TOKENS = 16_384;

export function effortOfBudget(tokens: number): ReasoningEffort {
  if (tokens <= LOW_TOKENS) return 'low';
  return tokens <= MEDIUM_TOKENS ? 'medium' : 'high';
}
