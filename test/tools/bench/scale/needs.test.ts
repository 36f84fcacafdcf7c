import { describe, expect, test } from '@jest/globals';
import { ASSUMED, MEASURED, needsOf } from '../../../tools/bench/plan.ts';

const PER_DAY = 86_400_000;

describe('the plan', () => {
  test('1,000 a second on the mean is three times as much at the peak, and runs for as long as one takes', () => {
    const needs = needsOf(PER_DAY);
    expect(needs.meanPerSecond).toBe(1_000);
    expect(needs.peakPerSecond).toBe(3_000);
    expect(needs.atOnce).toBeCloseTo(3_000 * MEASURED.seconds, 6);
    expect(needs.workerCores).toBeCloseTo((3 * MEASURED.workerCpuMs) / ASSUMED.busiest, 6);
    expect(needs.stateWritesPerSecond).toBe(3_000 * MEASURED.stateWrites);
  });

  test('logs of a day are those of a day, and of one hour those of the busiest', () => {
    const day = needsOf(PER_DAY);
    expect(day.redisLogGB).toBeCloseTo((PER_DAY * MEASURED.logBytes) / 1e9, 6);
    const hour = needsOf(PER_DAY, { ...ASSUMED.retention, logHours: 1 });
    expect(hour.redisLogGB).toBeCloseTo((3_600 * 3_000 * MEASURED.logBytes) / 1e9, 6);
    const twoDays = needsOf(PER_DAY, { ...ASSUMED.retention, logHours: 48 });
    expect(twoDays.redisLogGB).toBeCloseTo(2 * day.redisLogGB, 6);
  });

  test('shards are a power of two with room for the writes, and never fewer than the compose file has', () => {
    const { historyShards, stateWritesPerSecond } = needsOf(PER_DAY);
    expect(Number.isInteger(Math.log2(historyShards))).toBe(true);
    expect(historyShards * ASSUMED.writesPerShard).toBeGreaterThanOrEqual(stateWritesPerSecond);
    expect(needsOf(1_000).historyShards).toBe(512);
  });
});
