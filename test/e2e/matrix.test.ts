/** A short run of the matrix, and seeds that once showed a fault; `npm run prove -- matrix` looks for more. */
import { expect, test } from '@jest/globals';
import { proveMatrix } from '../prove/matrix/matrix.ts';

test.each([
  // Redis stands still in the first seconds; requests of most kinds, with faults of the provider at each of them.
  { seed: 2449, minutes: 0.35 },
])(
  'kills, stops and cuts of every kind of process take nothing from anybody: seed $seed',
  async ({ seed, minutes }) => {
    expect(await proveMatrix({ seed, minutes, atOnce: 6 })).toBe(true);
  },
  300_000,
);
