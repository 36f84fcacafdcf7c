/**
 * Failover Bench, sixteen faults of a provider, on this product with its default settings: two upstreams, one route for
 * each scenario. The benchmark is in no package registry, so its scenarios are written here from its description:
 * https://github.com/failoverbench/failoverbench (scenarios/catalogue.yaml, METHODOLOGY.md, version 0.1).
 */
import { startSharedServices } from '../../harness/shared-services.ts';
import { type Stack, startStack } from '../../harness/stack.ts';
import { closeTemporalClients } from '../../harness/streaming-worker.ts';
import { pause } from '../../harness/wait-for.ts';
import { ask } from './ask.ts';
import { BreakingUpstream, FULL_TIMING } from './breaking-upstream.ts';
import { FLAP, judge, type Measured, SCENARIOS, type Scenario, type Verdict } from './scenarios.ts';

const ALIVE_WITHIN_MS = 10_000;

/** Two upstreams at one address, as two providers; each scenario has a route of its name. */
export function failoverConfig(url: string): object {
  const upstream = { wire: 'openai-chat', baseUrl: url, apiKeyEnv: 'FAILOVER_BENCH_KEY' };
  const routeOf = ({ id, fallback = 'ok' }: Pick<Scenario, 'id' | 'fallback'>) => [
    id,
    [`first/${id}`, `second/${fallback}`],
  ];
  return {
    providers: { first: upstream, second: upstream },
    routes: Object.fromEntries([
      ...SCENARIOS.map(routeOf),
      routeOf({ id: FLAP.id }),
      ['default', ['second/ok']],
    ]),
  };
}

export const FAILOVER_ENV = { FAILOVER_BENCH_KEY: 'sk-failover-bench-0123456789' };

/** Prints a line for each scenario. @returns whether all passed. */
export async function proveFailoverBench(only: string | undefined): Promise<boolean> {
  const services = await startSharedServices();
  const upstream = new BreakingUpstream(FULL_TIMING);
  let stack: Stack | undefined;
  try {
    await upstream.start();
    stack = await startStack({
      services: services.env,
      env: FAILOVER_ENV,
      config: failoverConfig(upstream.url),
    });
    const wanted = SCENARIOS.filter(({ id }) => only === undefined || id === only.toLowerCase());
    const verdicts: Verdict[] = [];
    for (const scenario of wanted) {
      const startedAtMs = Date.now();
      const { verdict, failed } = judge(scenario, await measure(stack, upstream, scenario));
      verdicts.push(verdict);
      print({ ...scenario, verdict, failed, ms: Date.now() - startedAtMs });
    }
    if (only === undefined || only.toLowerCase() === FLAP.id) verdicts.push(await proveFlap(stack, upstream));
    const passed = verdicts.filter((verdict) => verdict === 'pass').length;
    console.log(`passed ${passed} of ${verdicts.length}`);
    return verdicts.length > 0 && passed === verdicts.length;
  } finally {
    await stack?.stop();
    await upstream.stop();
    await closeTemporalClients();
    await services.stop();
  }
}

/** Runs one scenario. */
export async function measure(
  { api }: Stack,
  upstream: BreakingUpstream,
  { id, maxMs, fallback = 'ok' }: Scenario,
): Promise<Measured> {
  upstream.reset();
  const seen = await ask(api, id, maxMs);
  const { attempts } = upstream;
  const alive = await ask(api, 'unbroken', ALIVE_WITHIN_MS);
  return {
    seen,
    primaryAtMs: attempts.filter(({ model }) => model === id).map(({ atMs }) => atMs),
    // One of them is the healthy request.
    fallbackCalls: attempts.filter(({ model }) => model === fallback).length - (fallback === 'ok' ? 1 : 0),
    prefillRefusals: attempts.filter(({ isPrefillRefused }) => isPrefillRefused).length,
    isAlive: alive.error === null && alive.isWhole,
  };
}

/** Each request must be answered, in the outage by the fallback; soon after it, the first model answers again. */
async function proveFlap({ api }: Stack, upstream: BreakingUpstream): Promise<Verdict> {
  upstream.reset();
  const startedAtMs = Date.now();
  const failed: string[] = [];
  for (let index = 0; index < FLAP.requests; index += 1) {
    await pause(Math.max(0, startedAtMs + index * FLAP.everyMs - Date.now()));
    const seen = await ask(api, FLAP.id, FLAP.maxMs);
    if (seen.isHang) failed.push(`request ${index} hangs`);
    else if (seen.error !== null || !seen.isWhole)
      failed.push(`request ${index}: ${seen.error ?? seen.text}`);
  }
  const own = upstream.attempts.filter(({ model }) => model === FLAP.id);
  const backAtMs = own.find(({ isAnswered }) => isAnswered)?.atMs;
  const backAfterMs = backAtMs === undefined ? Number.POSITIVE_INFINITY : backAtMs - FULL_TIMING.outageMs;
  if (backAfterMs > FLAP.recoversWithinMs) failed.push('the first model was not used again');
  const probes = own.filter(({ atMs }) => atMs < FULL_TIMING.outageMs).length;
  const verdict = failed.length === 0 ? 'pass' : 'fail';
  const fault = `${FLAP.fault} (${probes} calls in the outage; back after ${backAfterMs} ms)`;
  print({ id: FLAP.id, fault, verdict, failed, ms: Date.now() - startedAtMs });
  return verdict;
}

interface Line extends Pick<Scenario, 'id' | 'fault'> {
  readonly verdict: Verdict;
  readonly failed: readonly string[];
  readonly ms: number;
}

function print({ id, fault, verdict, failed, ms }: Line): void {
  console.log(`${verdict.padEnd(8)} ${String(ms).padStart(6)} ms  ${id.toUpperCase()}  ${fault}`);
  for (const check of failed) console.log(`      ${check}`);
}
