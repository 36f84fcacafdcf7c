/**
 * Whether a series of samples grows: least squares over its last two thirds, with an interval. The first third is
 * left out, in which caches fill and retention has not begun to take away. Neighbouring samples of memory are alike,
 * so the interval is widened for their correlation; else noise that wanders would count as growth.
 */
import { HOUR_MS } from '../../contracts/time.ts';

/** A slope that would add less than this share of the mean in the whole run is too small to matter. */
export const SMALL_SHARE = 0.05;
/** Fewer samples in the part that counts say nothing. */
const FEWEST_SAMPLES = 8;
/** Of the normal distribution: 95 % between both sides. */
const Z = 1.96;
/**
 * 99.83 %: of 30 series that are only noise, one would leave its 95 % interval in every other run. With this, about one
 * run of 40 has one that seems to grow.
 */
const JUDGED_Z = 3.14;

export interface Point {
  readonly atMs: number;
  readonly value: number;
}

export interface Trend {
  readonly mean: number;
  readonly slopePerHour: number;
  readonly lowPerHour: number;
  readonly highPerHour: number;
  /** Half of the wider interval that decides, as one of many series that are judged at once. */
  readonly judgedMargin: number;
}

export type Verdict = 'flat' | 'falls' | 'grows';

/** Throws where there are too few samples. The points are in the order of their time. */
export function trendOf(points: readonly Point[]): Trend {
  const counted = points.slice(Math.floor(points.length / 3));
  const count = counted.length;
  if (count < FEWEST_SAMPLES) throw new Error(`${points.length} samples are too few for a trend.`);
  const hours = counted.map(({ atMs }) => atMs / HOUR_MS);
  const values = counted.map(({ value }) => value);
  const [meanHour, mean] = [meanOf(hours), meanOf(values)];
  const spread = sumOf(hours.map((hour) => (hour - meanHour) ** 2));
  const slope = sumOf(hours.map((hour, index) => (hour - meanHour) * ((values[index] ?? 0) - mean))) / spread;
  const rests = values.map((value, index) => value - mean - slope * ((hours[index] ?? 0) - meanHour));
  const freedom = Math.max(2, independentOf(rests) - 2);
  const variance = sumOf(rests.map((rest) => rest ** 2)) / freedom;
  const error = Math.sqrt(variance / spread);
  const margin = quantile(Z, freedom) * error;
  return {
    mean,
    slopePerHour: slope,
    lowPerHour: slope - margin,
    highPerHour: slope + margin,
    judgedMargin: quantile(JUDGED_Z, freedom) * error,
  };
}

/** `runMs` is the length of the whole run. */
export function verdictOf({ mean, slopePerHour, judgedMargin }: Trend, runMs: number): Verdict {
  const isSmall = Math.abs(slopePerHour) * (runMs / HOUR_MS) <= SMALL_SHARE * Math.abs(mean);
  if (isSmall || Math.abs(slopePerHour) <= judgedMargin) return 'flat';
  return slopePerHour > 0 ? 'grows' : 'falls';
}

/** How many samples without correlation say as much as these, by the correlation of neighbours (AR(1)). */
function independentOf(rests: readonly number[]): number {
  const whole = sumOf(rests.map((rest) => rest ** 2));
  if (whole === 0) return rests.length;
  const neighbours = sumOf(rests.slice(1).map((rest, index) => rest * (rests[index] ?? 0)));
  const correlation = Math.min(0.99, Math.max(0, neighbours / whole));
  return (rests.length * (1 - correlation)) / (1 + correlation);
}

/** Of Student's t, by that of the normal distribution: the expansion of Abramowitz and Stegun, 26.7.5. */
function quantile(z: number, freedom: number): number {
  const first = (z ** 3 + z) / (4 * freedom);
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2);
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * freedom ** 3);
  return z + first + second + third;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function meanOf(values: readonly number[]): number {
  return sumOf(values) / values.length;
}
