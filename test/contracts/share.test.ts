/** How the cost of one call is split. */
import { expect, test } from '@jest/globals';
import { addUsage, NO_USAGE } from '../../contracts/money.ts';
import { splitCost } from '../../contracts/share.ts';

test('a call that no generation shares is a bug, and splits nothing', () => {
  const used = { usage: NO_USAGE, costMicroUsd: 10 };
  for (const by of [0, -1, 1.5, Number.NaN]) expect(() => splitCost(used, by)).toThrow('Broken invariant');
  expect(splitCost(used, 1)).toEqual({ leader: used, each: used });
});

test('a sum and a part of what batches used are of batches; a sum with calls is not', () => {
  const call = { ...NO_USAGE, inputTokens: 4 };
  const batch = { ...call, serviceTier: 'batch' as const };
  expect(addUsage(NO_USAGE, batch)).toEqual(batch);
  expect(addUsage(batch, batch)).toEqual({ ...batch, inputTokens: 8 });
  expect(addUsage(batch, call)).toEqual({ ...call, inputTokens: 8 });
  const { leader, each } = splitCost({ usage: batch, costMicroUsd: 2 }, 2);
  expect([leader.usage.serviceTier, each.usage.serviceTier]).toEqual(['batch', 'batch']);
});
