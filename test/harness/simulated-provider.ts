/** A simulated provider for one test file. */
import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import {
  createSimulatedProvider,
  type SimulatedProvider,
} from '../../tools/simulator/create-simulated-provider.ts';
import { connectSimulator, type Simulator } from './simulator.ts';

interface Simulated {
  readonly url: string;
  readonly sim: Simulator;
}

/** It runs during the tests of the file, and forgets its calls before each. */
export function simulatedForTests(): Simulated {
  let server: SimulatedProvider;
  let sim: Simulator;
  beforeAll(async () => {
    server = await createSimulatedProvider();
    sim = connectSimulator(server.url);
  });
  afterAll(() => server.stop());
  beforeEach(() => sim.forget());
  return {
    get url() {
      return server.url;
    },
    get sim() {
      return sim;
    },
  };
}
