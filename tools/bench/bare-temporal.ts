/** The floor of this engine: a process whose workflows do nothing but stream, on the Temporal of the run. */
import { type ChildHandle, startChild } from '../../test/harness/child-process.ts';
import type { SharedServices } from '../../test/harness/shared-services.ts';
import { findFreePort } from '../services/ports.ts';

/** Starts it in front of a provider that speaks chat completions at `providerUrl` (with /v1). */
export async function startBareTemporal(providerUrl: string, services: SharedServices): Promise<ChildHandle> {
  const entry = ['--import', './worker/vm-without-watchdog.ts', 'tools/bench/bare-temporal-service.ts'];
  return startChild('bare Temporal', entry, {
    ...services.env,
    BENCH_PROVIDER_URL: providerUrl,
    BENCH_PORT: String(await findFreePort()),
  });
}
