/**
 * Tells Temporal the version of this worker, if it has one. A generation ends on the version that it began on
 * (docs/decisions/0012); a workflow that may run for days declares that it moves to newer versions.
 */
import type { WorkerOptions } from '@temporalio/worker';
import type { DeploymentSettings } from '../platform/config/deployment-environment.ts';

export function versioningOf({
  name,
  buildId,
}: DeploymentSettings): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  if (buildId === undefined) return {};
  return {
    workerDeploymentOptions: {
      version: { deploymentName: name, buildId },
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'PINNED',
    },
  };
}
