/** How the cost of one call is split. */
import { expect, test } from '@jest/globals';
import { NO_USAGE } from '../../contracts/money.ts';
import { splitCost } from '../../contracts/share.ts';

test('a call that no generation shares is a bug, and splits nothing', () => {
  const used = { usage: NO_USAGE, costMicroUsd: 10 };
  for (const by of [0, -1, 1.5, Number.NaN]) expect(() => splitCost(used, by)).toThrow('Broken invariant');
  expect(splitCost(used, 1)).toEqual({ leader: used, each: used });
});
