/**
 * The options of every Temporal worker of this process, whichever queue it polls. Without the data converter a worker
 * cannot read encrypted arguments, and writes its failures in plain text; without the interceptors it loses the trace.
 *
 * The version of the deployment is not part of them: runs of all versions wait for room in one queue.
 */
import type { NativeConnection, WorkerOptions } from '@temporalio/worker';
import { workerInterceptors } from '../engine/telemetry/trace-temporal.ts';
import type { Tracing } from '../engine/telemetry/tracing.ts';
import type { Config } from '../platform/config/load-config.ts';
import { createDataConverter } from '../platform/encryption/data-converter.ts';

export type SharedOptions = Pick<
  WorkerOptions,
  'connection' | 'namespace' | 'identity' | 'dataConverter' | 'interceptors' | 'sinks'
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
