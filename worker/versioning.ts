/**
 * Whether Temporal tells this worker from those of another version. A generation ends on the version that it began on
 * (docs/decisions/0017); a run that may last for days says in its workflow that it moves on.
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
