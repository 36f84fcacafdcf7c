/** Tables of routing: what a request would do, and how the providers are. */
import type { ProvidersView, RouteExplanation } from '../../clients/typescript/index.ts';
import { candidateName } from '../../contracts/candidate.ts';
import { formatUsd } from '../../contracts/money.ts';
import { type JsonFlag, printJson } from './print-json.ts';
import { printTable } from './print-table.ts';

export function printExplanation(explanation: RouteExplanation, { json }: JsonFlag): void {
  if (json === true) {
    printJson(explanation);
    return;
  }
  const { route, task, inputTokens, maxOutputTokens, models } = explanation;
  const kind = task === null ? '' : `, task ${task.task} (${task.because})`;
  console.log(`route ${route}${kind}; up to ${inputTokens} tokens in, ${maxOutputTokens} out\n`);
  printTable([
    ['PLACE', 'MODEL', 'AT MOST', 'FIRST TOKEN', 'WHY'],
    ...models.map((model) => [
      model.place === null ? '-' : String(model.place),
      candidateName(model),
      model.maxCostMicroUsd === null ? '-' : formatUsd(model.maxCostMicroUsd),
      millis(model.firstTokenMs),
      model.why,
    ]),
  ]);
  if (explanation.onContextLength.length > 0) {
    console.log(`\nif the input is too long: ${explanation.onContextLength.join(', ')}`);
  }
}

export function printProviders(providers: ProvidersView['providers'], { json }: JsonFlag): void {
  if (json === true) {
    printJson(providers);
    return;
  }
  printTable([
    ['MODEL', 'CIRCUIT', 'CALLS', 'BAD', 'FIRST TOKEN', 'TOKENS/S'],
    ...providers.flatMap(({ provider, models }) =>
      models.map((model) => [
        `${provider}/${model.model}`,
        model.because === null ? model.circuit : `${model.circuit} (${model.because})`,
        String(model.calls),
        String(model.badCalls),
        millis(model.firstTokenMs),
        model.tokensPerSecond === null ? '-' : model.tokensPerSecond.toFixed(0),
      ]),
    ),
  ]);
  const keys = providers.flatMap(({ provider, keys: ownKeys = [] }) =>
    ownKeys.map((key) => ({ provider, ...key })),
  );
  if (keys.length === 0) return;
  console.log('');
  printTable([
    ['KEY', 'STATE', 'REQUESTS', 'TOKENS'],
    ...keys.map((key) => [
      `${key.provider} ${key.id}`,
      key.refusedBy === null ? key.state : `${key.state} (${key.refusedBy})`,
      used(key.usedRequests, key.limitRequests),
      used(key.usedTokens, key.limitTokens),
    ]),
  ]);
}

function used(count: number, limit: number | null): string {
  return limit === null ? String(count) : `${count} of ${limit}`;
}

function millis(ms: number | null): string {
  return ms === null ? '-' : `${Math.round(ms)} ms`;
}
