import { expect, test } from '@jest/globals';
import { budgetLimitSchema } from '../../../contracts/budgets.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';
import { routeSchema } from '../../../platform/config/route-schema.ts';
import { checkPrices } from '../../../tools/services/doctor/check-prices.ts';

test('the doctor names models without a price, where a budget is in money', () => {
  const limit = (unit: string) => budgetLimitSchema.parse({ per: 'user', window: 'day', amount: 5, unit });
  const findings = (unit: string, prices: ReturnType<typeof loadConfig>['prices']) => {
    const config = loadConfig({ UNBROKEN_CONFIG: undefined });
    const routes = { default: routeSchema.parse(['openai/gpt-4o-mini', 'openai/house-model']) };
    return checkPrices({ ...config, prices, routes, budgets: { ...config.budgets, limits: [limit(unit)] } });
  };
  expect(findings('tokens', {})).toEqual([]);
  expect(findings('micro-usd', {})).toEqual([
    {
      check: 'prices',
      status: 'warning',
      found: 'no price is known for openai/house-model: budgets in micro-usd count their calls as free',
      fix: 'Add them under prices in unbroken.config.yaml, with 0 for what is free.',
    },
  ]);
  const free = { inputMicroUsdPerMillion: 0, outputMicroUsdPerMillion: 0 };
  expect(findings('micro-usd', { 'openai/house-model': free })).toMatchObject([{ status: 'ok' }]);
});
