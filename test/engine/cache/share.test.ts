import { describe, expect, test } from '@jest/globals';
import { addUsage } from '../../../contracts/money.ts';
import { splitCost } from '../../../contracts/share.ts';
import { createRandom } from '../../harness/random.ts';

describe('splitCost', () => {
  test('for any cost and any number of members, the parts add up to the whole, and no follower pays more than the leader', () => {
    const random = createRandom(7);
    for (let round = 0; round < 1_000; round += 1) {
      const amount = () => random.between(0, 100_000);
      const usage = {
        inputTokens: amount(),
        cachedInputTokens: amount(),
        cacheWriteTokens: amount(),
        outputTokens: amount(),
        reasoningTokens: amount(),
        estimated: false,
      };
      const whole = { usage, costMicroUsd: amount() };
      const by = random.between(2, 40);
      const { leader, each } = splitCost(whole, by);
      let sum = leader.usage;
      for (let index = 1; index < by; index += 1) sum = addUsage(sum, each.usage);
      expect(sum).toEqual(usage);
      expect(leader.costMicroUsd + each.costMicroUsd * (by - 1)).toBe(whole.costMicroUsd);
      expect(each.costMicroUsd).toBeLessThanOrEqual(leader.costMicroUsd);
    }
  });
});
