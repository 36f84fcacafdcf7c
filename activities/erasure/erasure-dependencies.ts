/** What the steps of an erasure need. */
import type { Eraser, Erasures } from '../../engine/erasure/erasures.ts';

export interface ErasureDependencies {
  readonly erasures: Erasures;
  readonly eraser: Eraser;
}
