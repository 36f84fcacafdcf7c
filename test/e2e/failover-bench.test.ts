/** The quick scenarios of a public fault benchmark; `npm run prove -- failoverbench` runs all sixteen. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Stack, startStack } from '../harness/stack.ts';
import { BreakingUpstream, FULL_TIMING } from '../prove/failover-bench/breaking-upstream.ts';
import { FAILOVER_ENV, failoverConfig, measure } from '../prove/failover-bench/failover-bench.ts';
import { judge, SCENARIOS } from '../prove/failover-bench/scenarios.ts';

const QUICK = ['s03', 's05', 's08', 's10', 's12', 's13', 's14', 's16'];

let upstream: BreakingUpstream;
let stack: Stack;
beforeAll(async () => {
  upstream = new BreakingUpstream({ ...FULL_TIMING, betweenTokensMs: 2 });
  await upstream.start();
  stack = await startStack({ env: FAILOVER_ENV, config: failoverConfig(upstream.url) });
});
afterAll(async () => {
  await stack?.stop();
  await upstream?.stop();
});

describe('with default settings and an upstream that ignores the instruction to continue', () => {
  test.each(
    SCENARIOS.filter(({ id }) => QUICK.includes(id)).map((scenario) => [scenario.id, scenario] as const),
  )('%s is passed', async (_id, scenario) => {
    expect(judge(scenario, await measure(stack, upstream, scenario))).toEqual({
      verdict: 'pass',
      failed: [],
    });
  });
});
