/**
 * Lets newer code continue runs of this workflow. They may retry, or wait for a person, for days: longer than workers
 * of an old version are kept. Temporal accepts a versioning behaviour only from workers of a deployment; other workers
 * have just a build id, computed from their code.
 */
import { setWorkflowOptions, type Workflow, workflowInfo } from '@temporalio/workflow';

export function outlivesVersions(run: Workflow): void {
  setWorkflowOptions(
    () =>
      workflowInfo().currentDeploymentVersion?.deploymentName ? { versioningBehavior: 'AUTO_UPGRADE' } : {},
    run,
  );
}
