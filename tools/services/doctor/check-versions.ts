/** Checks worker versions: one of them takes new generations, and each that has running ones has a worker. */
import type { Connection } from '@temporalio/client';
import type { Config } from '../../../platform/config/load-config.ts';
import { readDeployment, type WorkerDeployment } from '../worker-deployment.ts';
import { error, type Finding, ok, warning, wordsOf } from './finding.ts';

const CHECK = 'worker versions';

/** Nothing where no worker has a version. */
export async function checkVersions(
  connection: Connection,
  temporal: Config['temporal'],
): Promise<Finding[]> {
  try {
    const deployment = await readDeployment(connection, temporal);
    if (deployment !== null) return judgeVersions(deployment);
    if (temporal.deployment.buildId === undefined) return [];
    const found = `no worker of ${temporal.deployment.name} ${temporal.deployment.buildId} has polled`;
    return [warning(CHECK, found, 'Start one, with TEMPORAL_WORKER_BUILD_ID as it is here.')];
  } catch (problem) {
    const fix = 'Upgrade Temporal to 1.29 or later, or unset TEMPORAL_WORKER_BUILD_ID.';
    return [warning(CHECK, wordsOf(problem), fix)];
  }
}

export function judgeVersions({ name, current, unversionedWorkers, versions }: WorkerDeployment): Finding[] {
  const findings: Finding[] = [];
  const served = versions.filter(({ workers }) => workers > 0).map(({ buildId }) => buildId);
  const choose = `Run: npx unbroken deployments set-current ${served[0] ?? '<build id>'}`;
  if (current === null && unversionedWorkers > 0) {
    findings.push(ok(CHECK, `new generations of ${name} begin on workers without a version`));
  } else if (current === null && served.length > 0) {
    findings.push(error(CHECK, `no version of ${name} is current: new generations wait`, choose));
  } else if (current !== null) {
    findings.push(
      served.includes(current)
        ? ok(CHECK, `new generations of ${name} begin on ${current}`)
        : error(CHECK, `no worker of ${current}, which is current: new generations wait`, choose),
    );
  }
  for (const { buildId, running, workers } of versions) {
    if (running === 0 || workers > 0 || buildId === current) continue;
    const found = `${running} generations of ${buildId} wait for its workers, and there are none`;
    const fix = `Start one of them, or run: npx unbroken deployments move ${buildId}`;
    findings.push(error(CHECK, found, fix));
  }
  return findings;
}
