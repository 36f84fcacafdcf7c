/** Errors of the services that a process needs, each of which is followed by another try. */
import type { Metrics } from './metrics.ts';

/** @returns counts an error of the service of this name. */
export function countFaults(metrics: Metrics | null): (service: 'redis' | 'gate' | 'temporal') => void {
  const faults = metrics?.counter(
    'unbroken_service_faults_total',
    'Errors of connections to redis and temporal, and times that the gate was passed by',
    ['service'],
  );
  return (service) => faults?.inc({ service });
}
