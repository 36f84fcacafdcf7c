/** A short run of the matrix, and seeds that once showed a fault; `npm run prove -- matrix` looks for more. */
import { expect, test } from '@jest/globals';
import { proveMatrix } from '../prove/matrix/matrix.ts';

test.each([
  // Every kind of request, Redis frozen under a backlog first, and Temporal's payloads encrypted.
  { seed: 1827, minutes: 0.4 },
])(
  'kills, stops and cuts of every kind of process take nothing from anybody: seed $seed',
  async ({ seed, minutes }) => {
    expect(await proveMatrix({ seed, minutes, atOnce: 6 })).toEqual([]);
  },
  300_000,
);
