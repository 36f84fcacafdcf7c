/** Bad input on every surface of the product, by a seed: how many inputs were tried, and which of them it did not take well. */
import { fuzzConfig } from '../fuzz/fuzz-config.ts';
import { fuzzProviderStreams } from '../fuzz/fuzz-provider-streams.ts';
import { fuzzReaders } from '../fuzz/fuzz-readers.ts';
import { fuzzRoutes, WATCH_PROTOTYPES } from '../fuzz/fuzz-routes.ts';
import { fuzzSockets, SOCKET_LIMITS } from '../fuzz/fuzz-sockets.ts';
import { fuzzWebSockets } from '../fuzz/fuzz-websocket.ts';
import { type FuzzPlan, type SurfaceReport, sumOf } from '../fuzz/inputs.ts';
import { startSharedServices } from '../harness/shared-services.ts';
import { startStack } from '../harness/stack.ts';

export interface FuzzProof extends FuzzPlan {
  /** Splits the recorded streams of providers at every byte, besides. */
  readonly everySplit: boolean;
}

/** Prints a line for each surface and one in sum. Resolves with whether nothing failed. */
export async function proveFuzz({ seed, inputs, everySplit }: FuzzProof): Promise<boolean> {
  console.log(`seed ${seed}`);
  const share = (part: number): FuzzPlan => ({ seed, inputs: Math.max(1, Math.round(inputs * part)) });
  const reports: SurfaceReport[] = [];
  const add = (report: SurfaceReport) => {
    reports.push(report);
    print(report);
  };
  add(await fuzzConfig(share(0.1)));
  add(await fuzzReaders(share(0.1)));
  add(await fuzzProviderStreams({ ...share(0.25), everySplit }));
  const services = await startSharedServices();
  try {
    const plan = { config: { http: SOCKET_LIMITS }, env: WATCH_PROTOTYPES, services: services.env };
    const stack = await startStack(plan);
    try {
      add(await fuzzRoutes(stack, share(0.45)));
      add(await fuzzWebSockets(stack, share(0.06)));
      add(await fuzzSockets(stack, share(0.04)));
    } finally {
      await stack.stop();
    }
  } finally {
    await services.stop();
  }
  const sum = sumOf('in sum', reports);
  for (const failure of sum.failures) console.log(`\n${failure}`);
  print(sum);
  return sum.failures.length === 0;
}

function print({ surface, inputs, failures, note }: SurfaceReport): void {
  const said = note === undefined ? '' : ` (${note})`;
  console.log(`${surface}: inputs ${inputs} failures ${failures.length}${said}`);
}
