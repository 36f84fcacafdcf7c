import { describe, expect, test } from '@jest/globals';
import { simulateSeed } from './simulate.ts';
import { simulateInThreads } from './simulate-in-threads.ts';

/** Fixed, so that a failure is of the change that is tested, and not of the day. */
const SEED = 1;
const RUNS = 100_000;

describe('the core, under every order of events that a seed gives', () => {
  test(`${RUNS} orders of crashes, zombies, lost replies and broken providers: the reader has one answer, once`, async () => {
    const { runs, failed } = await simulateInThreads({ runs: RUNS, seed: SEED, mostFailures: 3 }, 2);
    const faults = failed.map(({ seed, faults: found, history }) => [
      `repeat by: npm run prove -- simulation --runs 1 --seed ${seed}`,
      ...found,
      ...history,
    ]);
    expect(faults).toEqual([]);
    expect(runs).toBe(RUNS);
  }, 900_000);

  test('a seed is the same order of steps whenever it is run', async () => {
    for (let seed = 500; seed < 520; seed += 1) {
      expect(await simulateSeed(seed, { withHistory: true })).toEqual(
        await simulateSeed(seed, { withHistory: true }),
      );
    }
  });
});
