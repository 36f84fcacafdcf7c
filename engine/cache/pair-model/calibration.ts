/**
 * What the estimates of the model are worth. Each point names a threshold, and how many questions get a wrong answer
 * with it: of those whose own answer is not stored while close ones that want other answers are, the upper end of the
 * 95 % interval, on authors that neither the model nor the rules were made with.
 */
import { z } from 'zod';
import { readModelJson } from '../../embedding/model-files.ts';
import type { Closeness } from './closeness.ts';

export const PAIR_WEIGHTS = new URL('./weights/', import.meta.url);

/** The log-odds of a point are those that close prompts need. */
const pointSchema = z.object({ falseHits: z.number().min(0).max(1), logit: z.number() });
const calibrationSchema = z.object({ points: z.array(pointSchema).min(1) });
export type Calibration = z.infer<typeof calibrationSchema>;

/** What the rules and the words say of a pair: the rules align it, or it is close or reworded. */
export type PairKind = 'aligned' | Closeness;

/** The log-odds from which on an estimate counts. */
export type Thresholds = Readonly<Record<PairKind, number>>;

/** Log-odds that a pair needs less than a close one to be as sure. Measured on the authors of the calibration. */
export const LESS_NEEDED: Thresholds = { aligned: 1, close: 0, reworded: 0 };

/** More than the model is ever sure. */
export const NEVER = 1000;

export function readCalibration(): Calibration {
  return calibrationSchema.parse(readModelJson(PAIR_WEIGHTS, 'calibration.json'));
}

/** null if the calibration guarantees no such share. */
export function thresholdsOf({ points }: Calibration, acceptedFalseHits: number): Thresholds | null {
  const strict = points.filter(({ falseHits }) => falseHits <= acceptedFalseHits);
  if (strict.length === 0) return null;
  const close = Math.min(...strict.map(({ logit }) => logit));
  return {
    aligned: close - LESS_NEEDED.aligned,
    close: close - LESS_NEEDED.close,
    reworded: close - LESS_NEEDED.reworded,
  };
}

/** The least share of false hits that the calibration guarantees. */
export function leastFalseHits({ points }: Calibration): number {
  return Math.min(...points.map(({ falseHits }) => falseHits));
}
