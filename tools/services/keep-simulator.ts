/** The simulated provider of an `npm start` without keys: restarted when it dies, always at the same address. */
import { join } from 'node:path';
import { findFreePort } from './ports.ts';
import type { Report } from './programs/service-error.js';
import { runNode } from './run-node.ts';
import { type Supervised, supervise } from './supervise.ts';

interface KeptSimulator extends Pick<Supervised, 'givenUp' | 'stop'> {
  readonly url: string;
  /** Of the process that runs now. */
  pid(): number;
}

export async function keepSimulator(dataDir: string, report: Report): Promise<KeptSimulator> {
  // The other processes are started with its address, so one that starts again must have the same.
  const port = await findFreePort();
  const program = {
    name: 'simulator',
    file: 'tools/simulator/main.ts',
    // A vendor's batch may take a day, and survives a restart of ours.
    args: ['--port', String(port), '--batches', join(dataDir, 'simulated-batches.ndjson')],
    dataDir,
    env: {},
    report,
  };
  const first = await runNode(program);
  const kept = supervise(program.name, first.process, async () => (await runNode(program)).process, report);
  return { url: first.url ?? '', pid: () => kept.pid, givenUp: kept.givenUp, stop: kept.stop };
}
