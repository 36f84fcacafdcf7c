/** Draws by weight, the same for the same seed: all processes draw the same order. */
import { createHash } from 'node:crypto';

/**
 * Efraimidis and Spirakis, 2006: ordering by u^(1/weight), largest first, draws by weight without replacement.
 * @param seed what decides: the same seed always gives the same number from 0 to 1.
 */
export function drawByWeight(seed: string, weight: number): number {
  const digest = createHash('sha256').update(seed).digest();
  return ((digest.readUInt32LE(0) + 1) / 2 ** 32) ** (1 / weight);
}
