import type { ModelView } from '../../contracts/model.ts';
import { listModels } from '../../engine/models/catalogue.ts';
import { selectModels } from '../../engine/models/select-models.ts';
import { loadConfig } from '../../platform/config/load-config.ts';
import { printTable } from './print-table.ts';

const ABILITIES = ['tools', 'vision', 'jsonSchema', 'reasoning', 'prefill', 'reattach'] as const;

export type ModelFlags = { readonly [Ability in (typeof ABILITIES)[number]]?: true } & {
  readonly provider?: string;
  readonly available?: true;
  readonly json?: true;
};

/** Prints a table, or with `--json` what `GET /v1/models` answers. Needs nothing that runs. */
export function printModels(name: string | undefined, flags: ModelFlags): void {
  const { provider, available, json } = flags;
  const can = Object.fromEntries(ABILITIES.filter((one) => flags[one] === true).map((one) => [one, true]));
  const models = selectModels(listModels(loadConfig()), { q: name, provider, available, can });
  if (json === true) {
    console.log(JSON.stringify({ object: 'list', data: models }, null, 2));
    return;
  }
  printTable([['MODEL', 'WINDOW', 'IN $/M', 'OUT $/M', 'CAN', 'KEY'], ...models.map(rowOf)]);
  console.log(`\n${models.length} models`);
}

function rowOf({ id, contextWindow, priceMicroUsdPerMillion: price, capabilities, available }: ModelView) {
  const usd = (micro: number | undefined) => (micro === undefined ? '-' : String(micro / 1_000_000));
  return [
    id,
    contextWindow === null ? '-' : String(contextWindow),
    usd(price?.input),
    usd(price?.output),
    ABILITIES.filter((ability) => capabilities[ability] === true).join(' '),
    available ? 'set' : '-',
  ];
}
