/**
 * What every Temporal worker of this process has in common, whichever queue it takes from. A worker without the data
 * converter cannot read the arguments of its activities where payloads are encrypted, and writes its failures in plain
 * text; one without the interceptors loses the trace.
 *
 * The version of the deployment is not part of it: all who wait for room stand in one line, whatever version their runs
 * are pinned to.
 */
import type { NativeConnection, WorkerOptions } from '@temporalio/worker';
import { workerInterceptors } from '../engine/telemetry/trace-temporal.ts';
import type { Tracing } from '../engine/telemetry/tracing.ts';
import type { Config } from '../platform/config/load-config.ts';
import { createDataConverter } from '../platform/encryption/data-converter.ts';

export type SharedOptions = Pick<
  WorkerOptions,
  'connection' | 'namespace' | 'dataConverter' | 'interceptors' | 'sinks'
>;

export async function sharedWorkerOptions(
  connection: NativeConnection,
  config: Pick<Config, 'encryptionKeys'> & { readonly temporal: Pick<Config['temporal'], 'namespace'> },
  tracing: Tracing | null,
): Promise<SharedOptions> {
  const dataConverter = createDataConverter(config);
  return {
    connection,
    namespace: config.temporal.namespace,
    ...(dataConverter === undefined ? {} : { dataConverter }),
    ...(await workerInterceptors(tracing)),
  };
}
