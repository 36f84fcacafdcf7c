/** The versions of the workers as Temporal routes to them. Source: Temporal's API, workflowservice.v1. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Connection, isGrpcServiceError } from '@temporalio/client';
import type { Config } from '../../platform/config/load-config.ts';
import { connectionOptions } from '../../platform/temporal/connection-options.ts';
import { ServiceError } from './programs/service-error.js';

type Temporal = Config['temporal'];

/** Temporal's WorkerDeploymentVersionStatus, as its API numbers it. */
const STATUS = ['unknown', 'inactive', 'current', 'ramping', 'draining', 'drained', 'created'] as const;
type VersionStatus = (typeof STATUS)[number];

export interface WorkerVersion {
  readonly buildId: string;
  /** `draining`: takes no new generations and still runs some; `drained`: its workers may end. */
  readonly status: VersionStatus;
  /** Generations that run and will end on this version. */
  readonly running: number;
  /** Workers that poll the task queue. A killed worker counts for up to 90 s more. */
  readonly workers: number;
}

export interface WorkerDeployment {
  readonly name: string;
  /** Takes new generations; null: workers without a version take them. */
  readonly current: string | null;
  /** Takes a share of the new generations. */
  readonly ramp: { readonly buildId: string; readonly percent: number } | null;
  readonly versions: readonly WorkerVersion[];
  readonly unversionedWorkers: number;
}

const WORKFLOW_TASKS = 1;
/** Temporal's WorkerVersioningMode. */
const VERSIONED = 2;
/** A poll lasts a minute where there is nothing to do; Temporal remembers its pollers for five. */
const POLLED_WITHIN_MS = 90_000;
const CONNECT_MS = 5_000;
const CALL_MS = 15_000;
const NOT_FOUND = 5;
const BATCH_RUNNING = 1;
const BATCH_COMPLETED = 2;
const POLL_MS = 250;
const MOVE_MS = 10 * 60_000;

/** Opens a connection, and closes it when `ask` has ended. */
export async function withTemporal<Answer>(
  temporal: Temporal,
  ask: (connection: Connection) => Promise<Answer>,
): Promise<Answer> {
  const options = { ...connectionOptions(temporal), connectTimeout: CONNECT_MS };
  const connection = await Connection.connect(options).catch((cause: unknown) => {
    const fix =
      'Start it, or set TEMPORAL_ADDRESS to where it is (host:7233); npx unbroken doctor says more.';
    throw new ServiceError(`Temporal does not answer at ${temporal.address}.`, fix, { cause });
  });
  try {
    return await ask(connection);
  } finally {
    await connection.close();
  }
}

/** @returns null where no worker with a version has ever polled. */
export async function readDeployment(
  connection: Connection,
  { namespace, taskQueue, deployment }: Temporal,
): Promise<WorkerDeployment | null> {
  const { workflowService } = connection;
  return connection.withDeadline(Date.now() + CALL_MS, async () => {
    const [description, { pollers }] = await Promise.all([
      workflowService
        .describeWorkerDeployment({ namespace, deploymentName: deployment.name })
        .catch((error: unknown) => {
          if (isGrpcServiceError(error) && error.code === NOT_FOUND) return null;
          throw error;
        }),
      workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name: taskQueue },
        taskQueueType: WORKFLOW_TASKS,
      }),
    ]);
    const info = description?.workerDeploymentInfo;
    if (!info) return null;
    const workersOf = (buildId: string) =>
      new Set(
        (pollers ?? [])
          .filter(
            ({ deploymentOptions: version, lastAccessTime }) =>
              Number(lastAccessTime?.seconds ?? 0) * 1_000 > Date.now() - POLLED_WITHIN_MS &&
              (version?.workerVersioningMode === VERSIONED ? version.buildId === buildId : buildId === ''),
          )
          .map(({ identity }) => identity),
      ).size;
    const versions = await Promise.all(
      (info.versionSummaries ?? []).map(async ({ deploymentVersion, status }): Promise<WorkerVersion> => {
        const buildId = deploymentVersion?.buildId ?? '';
        const query = runningOn(deployment.name, buildId);
        const { count } = await workflowService.countWorkflowExecutions({ namespace, query });
        return {
          buildId,
          status: STATUS[status ?? 0] ?? 'unknown',
          running: Number(count ?? 0),
          workers: workersOf(buildId),
        };
      }),
    );
    const { currentDeploymentVersion, rampingDeploymentVersion, rampingVersionPercentage } =
      info.routingConfig ?? {};
    const ramping = rampingDeploymentVersion?.buildId;
    return {
      name: deployment.name,
      current: currentDeploymentVersion?.buildId || null,
      ramp: ramping ? { buildId: ramping, percent: rampingVersionPercentage ?? 0 } : null,
      versions,
      unversionedWorkers: workersOf(''),
    };
  });
}

/**
 * New generations begin on this version from now on. Rejects where none of its workers has polled yet.
 * @param buildId null: on workers without a version.
 */
export async function setCurrentVersion(
  connection: Connection,
  { namespace, deployment }: Temporal,
  buildId: string | null,
): Promise<void> {
  await connection.withDeadline(Date.now() + CALL_MS, () =>
    connection.workflowService.setWorkerDeploymentCurrentVersion({
      namespace,
      deploymentName: deployment.name,
      buildId: buildId ?? '',
      identity: 'unbroken',
    }),
  );
}

/** A share of the new generations begins on this version. @param percent 0 ends the ramp. */
export async function setRamp(
  connection: Connection,
  { namespace, deployment }: Temporal,
  buildId: string,
  percent: number,
): Promise<void> {
  const ramp = { buildId: percent === 0 ? '' : buildId, percentage: percent };
  await connection.withDeadline(Date.now() + CALL_MS, () =>
    connection.workflowService.setWorkerDeploymentRampingVersion({
      namespace,
      deploymentName: deployment.name,
      ...ramp,
      identity: 'unbroken',
    }),
  );
}

/**
 * The current version continues the generations of this version, whose workers are gone. Its code must be able to
 * continue them. Resolves with how many were moved.
 */
export async function moveRuns(
  connection: Connection,
  { namespace, deployment }: Temporal,
  buildId: string,
): Promise<number> {
  const { workflowService } = connection;
  const jobId = randomUUID();
  await workflowService.startBatchOperation({
    namespace,
    jobId,
    visibilityQuery: runningOn(deployment.name, buildId),
    reason: `the workers of ${deployment.name} ${buildId} are gone`,
    updateWorkflowOptionsOperation: {
      identity: 'unbroken',
      workflowExecutionOptions: { versioningOverride: { autoUpgrade: true } },
      updateMask: { paths: ['versioning_override'] },
    },
  });
  const deadline = Date.now() + MOVE_MS;
  for (;;) {
    const batch = await workflowService.describeBatchOperation({ namespace, jobId });
    const moved = Number(batch.completeOperationCount ?? 0);
    const failed = Number(batch.failureOperationCount ?? 0);
    if (batch.state === BATCH_COMPLETED && failed === 0) return moved;
    if (batch.state !== BATCH_RUNNING || Date.now() > deadline)
      throw new Error(`Of the generations of ${buildId}, ${moved} were moved and ${failed} were not.`);
    await pause(POLL_MS);
  }
}

function runningOn(deploymentName: string, buildId: string): string {
  const version = `${deploymentName}:${buildId}`.replaceAll("'", "''");
  return `TemporalWorkerDeploymentVersion = '${version}' AND TemporalWorkflowVersioningBehavior = 'Pinned' AND ExecutionStatus = 'Running'`;
}
