/** The metrics ports of `npm start`: the worker uses the port after the API's, because both run on one machine. */
import type { Environment } from './programs/service-error.js';

/** @param port of the API; undefined: no metrics, 0: any port. */
export function metricsOfWorker(port: number | undefined): Environment {
  if (port === undefined) return {};
  return { UNBROKEN_METRICS_PORT: String(port === 0 ? 0 : port + 1) };
}
