/** Checks whether budgets in money know what the models of the routes cost. Limits that are set by API are not read. */
import { candidateName } from '../../../contracts/candidate.ts';
import { pricePerMillion } from '../../../engine/models/catalogue.ts';
import type { Config } from '../../../platform/config/load-config.ts';
import { modelsOf } from '../../../platform/config/route-schema.ts';
import { type Finding, ok, warning } from './finding.ts';

type Checked = Pick<Config, 'budgets' | 'prices' | 'providers' | 'routes'>;

export function checkPrices(config: Checked): Finding[] {
  const isInMoney = config.budgets.limits.some(({ unit, amount }) => unit === 'micro-usd' && amount !== null);
  if (!isInMoney) return [];
  const models = Object.values(config.routes).flatMap(modelsOf);
  const unknown = models.filter(({ provider, model }) => pricePerMillion(config, provider, model) === null);
  if (unknown.length === 0) return [ok('prices', 'known for each model of the routes')];
  const names = new Set(unknown.map(candidateName));
  return [
    warning(
      'prices',
      `no price is known for ${[...names].join(', ')}: budgets in micro-usd count their calls as free`,
      'Add them under prices in unbroken.config.yaml, with 0 for what is free.',
    ),
  ];
}
