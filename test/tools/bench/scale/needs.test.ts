import { describe, expect, test } from '@jest/globals';
import { ASSUMED, PUBLISHED } from '../../../../tools/bench/scale/assumptions.ts';
import { ceilingsOf, needsOf } from '../../../../tools/bench/scale/needs.ts';
import { costsWith } from './made-up-costs.ts';

const PER_DAY = 86_400_000;
const costs = costsWith();

describe('the plan', () => {
  test('1,000 a second on the mean is three times as much at the peak, and runs for as long as each takes', () => {
    const needs = needsOf(costs, PER_DAY);
    expect(needs.meanPerSecond).toBe(1_000);
    expect(needs.peakPerSecond).toBe(3_000);
    expect(needs.atOnce).toBeCloseTo(3_000 * costs.generation.seconds, 6);
    const cpuMs = costs.generation.cpuMs.worker + costs.cache.cpuMs.worker;
    expect(needs.engines.worker.cores).toBeCloseTo((3 * cpuMs) / ASSUMED.busiest, 6);
    expect(needs.stateWritesPerSecond).toBe(3_000 * costs.generation.stateWrites);
  });

  test('a process has one main thread, so its number follows that, and never falls below two', () => {
    const { API } = needsOf(costs, PER_DAY).engines;
    const mainMs = costs.generation.cpuMs.API * costs.mainShare.API;
    expect(API.processes).toBe(Math.ceil((3 * mainMs) / ASSUMED.busiest));
    const small = needsOf(costs, 1_000).engines;
    expect([small.API.processes, small.worker.processes, small.API.nodes, small.Redis.nodes]).toEqual([
      2, 2, 2, 2,
    ]);
  });

  test('logs of a day are those of a day, and of one hour those of the busiest', () => {
    const day = needsOf(costs, PER_DAY);
    const bytes = costs.generation.endedLogBytes;
    expect(day.redisEndedGB).toBeCloseTo((PER_DAY * bytes) / 1e9, 6);
    const hour = needsOf(costs, PER_DAY, { ...ASSUMED.retention, logHours: 1 });
    expect(hour.redisEndedGB).toBeCloseTo((3_600 * 3_000 * bytes) / 1e9, 6);
    const twoDays = needsOf(costs, PER_DAY, { ...ASSUMED.retention, logHours: 48 });
    expect(twoDays.redisEndedGB).toBeCloseTo(2 * day.redisEndedGB, 6);
  });

  test('shards are a power of two with room for the writes, and never fewer than the compose file has', () => {
    const { historyShards, stateWritesPerSecond } = needsOf(costs, PER_DAY);
    expect(Number.isInteger(Math.log2(historyShards))).toBe(true);
    expect(historyShards * PUBLISHED.writesPerShard).toBeGreaterThanOrEqual(stateWritesPerSecond);
    expect(needsOf(costs, 1_000).historyShards).toBe(512);
  });

  test('what is full first comes first, and is full at its ceiling', () => {
    const ceilings = ceilingsOf(costs);
    expect(ceilings.map(({ perDay }) => perDay)).toEqual(
      ceilings.map(({ perDay }) => perDay).toSorted((a, b) => a - b),
    );
    const redis = ceilings.find(({ name }) => name.startsWith('a Redis, by its thread'))?.perDay ?? 0;
    const mainMs = (costs.generation.cpuMs.Redis + costs.cache.cpuMs.Redis) * costs.mainShare.Redis;
    expect((needsOf(costs, redis).peakPerSecond * mainMs) / 1_000).toBeCloseTo(ASSUMED.busiest, 6);
  });
});
