/**
 * The metrics of Temporal's SDK: slots, polls, latencies of workflow tasks. Its native part serves them at a loopback
 * address, which only our own metrics page reads.
 */
import { createServer } from 'node:net';
import type { TelemetryOptions } from '@temporalio/worker';

/** @param port of our metrics page; undefined: nothing is counted. */
export async function temporalMetrics(
  port: number | undefined,
): Promise<{ telemetryOptions: TelemetryOptions; url: string | undefined }> {
  if (port === undefined) return { telemetryOptions: {}, url: undefined };
  const bindAddress = `127.0.0.1:${await freePort()}`;
  return {
    url: `http://${bindAddress}/metrics`,
    telemetryOptions: {
      metrics: {
        prometheus: {
          bindAddress,
          countersTotalSuffix: true,
          unitSuffix: true,
          useSecondsForDurations: true,
        },
      },
    },
  };
}

/** The native part does not report the port that the system gave it, so we choose one for it. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
