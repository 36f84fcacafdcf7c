/** `with` and `without`, `can` and `cannot`. Two negations do not make the question without any. */
import type { Check } from './difference.ts';

export const negation: Check = ({ left, right }) =>
  left.negations === right.negations
    ? null
    : { kind: 'negation', detail: `${left.negations} and ${right.negations} negations` };
