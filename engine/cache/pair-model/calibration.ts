/**
 * What the model's estimates are worth. Each point names a threshold, and how many false hits it lets through among
 * prompts that are close in words and want different answers: the upper end of the 95 % interval, on authors that
 * neither the model nor the rules were made with.
 */
import { z } from 'zod';
import { readModelJson } from '../../embedding/model-files.ts';

export const PAIR_WEIGHTS = new URL('./weights/', import.meta.url);

const calibrationSchema = z.object({
  points: z.array(z.object({ falseHits: z.number().min(0).max(1), logit: z.number() })).min(1),
});
export type Calibration = z.infer<typeof calibrationSchema>;

export function readCalibration(): Calibration {
  return calibrationSchema.parse(readModelJson(PAIR_WEIGHTS, 'calibration.json'));
}

/** The log-odds from which on an estimate counts; null if no point is so strict. */
export function leastLogit({ points }: Calibration, acceptedFalseHits: number): number | null {
  const strict = points.filter(({ falseHits }) => falseHits <= acceptedFalseHits);
  return strict.length === 0 ? null : Math.min(...strict.map(({ logit }) => logit));
}

/** The least share of false hits that the calibration guarantees. */
export function leastFalseHits({ points }: Calibration): number {
  return Math.min(...points.map(({ falseHits }) => falseHits));
}
