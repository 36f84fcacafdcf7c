/**
 * Bad input on every surface of the product, by a seed: how many inputs were tried, and which of them it did not take
 * well.
 */
import { fuzzConfig } from '../fuzz/fuzz-config.ts';
import { fuzzCost } from '../fuzz/fuzz-cost.ts';
import { fuzzProviderStreams } from '../fuzz/fuzz-provider-streams.ts';
import { fuzzReaders } from '../fuzz/fuzz-readers.ts';
import { fuzzRoutes, WATCH_PROTOTYPES } from '../fuzz/fuzz-routes.ts';
import { fuzzSockets, SOCKET_LIMITS } from '../fuzz/fuzz-sockets.ts';
import { fuzzWebSockets } from '../fuzz/fuzz-websocket.ts';
import { type FuzzPlan, type SurfaceReport, sumOf } from '../fuzz/inputs.ts';
import { startSharedServices } from '../harness/shared-services.ts';
import { startStack } from '../harness/stack.ts';

interface FuzzProof extends FuzzPlan {
  /** Splits the recorded streams of providers at every byte, besides. */
  readonly everySplit: boolean;
  /** Searches for cost, and for nothing else, by the inputs whose name has this text. null: tries all surfaces. */
  readonly onlyCost: string | null;
}

/** Prints a line for each surface and one in sum. Resolves with whether nothing failed. */
export async function proveFuzz(proof: FuzzProof): Promise<boolean> {
  const { seed, inputs, onlyCost } = proof;
  console.log(`seed ${seed}`);
  const reports: SurfaceReport[] = [];
  const add = (report: SurfaceReport) => {
    reports.push(report);
    print(report);
  };
  if (onlyCost === null) await fuzzFiles(proof, add);
  const services = await startSharedServices();
  try {
    if (onlyCost === null) await fuzzNetwork(proof, services.env, add);
    const costs = onlyCost === null ? Math.ceil(inputs * COST_SHARE) : inputs;
    add(await fuzzCost(services.env, { seed, inputs: costs, only: onlyCost ?? '' }));
  } finally {
    await services.stop();
  }
  const sum = sumOf('in sum', reports);
  for (const failure of sum.failures) console.log(`\n${failure}`);
  print(sum);
  return sum.failures.length === 0;
}

/** They are sent one at a time. */
const COST_SHARE = 0.05;

type Add = (report: SurfaceReport) => void;

function shareOf({ seed, inputs }: FuzzPlan, part: number): FuzzPlan {
  return { seed, inputs: Math.max(1, Math.round(inputs * part)) };
}

async function fuzzFiles(proof: FuzzProof, add: Add): Promise<void> {
  const { everySplit } = proof;
  add(await fuzzConfig(shareOf(proof, 0.1)));
  add(await fuzzReaders(shareOf(proof, 0.1)));
  add(await fuzzProviderStreams({ ...shareOf(proof, 0.25), everySplit }));
}

async function fuzzNetwork(
  proof: FuzzProof,
  services: Readonly<Record<string, string>>,
  add: Add,
): Promise<void> {
  const stack = await startStack({ config: { http: SOCKET_LIMITS }, env: WATCH_PROTOTYPES, services });
  try {
    add(await fuzzRoutes(stack, shareOf(proof, 0.45)));
    add(await fuzzWebSockets(stack, shareOf(proof, 0.06)));
    add(await fuzzSockets(stack, shareOf(proof, 0.04)));
  } finally {
    await stack.stop();
  }
}

function print({ surface, inputs, failures, note }: SurfaceReport): void {
  const suffix = note === undefined ? '' : ` (${note})`;
  console.log(`${surface}: inputs ${inputs} failures ${failures.length}${suffix}`);
}
