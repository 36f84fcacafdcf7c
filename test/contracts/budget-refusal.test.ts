import { expect, test } from '@jest/globals';
import { describeRefusal } from '../../contracts/budget-refusal.ts';

const budget = { per: 'user', id: 'ann', window: 'day', unit: 'tokens', limit: 100, spent: 88 } as const;
const refused = { budget: { ...budget, resetsAtMs: Date.UTC(2026, 0, 2) }, remaining: 12 };
const resets = 'it resets at 2026-01-02T00:00:00.000Z.';

test.each([
  ['it is not known', undefined, `has 12 tokens left; ${resets}`],
  ['the budget can hold it later', 90, `has 12 tokens left, and this needs at least 90 tokens; ${resets}`],
  ['no budget of this size can', 101, 'and this needs at least 101 tokens; more than the whole budget.'],
])('a refusal says what is needed: %s', (_, needed, words) => {
  const { message, details } = describeRefusal(needed === undefined ? refused : { ...refused, needed });
  expect(message).toContain(words);
  expect(details['needed']).toBe(needed);
});
