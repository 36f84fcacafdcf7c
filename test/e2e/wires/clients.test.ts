import { afterAll, afterEach, beforeAll, describe, test } from '@jest/globals';
import { CLIENTS } from '../../harness/clients/all-clients.ts';
import { BEHAVIOURS, type Bench, openBench } from '../../harness/clients/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench?.stop());
afterEach(() => bench.stack.sim.clearFaults());

describe.each(CLIENTS.map((client) => [client.name, client] as const))('%s', (_name, { behaviours }) => {
  test.each(BEHAVIOURS)('%s', (behaviour) => behaviours[behaviour](bench));
});
