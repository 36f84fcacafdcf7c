import { describe, expect, test } from '@jest/globals';
import { type Point, SMALL_SHARE, trendOf, verdictOf } from '../../../tools/bench/trend.ts';
import { createRandom } from '../../harness/random.ts';

const RUN_MS = 20 * 60_000;
const SAMPLES = 240;
const HOUR_MS = 3_600_000;

/** A value every 5 s for 20 minutes; `at` goes from 0 to 1. */
function series(valueAt: (at: number, index: number) => number): Point[] {
  return Array.from({ length: SAMPLES }, (_, index) => ({
    atMs: 1_700_000_000_000 + (index / SAMPLES) * RUN_MS,
    value: valueAt(index / SAMPLES, index),
  }));
}

const verdict = (points: readonly Point[]) => verdictOf(trendOf(points), RUN_MS);

function noise(seed: number, most: number): () => number {
  const random = createRandom(seed);
  return () => random.between(-1_000, 1_000) * (most / 1_000);
}

describe('the trend of a series', () => {
  test('a straight line has its own slope and no doubt', () => {
    const { mean, slopePerHour, lowPerHour, highPerHour } = trendOf(series((at) => 100 + 30 * at));
    expect(slopePerHour).toBeCloseTo(90, 5);
    expect(lowPerHour).toBeCloseTo(90, 3);
    expect(highPerHour).toBeCloseTo(90, 3);
    expect(mean).toBeCloseTo(120, 0);
  });

  test('what happens in the first third does not count', () => {
    const points = series((at) => (at < 1 / 3 ? 100 * at : 200));
    expect(trendOf(points).slopePerHour).toBe(0);
    expect(verdict(points)).toBe('flat');
  });

  test('a leak of a fifth is found under noise of a tenth', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const shake = noise(seed, 10);
      expect(verdict(series((at) => 100 + 20 * at + shake()))).toBe('grows');
    }
  });

  test('noise alone is flat, also where it wanders slowly', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const shake = noise(seed, 4);
      expect(verdict(series(() => 100 + shake()))).toBe('flat');
      let wander = 0;
      const step = noise(100 + seed, 1);
      const points = series(() => {
        wander = 0.9 * wander + step();
        return 100 + wander;
      });
      expect(verdict(points)).toBe('flat');
    }
  });

  test('the interval holds the true slope in about 95 of 100 series', () => {
    let held = 0;
    // Seeds that lie apart: series of neighbouring ones are alike.
    for (let seed = 1; seed <= 1_000; seed += 1) {
      const shake = noise(7_919 * seed, 10);
      const { lowPerHour, highPerHour } = trendOf(series((at) => 100 + 10 * at + shake()));
      if (lowPerHour <= 30 && highPerHour >= 30) held += 1;
    }
    expect(held).toBeGreaterThan(930);
    expect(held).toBeLessThan(980);
  });

  test('of many series that are only noise, seldom does any seem to grow', () => {
    let runs = 0;
    for (let run = 1; run <= 200; run += 1) {
      const seeds = Array.from({ length: 30 }, (_, index) => 104_729 * run + 7_919 * index);
      const grows = seeds.some((seed) => {
        const shake = noise(seed, 80);
        return verdict(series(() => 100 + shake())) === 'grows';
      });
      if (grows) runs += 1;
    }
    expect(runs).toBeLessThanOrEqual(14);
  });

  test('a sure growth within the share that is small is flat, one beyond it is not', () => {
    expect(verdict(series((at) => 100 + 100 * 0.9 * SMALL_SHARE * at))).toBe('flat');
    expect(verdict(series((at) => 100 + 100 * 1.2 * SMALL_SHARE * at))).toBe('grows');
  });

  test('a series that becomes less falls, and one of equal values is flat', () => {
    expect(verdict(series((at) => 100 - 30 * at))).toBe('falls');
    expect(verdict(series(() => 0))).toBe('flat');
  });

  test('too few samples are refused', () => {
    expect(() => trendOf([{ atMs: HOUR_MS, value: 1 }])).toThrow('too few');
  });
});
