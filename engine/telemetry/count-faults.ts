/** Counts errors of the services that a process needs. Each is followed by a retry. */
import type { Metrics } from './metrics.ts';

/** @returns a function that counts one error of the named service. */
export function countFaults(metrics: Metrics | null): (service: 'redis' | 'gate' | 'temporal') => void {
  const faults = metrics?.counter(
    'unbroken_service_faults_total',
    'Errors of connections to redis and temporal, and times that the gate was passed by',
    ['service'],
  );
  return (service) => faults?.inc({ service });
}
