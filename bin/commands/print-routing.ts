import type { ProvidersView, RouteExplanation } from '../../clients/typescript/index.ts';
import { formatUsd } from '../../contracts/money.ts';
import { printTable } from './print-table.ts';

export function printExplanation(explanation: RouteExplanation, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(explanation, null, 2));
    return;
  }
  const { route, task, inputTokens, maxOutputTokens, models } = explanation;
  const kind = task === null ? '' : `, task ${task.task} (${task.because})`;
  console.log(`route ${route}${kind}; up to ${inputTokens} tokens in, ${maxOutputTokens} out\n`);
  printTable([
    ['PLACE', 'MODEL', 'AT MOST', 'FIRST TOKEN', 'WHY'],
    ...models.map((one) => [
      one.place === null ? '-' : String(one.place),
      `${one.provider}/${one.model}`,
      one.maxCostMicroUsd === null ? '-' : formatUsd(one.maxCostMicroUsd),
      millis(one.firstTokenMs),
      one.why,
    ]),
  ]);
  if (explanation.onContextLength.length > 0) {
    console.log(`\nif the input is too long: ${explanation.onContextLength.join(', ')}`);
  }
}

export function printProviders(providers: ProvidersView['providers'], json: boolean): void {
  if (json) {
    console.log(JSON.stringify(providers, null, 2));
    return;
  }
  printTable([
    ['MODEL', 'CIRCUIT', 'CALLS', 'BAD', 'FIRST TOKEN', 'TOKENS/S'],
    ...providers.flatMap(({ provider, models }) =>
      models.map((one) => [
        `${provider}/${one.model}`,
        one.because === null ? one.circuit : `${one.circuit} (${one.because})`,
        String(one.calls),
        String(one.badCalls),
        millis(one.firstTokenMs),
        one.tokensPerSecond === null ? '-' : one.tokensPerSecond.toFixed(0),
      ]),
    ),
  ]);
  const keys = providers.flatMap(({ provider, keys: known = [] }) =>
    known.map((key) => ({ provider, ...key })),
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
