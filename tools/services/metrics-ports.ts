/** Two programs of one machine cannot serve their metrics on one port. */
import type { Environment } from './programs/service-error.js';

/** @param port of the API; undefined: no metrics, 0: any port. */
export function metricsOfWorker(port: number | undefined): Environment {
  if (port === undefined) return {};
  return { UNBROKEN_METRICS_PORT: String(port === 0 ? 0 : port + 1) };
}
