/** Checks Temporal: reachable, new enough, has the namespace, our search attributes, and workers that poll. */
import { Connection, isGrpcServiceError } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../../contracts/names.ts';
import type { Config } from '../../../platform/config/load-config.ts';
import { onDisk, START_COMMAND } from '../../../platform/on-disk.ts';
import { connectionOptions } from '../../../platform/temporal/connection-options.ts';
import { addByHand, missingAttributes } from '../temporal-namespace.ts';
import { checkVersions } from './check-versions.ts';
import { ANSWER_WITHIN_MS, error, type Finding, isAtLeast, ok, warning, wordsOf } from './finding.ts';

/** Priority and fairness of task queues. */
const LEAST_VERSION = '1.29';
const WORKFLOW_TASKS = 1;
const MOST_SKEW_MS = 1_000;

export async function checkTemporal({ temporal }: Pick<Config, 'temporal'>): Promise<Finding[]> {
  const { address, namespace, taskQueue } = temporal;
  const connection = Connection.lazy({ ...connectionOptions(temporal), connectTimeout: ANSWER_WITHIN_MS });
  const within = <Answer>(ask: () => Promise<Answer>) =>
    connection.withDeadline(Date.now() + ANSWER_WITHIN_MS, ask);
  try {
    const { serverVersion } = await within(() => connection.workflowService.getSystemInfo({}));
    const version = serverVersion ?? '0';
    const findings = [
      ok('temporal', `answers at ${address}`),
      isAtLeast(version, LEAST_VERSION)
        ? ok('temporal version', version)
        : warning(
            'temporal version',
            version,
            `Upgrade to ${LEAST_VERSION} or later: priority and fairness of queues need it.`,
          ),
    ];
    findings.push(...(await within(() => checkNames(connection, namespace, taskQueue))));
    return [...findings, ...(await checkVersions(connection, temporal))];
  } catch (problem) {
    return [error('temporal', `${address}: ${wordsOf(problem)}`, unreachableFix(problem))];
  } finally {
    await connection.close();
  }
}

/** grpc's numbers. */
const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;

function unreachableFix(problem: unknown): string {
  return isRefusal(problem)
    ? KEY_FIX
    : 'Start Temporal, or set TEMPORAL_ADDRESS to where it is (host:7233), and TEMPORAL_TLS=true if it speaks TLS.';
}

const KEY_FIX = 'Set TEMPORAL_API_KEY, or the client certificate, to one that may use this namespace.';

function isRefusal(problem: unknown): boolean {
  return isGrpcServiceError(problem) && [PERMISSION_DENIED, UNAUTHENTICATED].includes(problem.code);
}

async function checkNames(connection: Connection, namespace: string, taskQueue: string): Promise<Finding[]> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
  } catch (problem) {
    const fix = isRefusal(problem)
      ? KEY_FIX
      : `Run: temporal operator namespace create -n ${namespace} --retention 72h; or set TEMPORAL_NAMESPACE.`;
    return [error('temporal namespace', `${namespace}: ${wordsOf(problem)}`, fix)];
  }
  return [
    ok('temporal namespace', namespace),
    await checkAttributes(connection, namespace),
    await checkPollers(connection, namespace, taskQueue),
  ];
}

async function checkAttributes(connection: Connection, namespace: string): Promise<Finding> {
  const check = 'temporal search attributes';
  const missing = await missingAttributes(connection, namespace);
  return missing.length === 0
    ? ok(check, `all ${Object.keys(SEARCH_ATTRIBUTES).length} are there`)
    : error(
        check,
        `${missing.join(', ')} missing`,
        `Run: node ${onDisk('tools/deploy/prepare-namespace.ts')}; at Temporal Cloud: ${addByHand(namespace, missing)}`,
      );
}

async function checkPollers(connection: Connection, namespace: string, taskQueue: string): Promise<Finding> {
  const { pollers } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: WORKFLOW_TASKS,
  });
  const names = new Set((pollers ?? []).map(({ identity }) => identity));
  if (names.size > 0) {
    const skewed = (pollers ?? []).some(({ lastAccessTime }) =>
      isInFuture(Number(lastAccessTime?.seconds ?? 0)),
    );
    return skewed
      ? warning(
          'workers',
          'the last poll of one is in the future: the clocks differ',
          'Synchronise the clocks of Temporal and of this machine by NTP.',
        )
      : ok('workers', `${names.size} polled the task queue "${taskQueue}" in the last minutes`);
  }
  return warning(
    'workers',
    `none polls the task queue "${taskQueue}"`,
    `Start one (${START_COMMAND}, or node ${onDisk('worker/main.ts')}).`,
  );
}

function isInFuture(seconds: number): boolean {
  return seconds * 1_000 > Date.now() + MOST_SKEW_MS;
}
