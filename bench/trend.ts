/**
 * Whether a series of samples grows: least squares over its last two thirds, with a 95 % interval. The first third is
 * left out, in which caches fill and retention has not begun to take away. Neighbouring samples of memory are alike,
 * so the interval is widened for their correlation; else noise that wanders would count as growth.
 */

/** A slope that would add less than this share of the mean in the whole run is too small to matter. */
export const SMALL_SHARE = 0.05;
/** Fewer samples in the part that counts say nothing. */
const FEWEST_SAMPLES = 8;
/** Of the normal distribution, for 95 % on both sides. */
const Z = 1.96;
const HOUR_MS = 3_600_000;

export interface Point {
  readonly atMs: number;
  readonly value: number;
}

export interface Trend {
  readonly mean: number;
  readonly slopePerHour: number;
  readonly lowPerHour: number;
  readonly highPerHour: number;
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
  const margin = quantile(freedom) * Math.sqrt(variance / spread);
  return { mean, slopePerHour: slope, lowPerHour: slope - margin, highPerHour: slope + margin };
}

/** `runMs` is the length of the whole run. */
export function verdictOf({ mean, slopePerHour, lowPerHour, highPerHour }: Trend, runMs: number): Verdict {
  const isSmall = Math.abs(slopePerHour) * (runMs / HOUR_MS) <= SMALL_SHARE * Math.abs(mean);
  if (isSmall || (lowPerHour <= 0 && highPerHour >= 0)) return 'flat';
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

/** Of Student's t: the expansion of Abramowitz and Stegun, 26.7.5; from 4 degrees of freedom within a hundredth. */
function quantile(freedom: number): number {
  const first = (Z ** 3 + Z) / (4 * freedom);
  const second = (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / (96 * freedom ** 2);
  const third = (3 * Z ** 7 + 19 * Z ** 5 + 17 * Z ** 3 - 15 * Z) / (384 * freedom ** 3);
  return Z + first + second + third;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function meanOf(values: readonly number[]): number {
  return sumOf(values) / values.length;
}
