import { expect, test } from '@jest/globals';
import { CLUSTER_HARMS, planClusterHarm } from './plan-cluster-harm.ts';

test('the same seed plans the same harm, and each kind comes in every turn', () => {
  const plan = (seed: number) => Array.from({ length: 18 }, (_, index) => planClusterHarm(seed, index));
  expect(plan(7)).toEqual(plan(7));
  expect(plan(7)).not.toEqual(plan(8));
  expect(new Set(plan(7).map(({ kind }) => kind))).toEqual(new Set(CLUSTER_HARMS));
  // A master that is down for longer than two seconds is replaced by its replica; another comes back before.
  const masters = plan(7).filter(({ kind }) => kind === 'redis-master');
  expect(masters.some(({ downMs }) => downMs > 2_000)).toBe(true);
  expect(masters.some(({ downMs }) => downMs < 2_000)).toBe(true);
});
