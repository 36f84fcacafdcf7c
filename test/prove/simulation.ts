/** `npm run prove -- simulation`: the core under orders of events that a seed chooses, with its own clock. */
import { availableParallelism } from 'node:os';
import { type SimulationPlan, simulateSeed } from '../simulation/simulate.ts';
import { simulateInThreads } from '../simulation/simulate-in-threads.ts';

/** Prints the steps of the seeds that failed, or of a single run, and the sum. Resolves with whether none failed. */
export async function proveSimulation(plan: SimulationPlan): Promise<boolean> {
  const begunAtMs = Date.now();
  if (plan.runs === 1) {
    const { faults, history, steps } = await simulateSeed(plan.seed, { withHistory: true });
    for (const line of [...history, ...faults.map((fault) => `FAULT ${fault}`)]) console.log(line);
    console.log(`simulation: seed ${plan.seed} runs 1 steps ${steps} failed ${faults.length === 0 ? 0 : 1}`);
    return faults.length === 0;
  }
  const { runs, steps, failed } = await simulateInThreads(plan, availableParallelism());
  for (const { seed, faults, history } of failed) {
    for (const line of history) console.log(line);
    for (const fault of faults) console.log(`FAULT ${fault}`);
    console.log(`repeat by: npm run prove -- simulation --runs 1 --seed ${seed}\n`);
  }
  const seconds = ((Date.now() - begunAtMs) / 1_000).toFixed(1);
  console.log(
    `simulation: seed ${plan.seed} runs ${runs} steps ${steps} failed ${failed.length} (${seconds} s)`,
  );
  return failed.length === 0;
}
