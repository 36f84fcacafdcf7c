/** `unbroken models`: with `--json` it prints them as `GET /v1/models?available=any` does. */
import type { Command } from 'commander';
import type { ModelView } from '../../contracts/model.ts';
import { listNames } from '../../engine/models/route-models.ts';
import { selectModels } from '../../engine/models/select-models.ts';
import { loadConfig } from '../../platform/config/load-config.ts';
import { printJson, withJson } from './print-json.ts';
import { printTable } from './print-table.ts';

const ABILITIES = ['tools', 'vision', 'jsonSchema', 'reasoning', 'prefill', 'reattach'] as const;

type ModelFlags = { readonly [Ability in (typeof ABILITIES)[number]]?: true } & {
  readonly provider?: string;
  readonly available?: true;
  readonly json?: true;
};

/** Asks no service: the config and the data packages know the models. */
export function defineModels(command: Command): void {
  withJson(command)
    .argument('[name]', 'a part of the name')
    .option('--provider <name>', 'only those of this provider')
    .option('--available', 'only those whose key is set')
    .option('--tools', 'only those that call tools')
    .option('--vision', 'only those that take images')
    .option('--json-schema', 'only those that can answer in JSON by a schema')
    .option('--reasoning', 'only those that reason')
    .option('--prefill', 'only those that continue an interrupted answer by prefill')
    .option('--reattach', 'only those whose running response can be reattached to')
    .action(printModels);
}

function printModels(name: string | undefined, flags: ModelFlags): void {
  const { provider, available, json } = flags;
  const can = Object.fromEntries(
    ABILITIES.filter((ability) => flags[ability] === true).map((ability) => [ability, true]),
  );
  const models = selectModels(listNames(loadConfig()), { q: name, provider, available, can });
  if (json === true) {
    printJson({ object: 'list', data: models });
    return;
  }
  printTable([['MODEL', 'WINDOW', 'IN $/M', 'OUT $/M', 'CAN', 'KEY'], ...models.map(rowOf)]);
  console.log(`\n${models.length} models`);
}

function rowOf({
  id,
  contextWindow,
  priceMicroUsdPerMillion: price,
  capabilities,
  available,
  simulated,
}: ModelView) {
  const usd = (micro: number | undefined) => (micro === undefined ? '-' : String(micro / 1_000_000));
  return [
    id,
    contextWindow === null ? '-' : String(contextWindow),
    usd(price?.input),
    usd(price?.output),
    ABILITIES.filter((ability) => capabilities[ability] === true).join(' '),
    simulated ? 'simulated' : available ? 'set' : '-',
  ];
}
