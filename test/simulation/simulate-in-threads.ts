/** The simulation on several cores: its clock stands in for that of a whole thread, so each thread has its own. */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type SimulationPlan, type SimulationReport, simulate } from './simulate.ts';

/** Every thread gets as many runs as the others, and seeds that no other has. */
export async function simulateInThreads(
  { runs, seed, mostFailures }: SimulationPlan,
  threads: number,
): Promise<SimulationReport> {
  const share = Math.ceil(runs / threads);
  const plans = Array.from({ length: threads }, (_, index) => ({
    runs: Math.min(share, runs - index * share),
    seed: seed + index * share,
    mostFailures,
  }));
  const reports = await Promise.all(plans.filter((plan) => plan.runs > 0).map(inThread));
  return {
    runs: reports.reduce((sum, report) => sum + report.runs, 0),
    steps: reports.reduce((sum, report) => sum + report.steps, 0),
    failed: reports.flatMap((report) => report.failed),
  };
}

function inThread(plan: SimulationPlan): Promise<SimulationReport> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: plan });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`A thread of the simulation ended with ${code}.`)));
  });
}

if (!isMainThread && parentPort !== null)
  parentPort.postMessage(await simulate(workerData as SimulationPlan));
