/** Every number counts, and every sign of a formula. */
import { anyOnlyOneHas, type Check } from './difference.ts';

export const number: Check = anyOnlyOneHas('number', ({ kind }) => kind === 'number' || kind === 'symbol');
