/** Workers in the test's own process tell of errors only: their changes of state would bury the results. */
import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';

export function installQuietRuntime(): void {
  const filter = makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' });
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter } } });
}
