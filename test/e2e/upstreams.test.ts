/** The product in front of providers that we did not write; `npm run prove -- upstreams` runs all rows. */
import { expect, test } from '@jest/globals';
import { UPSTREAM_ROWS } from '../harness/upstreams/rows.ts';
import { runUpstreamRows } from '../harness/upstreams/run-rows.ts';

test('on every wire: text, tools, schemas, errors, and connections that break', async () => {
  const verdicts = await runUpstreamRows(UPSTREAM_ROWS.filter(({ isQuick }) => isQuick === true));
  expect(verdicts.length).toBeGreaterThan(0);
  expect(verdicts.filter(({ problems }) => problems.length > 0)).toEqual([]);
});
