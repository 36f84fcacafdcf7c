/**
 * What the model's estimates are worth. Each point names a threshold, and how many false hits it lets through among
 * prompts that are close in meaning and want different answers: the upper end of the 95 % interval, on authors that
 * neither the model nor the rules were made with.
 */
import { z } from 'zod';
import { readModelJson } from '../../embedding/model-files.ts';
import { closenesses, type PerCloseness } from './closeness.ts';

export const PAIR_WEIGHTS = new URL('./weights/', import.meta.url);

const pointsSchema = z.array(z.object({ falseHits: z.number().min(0).max(1), logit: z.number() }));
const calibrationSchema = z.object({ close: pointsSchema.min(1), reworded: pointsSchema });
export type Calibration = z.infer<typeof calibrationSchema>;

/** The log-odds from which on an estimate counts. */
export type Thresholds = PerCloseness<number>;

/** More than the model is ever sure. */
export const NEVER = 1000;

export function readCalibration(): Calibration {
  return calibrationSchema.parse(readModelJson(PAIR_WEIGHTS, 'calibration.json'));
}

/**
 * null if the calibration guarantees so little for neither. Where it does for close prompts alone, reworded ones are
 * never the same.
 */
export function thresholdsOf(calibration: Calibration, acceptedFalseHits: number): Thresholds | null {
  const [close, reworded] = closenesses.map((closeness) => {
    const strict = calibration[closeness].filter(({ falseHits }) => falseHits <= acceptedFalseHits);
    return Math.min(NEVER, ...strict.map(({ logit }) => logit));
  }) as [number, number];
  return close === NEVER ? null : { close, reworded };
}

/** The least share of false hits that the calibration guarantees. */
export function leastFalseHits({ close }: Calibration): number {
  return Math.min(...close.map(({ falseHits }) => falseHits));
}
