import type { Ruling } from '../../../engine/cache/verifier/compare-conversations.ts';

/** What the rules say alone: no model has to confirm what they align. */
export const withoutModel = (ruling: Ruling) => (ruling === 'aligned' ? 'same' : ruling);
